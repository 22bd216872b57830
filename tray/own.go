package tray

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of one person: whether to disturb, and what was shown already.

// disturb is the file that exists while nobody is to be disturbed.
type disturb struct{ path string }

func disturbFile(getenv func(string) string) disturb {
	if dir := ownDir(getenv, "XDG_CONFIG_HOME", ".config"); dir != "" {
		return disturb{filepath.Join(dir, "messngr", "do-not-disturb")}
	}
	return disturb{}
}

// off reports whether the person does not want to be disturbed.
func (d disturb) off() bool {
	if d.path == "" {
		return false
	}
	_, err := os.Stat(d.path)
	return err == nil
}

// set makes the file, or removes it.
func (d disturb) set(quiet bool) error {
	switch {
	case d.path == "":
		return errors.New("there is no home directory to remember it in")
	case !quiet:
		if err := os.Remove(d.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(d.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// progress remembers how far messages were shown, so that the next session
// shows what came in between and nothing twice.
type progress struct{ path string }

// progressFile is a file for each machine: a home may be on several, and each
// numbers its own messages.
func progressFile(getenv func(string) string) progress {
	dir := ownDir(getenv, "XDG_STATE_HOME", filepath.Join(".local", "state"))
	host, err := os.Hostname()
	if dir == "" || err != nil || filepath.Base(host) != host {
		return progress{}
	}
	return progress{filepath.Join(dir, "messngr", "tray-"+host+".json")}
}

type progressContent struct {
	Shown int64 `json:"shown"` // the number of the last message
}

// load returns the number of the last message that was shown; 0 if none was, or
// if nobody remembers.
func (p progress) load() int64 {
	var c progressContent
	b, err := os.ReadFile(p.path)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return 0
	}
	return max(c.Shown, 0)
}

func (p progress) save(shown int64) error {
	if p.path == "" {
		return nil
	}
	b, err := json.Marshal(progressContent{shown})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return err
	}
	// A new file takes the place of the old one, so that there is always a
	// whole one.
	fresh := fmt.Sprintf("%s.%d", p.path, os.Getpid())
	if err := os.WriteFile(fresh, append(b, '\n'), 0o600); err != nil {
		return err
	}
	if err := os.Rename(fresh, p.path); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return nil
}
