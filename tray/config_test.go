package tray

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr"
)

func TestConfig(t *testing.T) {
	c := Defaults()
	if err := c.check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.PopUp = "loud" }, func(c *Config) { c.BreakThrough = "" }, func(c *Config) { c.Locked = "yes" },
		func(c *Config) { c.AtOnce = 0 }, func(c *Config) { c.AtOnce = 21 }, func(c *Config) { c.PerMinute = 0 },
	} {
		bad := Defaults()
		change(&bad)
		if bad.check() == nil {
			t.Errorf("%+v is good", bad)
		}
	}
	sounds := map[messngr.Level]string{
		messngr.LevelInfo: c.Info, messngr.LevelNotice: c.Notice, messngr.LevelUrgent: c.Urgent, messngr.LevelEmergency: c.Emergency,
	}
	for level, want := range sounds {
		if got := c.sound(level); got != want || want == "" {
			t.Errorf("%v sounds like %q, want %q", level, got, want)
		}
	}
	c.Sound = false
	if got := c.sound(messngr.LevelEmergency); got != "" {
		t.Errorf("without sound it sounds like %q", got)
	}
}

// The reference file that the packages bring is the program's own, and is right
// with every key uncommented.
func TestReferenceFile(t *testing.T) {
	want, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	const file = "../packaging/desktop/tray.toml"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date (UPDATE=1 writes it anew), -want +got:\n%s", file, diff)
	}
	home := t.TempDir()
	if err := os.MkdirAll(home+"/messngr", 0o700); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#([a-z_]+ =)`).ReplaceAllString(string(got), "$1")
	if err := os.WriteFile(home+"/messngr/tray.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(func(key string) string { return map[string]string{"XDG_CONFIG_HOME": home}[key] })
	if diff := cmp.Diff(Defaults(), c); err != nil || diff != "" || strings.Count(text, "\n") < 15 {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestFolders(t *testing.T) {
	env := map[string]string{"HOME": "/home/a", "XDG_CONFIG_DIRS": "/x:relative:/y"}
	getenv := func(key string) string { return env[key] }
	if diff := cmp.Diff([]string{"/home/a/.config", "/x", "/y"}, configDirs(getenv)); diff != "" {
		t.Error(diff)
	}
	env = map[string]string{"XDG_CONFIG_HOME": "/c", "HOME": "relative"}
	if diff := cmp.Diff([]string{"/c", "/etc/xdg"}, configDirs(getenv)); diff != "" {
		t.Error(diff)
	}
	env = nil
	if err := disturbFile(getenv).set(true); err == nil {
		t.Error("something was remembered without a home")
	}
	if p := progressFile(getenv); p.path != "" || p.save(7) != nil || p.load() != 0 {
		t.Errorf("%+v", p)
	}
}
