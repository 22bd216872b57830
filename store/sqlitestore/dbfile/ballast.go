package dbfile

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
)

// Ballast is a file beside a database that does nothing but take room: while the disk is
// full, it is given up for as long as something is deleted.
type Ballast struct{ path string }

// BallastOf returns the ballast of the database at path.
func BallastOf(path string) Ballast { return Ballast{path + "-ballast"} }

// Fill makes the ballast size bytes long, or as long as there is room for. One that is
// longer stays so.
func (b Ballast) Fill(size int64) (err error) {
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil || info.Size() >= size {
		return err
	}
	free, err := Free(b.path)
	if err != nil {
		return err
	}
	more := min(size-info.Size(), int64(min(free, 1<<62)))
	if more <= 0 || allocate(f, info.Size(), more) == nil {
		return nil
	}
	// Zeros would take no room where the file system compresses.
	_, err = io.CopyN(f, rand.Reader, more)
	return err
}

// Release gives the ballast up until the next Fill, and returns how long it was.
func (b Ballast) Release() int64 {
	size := b.Size()
	if size == 0 || os.Truncate(b.path, 0) != nil {
		return 0
	}
	return size
}

// Size returns how long the ballast is; 0 if there is none.
func (b Ballast) Size() int64 {
	info, err := os.Stat(b.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Released reports whether the ballast was given up and never filled again, as a crash may
// leave it.
func (b Ballast) Released() bool {
	info, err := os.Stat(b.path)
	return err == nil && info.Size() == 0
}
