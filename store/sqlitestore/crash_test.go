package sqlitestore_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"messngr"
	"messngr/store"
	"messngr/store/sqlitestore"
)

// crashPath in the environment makes this program the child of TestCrash.
const crashPath = "MESSNGR_TEST_CRASH_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		fmt.Fprintln(os.Stderr, takeForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// takeForEver takes messages, by several callers at once, and prints the id of
// each as soon as it is taken. It also searches, so that the index is written
// now and then.
func takeForEver(path string) error {
	s, err := sqlitestore.Open(path)
	if err != nil {
		return err
	}
	ctx := context.Background()
	errs := make(chan error)
	var print sync.Mutex
	for range 8 {
		go func() {
			for n := 0; ; n++ {
				id, err := messngr.NewID()
				if err != nil {
					errs <- err
				}
				in := store.Incoming{
					Message: &messngr.Message{ID: id, Time: time.Now(), Text: "hello " + id.String()},
					Origin:  messngr.Origin(id.String()),
				}
				if _, _, err := s.Take(ctx, in); err != nil {
					errs <- err
				}
				print.Lock()
				_, err = fmt.Println(id)
				print.Unlock()
				if err != nil {
					errs <- err
				}
			}
		}()
	}
	go func() {
		for {
			time.Sleep(10 * time.Millisecond)
			if _, err := s.Inbox(ctx, store.Query{Search: "hel"}); err != nil {
				errs <- err
			}
		}
	}()
	return <-errs
}

// TestCrash kills a process that takes messages at moments that nobody chose:
// every message that it said to have is there once afterwards.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.db")
	said := make(map[messngr.ID]bool)
	for round := range 12 {
		for _, id := range takeAndDie(t, path, time.Duration(20+rand.IntN(150))*time.Millisecond) {
			if said[id] {
				t.Errorf("message %v twice", id)
			}
			said[id] = true
		}
		checkAfterCrash(t, path, round, said)
	}
	if len(said) < 100 {
		t.Errorf("the child took %d messages, which proves little", len(said))
	}
	t.Logf("%d messages in 12 lives", len(said))
}

// takeAndDie runs the child, kills it after some time, and returns the ids that
// it printed.
func takeAndDie(t *testing.T, path string, after time.Duration) (ids []messngr.ID) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if timer == nil { // it works now
			timer = time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		id, err := messngr.ParseID(lines.Text())
		if err != nil {
			break // the line at which it died
		}
		ids = append(ids, id)
	}
	_ = child.Wait() // killed, as it has to be
	if timer == nil {
		t.Fatal("the child took nothing")
	}
	return ids
}

func checkAfterCrash(t *testing.T, path string, round int, said map[messngr.ID]bool) {
	t.Helper()
	checkIntegrity(t, path)
	s, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, search := range []string{"", "hello"} {
		there := make(map[messngr.ID]int)
		for after := int64(0); ; {
			list, err := s.Inbox(t.Context(), store.Query{After: after, Oldest: true, Limit: 10_000, Search: search})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				if e.Message.Text != "hello "+e.Message.ID.String() {
					t.Errorf("message %v says %q", e.Message.ID, e.Message.Text)
				}
				there[e.Message.ID]++
				after = e.Seq
			}
			if len(list) == 0 {
				break
			}
		}
		for id := range said {
			if there[id] != 1 {
				t.Errorf("round %d, search %q: message %v is there %d times, want once", round, search, id, there[id])
			}
		}
	}
}

// checkIntegrity has SQLite look for damage.
func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stmt, _, err := db.Prepare(`PRAGMA integrity_check`)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for stmt.Step() {
		if text := stmt.ColumnText(0); text != "ok" {
			t.Errorf("integrity: %s", text)
		}
	}
	if err := stmt.Err(); err != nil {
		t.Error(err)
	}
}
