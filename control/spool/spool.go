// Package spool keeps messages that are to be handed over to the service while it
// does not answer.
package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"messngr"
	"messngr/control"
)

const (
	// maxSpooled is how many messages wait at the most.
	maxSpooled = 1000
	// maxSpoolFile is the largest file that is read, in bytes: the longest text, in
	// base64, and what stands around it.
	maxSpoolFile = 2*messngr.MaxText + 64<<10
	spoolSuffix  = ".json"
)

// A Spool is a folder in which messages wait that are handed over while the service
// does not answer: one file for each, named by its id. Folder and files belong to the
// user who hands over, and nobody else but root can open them.
type Spool struct {
	root *os.Root
}

// Open opens the folder. It is an error if it belongs to somebody else than this
// user, unless that is root, or if others may open it; and fs.ErrNotExist if there is
// none.
func Open(folder string) (*Spool, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	info, err := root.Stat(".")
	if err == nil {
		err = private(info)
	}
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("spool %s: %w", folder, err)
	}
	return &Spool{root}, nil
}

// private reports why the folder cannot be trusted to hold what its owner put there.
func private(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others may open it (mode %#o), want 0700", mode)
	}
	if owner, ok := ownerOf(info); ok && os.Getuid() != 0 && owner != os.Getuid() {
		return fmt.Errorf("it belongs to user %d, this is user %d", owner, os.Getuid())
	}
	return nil
}

// Make makes the folder for a user, if it is not there.
func Make(folder string, uid int) error {
	if _, err := os.Lstat(folder); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("spool: %w", err)
	}
	if uid == os.Getuid() {
		return nil
	}
	if err := os.Lchown(folder, uid, -1); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Close closes the folder.
func (s *Spool) Close() error { return s.root.Close() }

// Put keeps a message until Remove. When it returns without error the message is on
// stable storage. Messages that are too many are an error.
func (s *Spool) Put(r control.InjectRequest) error {
	waiting, err := s.list()
	if err != nil {
		return err
	}
	if len(waiting) >= maxSpooled {
		return fmt.Errorf("spool: %d messages wait already", len(waiting))
	}
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	temporary, final := "."+r.ID.String(), r.ID.String()+spoolSuffix
	err = s.write(temporary, body)
	if err == nil {
		err = s.root.Rename(temporary, final)
	}
	if err == nil {
		err = s.sync()
	}
	if err != nil {
		_ = s.root.Remove(temporary)
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

func (s *Spool) write(name string, body []byte) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Sync(), f.Close())
}

// sync makes what happened to the folder durable.
func (s *Spool) sync() error {
	folder, err := s.root.Open(".")
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// Drain calls hand for each message that waits for longer than age, the oldest first,
// and removes those for which the answer is final. It returns how many those are, and
// the first error of hand: what could not be handed over waits on. A file that is no
// message is removed.
func (s *Spool) Drain(ctx context.Context, age time.Duration, hand func(context.Context, control.InjectRequest) (control.InjectAnswer, error)) (int, error) {
	waiting, err := s.list()
	if err != nil {
		return 0, err
	}
	final := 0
	var failed error
	for _, w := range waiting {
		if ctx.Err() != nil || errors.Is(failed, control.ErrNoService) {
			break
		}
		// What comes from the future was written before the clock was set back.
		if waits := time.Since(w.ModTime()); waits >= 0 && waits < age {
			continue
		}
		var declined *control.Error
		r, err := s.read(w.Name())
		if err == nil {
			_, err = hand(ctx, r)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // another one was faster
		case err == nil, errors.Is(err, errNoMessage), errors.As(err, &declined) && declined.Code == "bad_request":
			final++
			if err := s.remove(w.Name()); err != nil {
				return final, err
			}
		}
		if failed == nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
		}
	}
	return final, failed
}

// errNoMessage says that a file in the folder is not what Put wrote.
var errNoMessage = errors.New("no message")

func (s *Spool) read(name string) (control.InjectRequest, error) {
	// Opened without waiting, so that a pipe in its place holds nobody up.
	f, err := s.root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return control.InjectRequest{}, fmt.Errorf("spool: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return control.InjectRequest{}, fmt.Errorf("spool: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSpoolFile {
		return control.InjectRequest{}, fmt.Errorf("spool: %s: %w", name, errNoMessage)
	}
	body, err := io.ReadAll(io.LimitReader(f, maxSpoolFile))
	if err != nil {
		return control.InjectRequest{}, fmt.Errorf("spool: %w", err)
	}
	var r control.InjectRequest
	if err := json.Unmarshal(body, &r); err != nil || r.ID.String()+spoolSuffix != name {
		return control.InjectRequest{}, fmt.Errorf("spool: %s: %w", name, errNoMessage)
	}
	return r, nil
}

// Remove removes a message; one that is not there is no error.
func (s *Spool) Remove(id messngr.ID) error { return s.remove(id.String() + spoolSuffix) }

func (s *Spool) remove(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// list returns the files of messages, the oldest first: ids begin with a time.
func (s *Spool) list() ([]fs.FileInfo, error) {
	folder, err := s.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer folder.Close()
	all, err := folder.Readdir(2 * maxSpooled)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("spool: %w", err)
	}
	all = slices.DeleteFunc(all, func(f fs.FileInfo) bool {
		return !f.Mode().IsRegular() || !strings.HasSuffix(f.Name(), spoolSuffix)
	})
	slices.SortFunc(all, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}
