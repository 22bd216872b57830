package session

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixed is a Lister that knows its answer, and announces changes of it.
type fixed struct {
	mu       sync.Mutex
	sessions []Session
	err      error
	changes  chan struct{}
}

func (f *fixed) Sessions(context.Context) ([]Session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions, f.err
}

func (f *fixed) set(err error, sessions ...Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions, f.err = sessions, err
}

func (f *fixed) watch(ctx context.Context, changed func()) error {
	changed()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.changes:
			changed()
		}
	}
}

func TestMerge(t *testing.T) {
	logind := &fixed{sessions: []Session{
		{ID: "1", User: "alice", TTY: "tty1"},
		{ID: "2", User: "bob", Display: ":0"},
		{ID: "3", User: "carol"},
	}}
	utmp := &fixed{sessions: []Session{
		{User: "alice", TTY: "tty1", Remote: "10.0.0.7"},
		{User: "bob", Display: ":0"},
		{User: "alice", TTY: "pts/0"},
		{User: "dave"},
	}}
	want := []Session{
		{ID: "1", User: "alice", TTY: "tty1"},
		{ID: "2", User: "bob", Display: ":0"},
		{ID: "3", User: "carol"},
		{User: "alice", TTY: "pts/0"},
		{User: "dave"},
	}
	got, err := Merge(logind, utmp).Sessions(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}

	logind.set(fs.ErrNotExist)
	got, err = Merge(logind, utmp).Sessions(t.Context())
	if diff := cmp.Diff(utmp.sessions, got); diff != "" || err != nil {
		t.Errorf("without logind: %v, -want +got:\n%s", err, diff)
	}

	utmp.set(errors.New("broken"))
	if got, err = Merge(logind, utmp).Sessions(t.Context()); !errors.Is(err, fs.ErrNotExist) || got != nil {
		t.Errorf("without either: %v, %v, want fs.ErrNotExist", got, err)
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := &fixed{sessions: []Session{{User: "alice", TTY: "tty1"}}, changes: make(chan struct{})}
		var reports [][]Session
		var done sync.WaitGroup
		done.Go(func() { Watch(ctx, Merge(l), func(s []Session) { reports = append(reports, s) }) })
		expect := func(what string, n int) {
			t.Helper()
			synctest.Wait()
			if len(reports) != n {
				t.Fatalf("%s: %d reports, want %d: %v", what, len(reports), n, reports)
			}
		}
		expect("at the start", 1)

		l.set(nil, Session{User: "alice", TTY: "tty1", Active: time.Now()})
		l.changes <- struct{}{}
		expect("after typing", 1)

		l.set(nil, Session{User: "alice", TTY: "tty1"}, Session{User: "bob", TTY: "tty2"})
		l.changes <- struct{}{}
		expect("after an announced change", 2)

		l.set(nil, Session{User: "bob", TTY: "tty2"}, Session{User: "alice", TTY: "tty1"})
		l.changes <- struct{}{}
		expect("after a change of order", 2)

		l.set(errors.New("away"))
		time.Sleep(time.Minute)
		expect("while nobody can tell", 2)

		l.set(nil)
		time.Sleep(pollEvery)
		expect("after an unannounced change", 3)
		if len(reports[2]) != 0 {
			t.Errorf("got %v, want nobody", reports[2])
		}
		cancel()
		done.Wait()
	})
}

func TestTerminal(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"pts/3", "pts/3"}, {"/dev/tty1", "tty1"}, {"ttyS0", "ttyS0"}, {"pts/../../etc/passwd", ""}, {"", ""},
		{"/etc/passwd", ""}, {"..", ""}, {"pts/", ""}, {"a b", ""}, {"tty\x001", ""}, {"tty\n", ""}, {":0", ""},
	} {
		if got := terminal(tt.line); got != tt.want {
			t.Errorf("terminal(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}
