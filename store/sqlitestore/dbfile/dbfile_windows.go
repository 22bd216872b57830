package dbfile

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// SyncFolder does nothing: NTFS keeps the names of new files in its journal,
// and directories cannot be flushed.
func SyncFolder(string) error { return nil }

// Free returns how much this user can still write beside path.
func Free(path string) (free uint64, err error) {
	dir, err := windows.UTF16PtrFromString(filepath.Dir(path))
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(dir, &free, nil, nil)
	return free, err
}
