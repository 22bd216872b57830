//go:build unix

package spool_test

import (
	"syscall"
	"testing"
)

// makePipe makes a pipe that nobody ever writes to.
func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}
