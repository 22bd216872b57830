//go:build unix

package dbfile

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// SyncFolder makes sure that the names of the files beside path are on the
// disk, without which a flush of a new file is worth nothing.
func SyncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Free returns how much an ordinary user can still write beside path.
func Free(path string) (uint64, error) {
	var fs unix.Statfs_t
	err := unix.Statfs(filepath.Dir(path), &fs)
	return uint64(max(fs.Bavail, 0)) * uint64(fs.Bsize), err
}
