//go:build unix

package sqlitestore

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// syncDirectory makes sure that the names of the files beside path are on the
// disk, without which a flush of a new file is worth nothing.
func syncDirectory(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// freeBytes returns how much an ordinary user can still write beside path.
func freeBytes(path string) (uint64, error) {
	var fs unix.Statfs_t
	err := unix.Statfs(filepath.Dir(path), &fs)
	return uint64(max(fs.Bavail, 0)) * uint64(fs.Bsize), err
}
