package sqlitestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockDatabase makes sure that one Store at a time uses the database at path.
// The lock is held by the open file, and so ends with the process at the latest;
// the file stays, because removing it would race with the next process.
func lockDatabase(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	err = tryLock(f)
	if err == nil {
		// For the person who reads the error below; nothing depends on it.
		_ = f.Truncate(0)
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		return f, nil
	}
	defer f.Close()
	if !errors.Is(err, errLocked) {
		return nil, fmt.Errorf("store: lock %s: %w", f.Name(), err)
	}
	by := ""
	if b, err := io.ReadAll(io.LimitReader(f, 32)); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			by = fmt.Sprintf(" (process %d)", pid)
		}
	}
	return nil, fmt.Errorf("store: another messngr%s uses %s", by, path)
}

// errLocked is what tryLock returns if somebody else holds the lock.
var errLocked = errors.New("locked")

// prepareFiles creates the files of the database with mode 0600, since SQLite
// would create them with the mode of the umask, and narrows those that are
// there.
func prepareFiles(path string) error {
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
