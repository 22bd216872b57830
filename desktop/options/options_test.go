package options_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/desktop/options"
)

func TestPath(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/messngr/desktop.toml"},
		{map[string]string{"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/messngr/desktop.toml"},
		{map[string]string{"HOME": "/h"}, "/h/.config/messngr/desktop.toml"},
		{nil, ""},
	} {
		if got := options.Path(func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.env, got, tt.want)
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "desktop.toml")
	got, err := options.Load(path)
	if d := cmp.Diff(options.Default(), got); err != nil || d != "" {
		t.Errorf("without a file: %v\n%s", err, d)
	}
	want := options.Options{AlwaysOnTop: true, Remember: true, Recipients: []string{"MÜLLER", `a "b" \c`}}
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err = options.Load(path)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want mode %v", name, info.Mode(), err, mode)
		}
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/.*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestLoadWrongFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "desktop.toml")
	for _, text := range []string{"sound = 3\n", "no toml", "colour = 'red'\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := options.Load(path)
		if d := cmp.Diff(options.Default(), got); err == nil || d != "" {
			t.Errorf("%q: %v\n%s", text, err, d)
		}
	}
}

func TestSaveFails(t *testing.T) {
	o := options.Default()
	if err := o.Save(""); err == nil {
		t.Error("saved without a home")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Save(file + "/desktop.toml"); err == nil {
		t.Error("saved below a file")
	}
}

func TestUse(t *testing.T) {
	o := options.Default()
	o.Use("A", "B")
	o.Use("C", "a")
	if want := []string{"C", "a", "B"}; !slices.Equal(o.Recipients, want) {
		t.Errorf("got %q, want %q", o.Recipients, want)
	}
	for i := range 50 {
		o.Use(fmt.Sprint(i))
	}
	if len(o.Recipients) != 20 || o.Recipients[0] != "49" {
		t.Errorf("got %d, the first %q", len(o.Recipients), o.Recipients[0])
	}
	o.Remember = false
	o.Use("X")
	if o.Recipients[0] != "49" {
		t.Error("it remembers, which was switched off")
	}
}
