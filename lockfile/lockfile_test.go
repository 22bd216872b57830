package lockfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"messngr/lockfile"
)

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lockfile.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockfile.Take(path)
	held, ok := errors.AsType[*lockfile.HeldError](err)
	if !ok || held.PID != os.Getpid() {
		t.Errorf("second Take: %v, want that process %d holds it", err, os.Getpid())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockfile.Take(path)
	if err != nil {
		t.Fatalf("Take after Close: %v", err)
	}
	defer again.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the lock is %v, %v; want it closed to others", info.Mode(), err)
	}
}

func TestNoFolder(t *testing.T) {
	if f, err := lockfile.Take(filepath.Join(t.TempDir(), "none", "lock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Take = %v, %v, want fs.ErrNotExist", f, err)
	}
}
