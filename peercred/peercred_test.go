package peercred_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"messngr/peercred"
)

func TestUID(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	uid, err := peercred.UID(conn)
	switch {
	case !peercred.Supported && !errors.Is(err, errors.ErrUnsupported):
		t.Errorf("UID = %d, %v; want %v", uid, err, errors.ErrUnsupported)
	case peercred.Supported && (err != nil || uid != os.Getuid()):
		t.Errorf("UID = %d, %v; want %d", uid, err, os.Getuid())
	}
	conn.Close()
	if uid, err := peercred.UID(conn); err == nil || uid != -1 {
		t.Errorf("UID of a closed connection = %d, %v; want an error", uid, err)
	}
	pipe, other := net.Pipe()
	defer pipe.Close()
	defer other.Close()
	if uid, err := peercred.UID(pipe); err == nil || uid != -1 {
		t.Errorf("UID of a pipe = %d, %v; want an error", uid, err)
	}
}
