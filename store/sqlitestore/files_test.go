package sqlitestore_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"messngr"
	"messngr/store"
	"messngr/store/sqlitestore"
)

// filled returns the path of a closed database with n messages.
func filled(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "messages.db")
	s, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, _, err := s.Take(t.Context(), benchMessage(t, int64(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "state", "messngr")
	path := filepath.Join(dir, "messages.db")
	for _, round := range []string{"new", "again", "copied"} {
		if round == "copied" { // by somebody who did not mind the mode
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		s, err := sqlitestore.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Take(t.Context(), benchMessage(t, 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Inbox(t.Context(), store.Query{Search: "x"}); err != nil {
			t.Fatal(err)
		}
		seen := 0
		err = filepath.WalkDir(filepath.Dir(dir), func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if d.IsDir() {
				want = 0o700
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s database: %s has mode %v, want %v", round, p, got, want)
			}
			seen++
			return nil
		})
		if err != nil || seen != 7 { // two directories, database, log, index of the log, lock, ballast
			t.Errorf("%s database: %d files and directories, error %v; want 7", round, seen, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInUse(t *testing.T) {
	path := filled(t, 1)
	s, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlitestore.Open(path)
	want := fmt.Sprintf("store: another messngr (process %d) uses %s", os.Getpid(), path)
	if err == nil || err.Error() != want {
		t.Errorf("second Open: %v, want %s", err, want)
	}
	if _, _, err := s.Take(t.Context(), benchMessage(t, 2)); err != nil {
		t.Errorf("Take after a second Open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = sqlitestore.Open(path)
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// change rewrites a file.
func change(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, how(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type spoiledDatabase struct {
	name  string
	spoil func(t *testing.T, path string)
	want  string
}

// spoiled are databases that nobody can or may use, and what the error says.
func spoiled() []spoiledDatabase {
	sql := func(text string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := sqlite3.Open(path)
			if err == nil {
				err = errors.Join(db.Exec(text), db.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return []spoiledDatabase{
		{"text file", func(t *testing.T, path string) {
			change(t, path, func([]byte) []byte { return bytes.Repeat([]byte("dear diary\n"), 1000) })
		}, "damaged or no database"},
		{"zeros", func(t *testing.T, path string) {
			change(t, path, func(b []byte) []byte { return make([]byte, len(b)) })
		}, "damaged or no database"},
		{"truncated", func(t *testing.T, path string) {
			change(t, path, func(b []byte) []byte { return b[:len(b)/2] })
		}, "damaged or no database"},
		{"truncated to a piece of a page", func(t *testing.T, path string) {
			change(t, path, func(b []byte) []byte { return b[:1000] })
		}, "damaged or no database"},
		{"schema overwritten", func(t *testing.T, path string) {
			change(t, path, func(b []byte) []byte { return append(append(b[:100:100], make([]byte, 3996)...), b[4096:]...) })
		}, ""},
		{"newer", sql(`PRAGMA user_version = 1000`), "it has version 1000"},
		{"of another program", sql(`PRAGMA application_id = 1`), "another program"},
		{"empty with a log", func(t *testing.T, path string) {
			change(t, path, func([]byte) []byte { return nil })
			if err := os.WriteFile(path+"-wal", []byte("messages"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "its log"},
		{"directory", func(t *testing.T, path string) {
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, "no regular file"},
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range spoiled() {
		t.Run(tt.name, func(t *testing.T) {
			path := filled(t, 100)
			tt.spoil(t, path)
			before := sum(t, path)
			s, err := sqlitestore.Open(path)
			if err == nil {
				s.Close()
				t.Fatal("it is opened")
			}
			if text := err.Error(); !strings.Contains(text, tt.want) || !strings.Contains(text, path) {
				t.Errorf("error %q does not say %q and %s", text, tt.want, path)
			}
			if after := sum(t, path); after != before {
				t.Error("the file was changed")
			}
		})
	}
}

// sum returns something that changes with the database and its log.
func sum(t *testing.T, path string) (sum [32]byte) {
	t.Helper()
	db, err := os.ReadFile(path)
	if info, e := os.Stat(path); e == nil && info.IsDir() {
		return sum
	}
	wal, _ := os.ReadFile(path + "-wal") // none is as good as an empty one
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(append(db, wal...))
}

// TestDamageInside damages a page that Open does not read: what needs them fails
// and says so, and nothing crashes.
func TestDamageInside(t *testing.T) {
	path := filled(t, 500)
	change(t, path, func(b []byte) []byte {
		page := bytes.Index(b, []byte("Message 250")) &^ 4095
		for i := range 4096 {
			b[page+i] = 0xa5
		}
		return b
	})
	s, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Inbox(t.Context(), store.Query{Limit: 1000}); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("Inbox: %v, want ErrUnavailable", err)
	}
}

func TestStrangePaths(t *testing.T) {
	for _, name := range []string{"a b.db", "100%.db", "a?vfs=x&mode=ro#b.db", "ü.db", "file:x.db", `back\slash.db`} {
		path := filepath.Join(t.TempDir(), name)
		s, err := sqlitestore.Open(path)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: the database is somewhere else", name)
		}
	}
}

// What is written to a file that somebody has moved away is lost at the next start: it is
// refused instead, until the file is back.
func TestFileMovedAway(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows does not let anybody move an open file")
	}
	path := filled(t, 1)
	s, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	take := func(seq int64) error {
		_, _, err := s.Take(t.Context(), benchMessage(t, seq))
		return err
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := take(2); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("Take = %v, want ErrUnavailable", err)
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	if err := take(3); err != nil {
		t.Errorf("Take after it is back: %v", err)
	}
	if n, _, err := s.Counts(t.Context(), nil, ""); err != nil || n != 2 {
		t.Errorf("%d messages, %v; want 2", n, err)
	}
}
