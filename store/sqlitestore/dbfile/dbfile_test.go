package dbfile_test

import (
	"errors"
	"messngr"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"messngr/store/sqlitestore/dbfile"
)

func TestPrepare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.db")
	if err := os.WriteFile(path, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := dbfile.Prepare(path); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "content" {
		t.Errorf("the database holds %q, %v", b, err)
	}
}

func TestPrepareRefuses(t *testing.T) {
	folder := t.TempDir()
	if err := dbfile.Prepare(folder); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: %v", err)
	}
	path := filepath.Join(folder, "messages.db")
	if err := os.WriteFile(path+"-wal", []byte("log"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dbfile.Prepare(path); err == nil || !strings.Contains(err.Error(), "is empty or missing") {
		t.Errorf("a log without its database: %v", err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "messages.db")
	f, err := dbfile.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := dbfile.Lock(path); err == nil || !strings.Contains(err.Error(), "another messngr") {
		t.Errorf("a second time: %v", err)
	}
	if err := dbfile.SyncFolder(path); err != nil {
		t.Error(err)
	}
	if n, err := dbfile.Free(path); err != nil || n == 0 {
		t.Errorf("free: %d, %v", n, err)
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.db")
	if _, err := dbfile.Look(path); err == nil {
		t.Error("files that are not there were found")
	}
	if err := dbfile.Prepare(path); err != nil {
		t.Fatal(err)
	}
	f, err := dbfile.Look(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Check(); err != nil {
		t.Errorf("Check = %v", err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("moved away: Check = %v, want ErrUnavailable", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("replaced: Check = %v, want ErrUnavailable", err)
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(); err != nil {
		t.Errorf("put back: Check = %v", err)
	}
}
