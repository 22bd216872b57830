// Package dbfile takes care of the files of a database: of who uses them, who can read
// them, and what outlives a power cut.
package dbfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"messngr"
	"messngr/lockfile"
)

// Lock makes sure that one process at a time uses the database at path. The lock is
// held until the file that it returns is closed.
func Lock(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	f, err := lockfile.Take(path + ".lock")
	if held, ok := errors.AsType[*lockfile.HeldError](err); ok {
		return nil, fmt.Errorf("store: another messngr (process %d) uses %s", held.PID, path)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return f, nil
}

// Prepare creates the files of the database with mode 0600, since SQLite
// would create them with the mode of the umask, and narrows those that are
// there. It refuses a log whose database is missing.
func Prepare(path string) error {
	db, err := os.Stat(path)
	switch {
	case err == nil && !db.Mode().IsRegular():
		return fmt.Errorf("store: %s is no regular file", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("store: %w", err)
	}
	// SQLite would throw away the log of a database that has no content. A
	// crash never leaves that behind, but a careless copy may.
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 && (db == nil || db.Size() == 0) {
		return fmt.Errorf("store: %s is empty or missing, but its log %s-wal is not: "+
			"put the database back, or move the log away", path, path)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		err = errors.Join(narrow(f), f.Close())
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

// narrow takes the file away from everybody but its owner.
func narrow(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return f.Chmod(0o600)
}

// Files are the files of a database that is open.
type Files struct {
	names []string
	infos []fs.FileInfo
}

// Look remembers the files of the database at path, which have to be there.
func Look(path string) (Files, error) {
	f := Files{names: []string{path, path + "-wal"}}
	for _, name := range f.names {
		info, err := os.Stat(name)
		if err != nil {
			return Files{}, fmt.Errorf("store: %w", err)
		}
		f.infos = append(f.infos, info)
	}
	return f, nil
}

// Check returns a messngr.ErrUnavailable if one of the files is gone or another has taken
// its place: what is written then would be lost with the last who has it open.
func (f Files) Check() error {
	for i, name := range f.names {
		info, err := os.Stat(name)
		if err != nil || !os.SameFile(info, f.infos[i]) {
			return fmt.Errorf("store: %s was moved, removed or replaced while it was open; put it back, or restart the service: %w",
				name, messngr.ErrUnavailable)
		}
	}
	return nil
}
