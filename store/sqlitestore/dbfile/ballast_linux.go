package dbfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// allocate makes f longer by room that is taken on the disk. Not every file system can.
func allocate(f *os.File, from, length int64) error {
	return unix.Fallocate(int(f.Fd()), 0, from, length)
}
