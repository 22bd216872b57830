// Package options keeps what a person has chosen in the window's options, and
// the recipients that were written to, in one file of the person's own.
package options

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxRecipients is how many recipients are remembered.
const maxRecipients = 20

// Options is what a person can choose.
type Options struct {
	Sound       bool `toml:"sound" comment:"play a sound when a message arrives"`
	AlwaysOnTop bool `toml:"always_on_top" comment:"keep the window above all others"`
	PopUp       bool `toml:"pop_up" comment:"bring the window to the front when a message arrives"`
	Quote       bool `toml:"quote" comment:"begin a reply with the message"`
	Remember    bool `toml:"remember" comment:"remember whom messages were sent to"`
	// Recipients are those that were written to, the last one first.
	Recipients []string `toml:"recipients"`
}

// Default is what holds before anything was chosen.
func Default() Options {
	return Options{Sound: true, PopUp: true, Remember: true, Recipients: []string{}}
}

// Path is where the file is, as the XDG Base Directory Specification says; ""
// if the person has no home.
func Path(getenv func(string) string) string {
	const file = "messngr/desktop.toml"
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, file)
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".config", file)
	}
	return ""
}

// Load reads the file. If there is none, or it cannot be read, it returns the
// defaults; a file that is there and is wrong is an error as well.
func Load(path string) (Options, error) {
	o := Default()
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return o, err
	}
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return Default(), fmt.Errorf("%s: %w", path, err)
	}
	o.Recipients = o.Recipients[:min(len(o.Recipients), maxRecipients)]
	return o, nil
}

// Save writes the file so that there is always a whole one, which only the
// person can read.
func (o *Options) Save(path string) error {
	if path == "" {
		return errors.New("there is no home directory")
	}
	b, err := toml.Marshal(o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".desktop-*.toml")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // nothing else can be done about it
	}
	return err
}

// Use remembers recipients, the first one as the last that was written to.
func (o *Options) Use(names ...string) {
	if !o.Remember {
		return
	}
	for _, n := range slices.Backward(names) {
		o.Recipients = slices.DeleteFunc(o.Recipients, func(known string) bool { return strings.EqualFold(known, n) })
		o.Recipients = slices.Insert(o.Recipients, 0, n)
	}
	o.Recipients = o.Recipients[:min(len(o.Recipients), maxRecipients)]
}
