package sqlitestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"messngr/store"
	"messngr/store/sqlitestore/dbfile"
)

// TestUpgrade opens a database of each version that there has been. A version
// that is added needs testdata of the one before it: run this test with
// MESSNGR_WRITE_FIXTURE=1 before the change.
func TestUpgrade(t *testing.T) {
	newest := len(migrations())
	if os.Getenv("MESSNGR_WRITE_FIXTURE") != "" {
		writeFixture(t, fixture(newest))
	}
	for version := 1; version <= newest; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "messages.db")
			copyFile(t, fixture(version), path)
			s, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for _, search := range []string{"", "kept", "muller"} {
				entries, err := s.Inbox(t.Context(), store.Query{Search: search})
				if err != nil || len(entries) != 1 || entries[0].Message.Text != "Kept by Müller" {
					t.Errorf("search %q finds %+v, error %v", search, entries, err)
				}
			}
			sent, err := s.Pending(t.Context())
			if err != nil || len(sent) != 1 || sent[0].Recipients[0].To != "bob" {
				t.Errorf("pending: %+v, error %v", sent, err)
			}
			if _, duplicate, err := s.Take(t.Context(), newMessage(t, "origin")); err != nil || !duplicate {
				t.Errorf("Take of a known origin: duplicate %v, error %v", duplicate, err)
			}
			if got, err := s.writer.conn.pragma("user_version"); err != nil || got != int64(newest) {
				t.Errorf("version %d, error %v; want %d", got, err, newest)
			}
		})
	}
}

// TestUpgradeToReaders holds that what a person has read in version 1, where there
// was one reader for all, is read by that person afterwards.
func TestUpgradeToReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.db")
	copyFile(t, fixture(1), path)
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Exec(`UPDATE received SET audience = 'bob', read = 5000000`), db.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for reader, want := range map[string]int64{"bob": 5, "": 5, "alice": time.Time{}.Unix()} {
		list, err := s.Inbox(t.Context(), store.Query{Reader: reader})
		if err != nil || len(list) != 1 || list[0].Read.Unix() != want {
			t.Errorf("reader %q: %+v, %v; want it read at %d", reader, list, err, want)
		}
	}
}

func fixture(version int) string {
	return filepath.Join("testdata", fmt.Sprintf("version%d.db", version))
}

// writeFixture writes a database of the newest version.
func writeFixture(t *testing.T, path string) {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "messages.db"))
	if err != nil {
		t.Fatal(err)
	}
	in := newMessage(t, "Kept by Müller")
	in.Origin = "origin"
	_, _, err = s.Take(t.Context(), in)
	err = errors.Join(err, s.Queue(t.Context(), store.Outgoing{
		Message: newMessage(t, "sent").Message, Recipients: []store.Recipient{{To: "bob"}},
	}))
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	copyFile(t, s.writer.path, path)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestMigrate goes from version to version, and fails on the way.
func TestMigrate(t *testing.T) {
	w, err := openWriter(emptyDatabase(t), "")
	if err != nil {
		t.Fatal(err)
	}
	defer w.conn.close()
	c := w.conn
	version := func(want int64) {
		t.Helper()
		if got, err := c.pragma("user_version"); err != nil || got != want {
			t.Errorf("version %d, error %v; want %d", got, err, want)
		}
	}
	base := int64(len(migrations()))
	version(base)
	next := append(migrations(), `CREATE TABLE a (x)`, `INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (1)`)
	if err := migrate(c, next); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("upgrade to version %d", base+2)) {
		t.Errorf("a migration that cannot work: %v", err)
	}
	version(base + 1) // one worked, the other left nothing behind
	if err := c.exec(`INSERT INTO a SELECT 1/0 FROM a`, nil); err != nil || c.db.Changes() != 0 {
		t.Errorf("table a has %d rows, error %v; want an empty table", c.db.Changes(), err)
	}
	if err := migrate(c, migrations()); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer database: %v, want an error that says so", err)
	}
	next[base+1] = `INSERT INTO a VALUES (1)`
	for range 2 {
		if err := migrate(c, next); err != nil {
			t.Error(err)
		}
		version(base + 2)
	}
}

// emptyDatabase returns the path of a file that is to become a database.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "messages.db")
	if err := dbfile.Prepare(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestForeignDatabase opens a database that another program made and left
// without any marks.
func TestForeignDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.db")
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Exec(`CREATE TABLE received (x)`), db.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("Open: %v, want an error that says whose it is", err)
	}
}
