//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/labtest"
)

// What the packages bring for desktops is what desktops read.
func TestDesktopFiles(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "desktop-file-validate", "appstreamcli")
	ctx := labtest.Context(t, time.Minute)
	const dir = "../packaging/desktop"
	for _, args := range [][]string{
		{"desktop-file-validate", "messngr.desktop", "messngr-tray.desktop"},
		{"appstreamcli", "validate", "--no-net", "org.messngr.Messngr.metainfo.xml"},
	} {
		if out, err := command(ctx, dir, args[0], args[1:]...); err != nil {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	icons, err := filepath.Glob(dir + "/icons/*/messngr.png")
	if err != nil || len(icons) < 6 {
		t.Fatalf("icons %q, %v", icons, err)
	}
	for _, path := range icons {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := png.DecodeConfig(f)
		f.Close()
		if size := filepath.Base(filepath.Dir(path)); err != nil || fmt.Sprintf("%dx%d", c.Width, c.Height) != size {
			t.Errorf("%s is %d by %d, %v", path, c.Width, c.Height, err)
		}
	}
}

// The unit that starts the tray is one without a complaint of systemd's.
func TestDesktopUnit(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "systemd-analyze")
	text, err := os.ReadFile("../packaging/desktop/messngr-tray.service")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// What the package installs is not on this machine.
	unit := strings.NewReplacer("ExecStart=/usr/bin/messngr", "ExecStart=/bin/true", "Documentation=", "# ").Replace(string(text))
	path := filepath.Join(dir, "messngr-tray.service")
	if err := os.WriteFile(path, []byte(unit), 0o600); err != nil || unit == string(text) {
		t.Fatal(err)
	}
	out, err := command(labtest.Context(t, time.Minute), dir, "env", "XDG_RUNTIME_DIR="+dir, "systemd-analyze", "verify", "--user", path)
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	for _, want := range []string{"\nPartOf=graphical-session.target\n", "\nWantedBy=graphical-session.target\n", "messngr tray --min\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// The package of the windows: installed beside the other one it is found by it, it says plainly what is missing on a
// machine without a screen or without GTK, and it leaves nothing behind.
func TestDesktopPackage(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "dpkg", "rpm", "chroot")
	ctx := labtest.Context(t, 5*time.Minute)
	deb, rpm := dist(ctx, t)
	beside := func(path, pattern string) string {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(path), pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", pattern, found, err)
		}
		return found[0]
	}
	hosts := lan(t, "alpha", "beta")
	for _, c := range []struct {
		machine         *machine
		install, remove []string
	}{
		{newMachine(ctx, t, hosts[0]), []string{"dpkg", "--install", deb, beside(deb, "messngr-desktop_*.deb")}, []string{"dpkg", "--purge", "messngr-desktop"}},
		// What they need is there, but Debian's rpm does not know it.
		{newMachine(ctx, t, hosts[1]), []string{"rpm", "--install", "--nodeps", rpm, beside(rpm, "messngr-desktop-1*.rpm")}, []string{"rpm", "--erase", "messngr-desktop"}},
	} {
		m := c.machine
		m.in(ctx, t, c.install...)
		have := m.files(t)
		for _, want := range []string{"/usr/bin/messngr-desktop", "/usr/share/doc/messngr-desktop/LICENSE"} {
			if !slices.Contains(have, want) {
				t.Errorf("%s is missing", want)
			}
		}
		m.fails(ctx, t, "messngr-desktop: no display", "messngr", "popup")
		m.in(ctx, t, "sh", "-c", "rm /usr/lib/*/libgtk-3.so.0") // of the machine's own
		m.fails(ctx, t, "GTK 3 is not installed", "messngr", "popup", "--window")
		m.in(ctx, t, c.remove...)
		for _, f := range m.files(t) {
			if strings.Contains(f, "messngr-desktop") {
				t.Errorf("removing leaves %s", f)
			}
		}
		m.fails(ctx, t, "messngr-desktop is not installed", "messngr", "popup")
	}
}

// fails runs a command in the machine, which must say why it cannot do it in one line, perhaps with a hint.
func (m *machine) fails(ctx context.Context, t *testing.T, want string, args ...string) {
	t.Helper()
	out, stderr, err := m.Output(ctx, "chroot", append([]string{filepath.Join(m.Dir(), "overlay/root"), "env", "-u", "DISPLAY", "-u", "WAYLAND_DISPLAY"}, args...)...)
	if said := out + stderr; err == nil || !strings.Contains(said, want) || strings.Count(said, "\n") > 2 {
		t.Errorf("%s: %v: %q, want one line with %q", strings.Join(args, " "), err, said, want)
	}
}
