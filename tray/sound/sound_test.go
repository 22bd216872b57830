package sound_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"messngr/tray/sound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// player is a Player that finds programs in a folder, which write their
// arguments into a file.
func player(t *testing.T, programs ...string) (p *sound.Player, played func() string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	for _, name := range programs {
		script := "#!/bin/sh\necho " + name + " \"$@\" >>" + log + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	theme := filepath.Join(dir, "sounds", "freedesktop", "stereo")
	if err := os.MkdirAll(theme, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(theme, "bell.oga"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p = sound.New([]string{"/nonexistent", dir})
	p.Look = func(name string) (string, error) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			return "", errors.New("not installed")
		}
		return path, nil
	}
	return p, func() string {
		p.Wait()
		b, _ := os.ReadFile(log)
		return strings.ReplaceAll(strings.TrimSpace(string(b)), dir, "DIR")
	}
}

func TestPlayers(t *testing.T) {
	for _, tt := range []struct{ name, installed, want string }{
		{"bell", "canberra-gtk-play paplay", "canberra-gtk-play -i bell"},
		{"bell", "paplay", "paplay DIR/sounds/freedesktop/stereo/bell.oga"},
		{"bell", "paplay pw-play", "pw-play DIR/sounds/freedesktop/stereo/bell.oga"},
		{"bell", "", ""},
		{"gong", "paplay", ""}, // not in the theme
		{"/etc/passwd", "paplay canberra-gtk-play", "paplay /etc/passwd"},
		{"-x", "paplay", ""},
		{"../../bell", "canberra-gtk-play paplay", ""},
		{"bell; rm", "canberra-gtk-play paplay", ""},
		{"", "canberra-gtk-play paplay", ""},
	} {
		p, played := player(t, strings.Fields(tt.installed)...)
		if ok := p.Play(t.Context(), tt.name); ok != (tt.want != "") {
			t.Errorf("Play(%q) with %q = %v", tt.name, tt.installed, ok)
		}
		if got := played(); got != tt.want {
			t.Errorf("Play(%q) with %q runs %q, want %q", tt.name, tt.installed, got, tt.want)
		}
	}
}

func TestAPlayerThatHangs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "paplay"), []byte("#!/bin/sh\nexec sleep 100\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := &sound.Player{Look: func(name string) (string, error) {
		if name != "paplay" {
			return "", errors.New("not installed")
		}
		return filepath.Join(dir, name), nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	if !p.Play(ctx, "/bell.oga") {
		t.Fatal("nothing plays")
	}
	cancel()
	began := time.Now()
	if p.Wait(); time.Since(began) > 5*time.Second {
		t.Error("it outlives its context")
	}
}
