package sqlitestore

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

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
