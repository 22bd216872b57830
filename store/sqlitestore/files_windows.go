package sqlitestore

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// tryLock locks f, or returns errLocked. The locked byte lies far behind the
// process number, which others thus can read.
func tryLock(f *os.File) error {
	at := windows.Overlapped{Offset: 1 << 20}
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// syncDirectory does nothing: NTFS keeps the names of new files in its journal,
// and directories cannot be flushed.
func syncDirectory(string) error { return nil }

// freeBytes returns how much this user can still write beside path.
func freeBytes(path string) (free uint64, err error) {
	dir, err := windows.UTF16PtrFromString(filepath.Dir(path))
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(dir, &free, nil, nil)
	return free, err
}
