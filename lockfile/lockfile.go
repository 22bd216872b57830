// Package lockfile makes sure that one process at a time uses something, such as a
// database or the path of a socket.
package lockfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// HeldError says that another process holds a lock.
type HeldError struct {
	// PID is that process; 0 if it does not tell.
	PID int
}

// Error implements error.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return "another process holds the lock"
	}
	return fmt.Sprintf("process %d holds the lock", e.PID)
}

// Take opens the file at path, which it makes if there is none, with mode 0600, and
// locks it. The lock is held until the file is closed, and so ends with the process
// at the latest; the file stays, because removing it would race with the next
// process. It fails with a *HeldError at once if another process has the lock, or
// this one by another call.
func Take(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = tryLock(f)
	if err == nil {
		// For whoever reads a HeldError; nothing depends on it.
		_ = f.Truncate(0)
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		return f, nil
	}
	defer f.Close()
	if !errors.Is(err, errLocked) {
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	held := new(HeldError)
	if b, err := io.ReadAll(io.LimitReader(f, 32)); err == nil {
		held.PID, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	return nil, held
}

// errLocked is what tryLock returns if somebody else holds the lock.
var errLocked = errors.New("locked")
