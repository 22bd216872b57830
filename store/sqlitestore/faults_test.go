package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"messngr"
	"messngr/store"
)

// faults is a disk that can be full or broken.
type faults struct {
	vfs.VFS
	full, noSync atomic.Bool
	syncs        atomic.Int64
	// crowded is a file; while something is in it, no other file can grow.
	crowded atomic.Pointer[string]
}

type faultyFile struct {
	vfs.File
	disk *faults
}

func (d *faults) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpen(d.VFS, name, flags)
	return &faultyFile{f, d}, flags, err
}

func (d *faults) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &faultyFile{f, d}, flags, err
}

func (f *faultyFile) Unwrap() vfs.File { return f.File }

func (f *faultyFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if f.disk.full.Load() {
		return 0, sqlite3.FULL
	}
	if path := f.disk.crowded.Load(); path != nil {
		ballast, err := os.Stat(*path)
		if size, _ := f.File.Size(); err == nil && ballast.Size() > 0 && off+int64(len(p)) > size {
			return 0, sqlite3.FULL
		}
	}
	return f.File.WriteAt(p, off)
}

func (f *faultyFile) Sync(flags vfs.SyncFlag) error {
	f.disk.syncs.Add(1)
	if f.disk.noSync.Load() {
		return sqlite3.IOERR_FSYNC
	}
	return f.File.Sync(flags)
}

// openFaulty opens a new store on a disk with faults.
func openFaulty(t *testing.T) (*Store, *faults, string) {
	t.Helper()
	disk := &faults{VFS: vfs.Find("")}
	vfs.Register(t.Name(), disk)
	t.Cleanup(func() { vfs.Unregister(t.Name()) })
	path := filepath.Join(t.TempDir(), "messages.db")
	s, err := open(path, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	return s, disk, path
}

func newMessage(t *testing.T, text string) store.Incoming {
	t.Helper()
	id, err := messngr.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return store.Incoming{Message: &messngr.Message{ID: id, Time: time.Now(), Text: text}, Origin: messngr.Origin(text)}
}

func TestDiskFaults(t *testing.T) {
	for name, fault := range map[string]func(*faults) *atomic.Bool{
		"full":    func(d *faults) *atomic.Bool { return &d.full },
		"no sync": func(d *faults) *atomic.Bool { return &d.noSync },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			s, disk, path := openFaulty(t)
			var kept []store.Incoming
			take := func(text string) error {
				in := newMessage(t, text)
				_, _, err := s.Take(ctx, in)
				if err == nil {
					kept = append(kept, in)
				}
				return err
			}
			if err := take("before"); err != nil {
				t.Fatal(err)
			}
			for round := range 3 {
				fault(disk).Store(true)
				takeAtOnce(t, s, fmt.Sprint("in round ", round))
				if _, err := s.Mark(ctx, store.Read, "", time.Now(), kept[0].Message.ID); !errors.Is(err, messngr.ErrUnavailable) {
					t.Errorf("Mark: %v, want ErrUnavailable", err)
				}
				if n, _, err := s.Counts(ctx, nil, ""); err != nil || n != len(kept) {
					t.Errorf("Counts with a fault: %d, %v; want %d", n, err, len(kept))
				}
				fault(disk).Store(false)
				if err := take(fmt.Sprint("after round ", round)); err != nil {
					t.Errorf("Take after the fault is gone: %v", err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			checkKept(t, path, kept)
		})
	}
}

// On a full disk, somebody can make room by deleting messages, and others are taken then.
func TestDeleteOnFullDisk(t *testing.T) {
	s, disk, path := openFaulty(t)
	ctx, ballast := t.Context(), path+"-ballast"
	take := func(text string) (messngr.ID, error) {
		in := newMessage(t, text+strings.Repeat(" long", 1000))
		_, _, err := s.Take(ctx, in)
		return in.Message.ID, err
	}
	var kept []messngr.ID
	for i := range 50 {
		id, err := take(fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, id)
	}
	before, err := os.Stat(ballast)
	if err != nil {
		t.Fatal(err)
	}
	disk.crowded.Store(&ballast)
	for round := range 3 {
		for i := 0; ; i++ {
			id, err := take(fmt.Sprint("round ", round, ", ", i))
			if errors.Is(err, messngr.ErrUnavailable) && (i >= 5 || round == 0) {
				break
			}
			if err != nil || i > 500 {
				t.Fatalf("round %d: message %d is taken with the error %v", round, i, err)
			}
			kept = append(kept, id)
		}
		if _, err := s.Mark(ctx, store.Discarded, "alice", time.Now(), kept[0]); err != nil {
			t.Errorf("round %d: discard: %v", round, err)
		}
		if n, err := s.Delete(ctx, kept[:10]...); err != nil || n != 10 {
			t.Fatalf("round %d: delete: %d, %v", round, n, err)
		}
		kept = kept[10:]
		if after, err := os.Stat(ballast); err != nil || after.Size() < before.Size()-2<<20 {
			t.Errorf("round %d: the ballast is %v, %v", round, after, err)
		}
	}
	disk.crowded.Store(nil)
	for i := range 50 {
		id, err := take(fmt.Sprint("there is room again ", i))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, id)
	}
	if n, _, err := s.Counts(ctx, nil, ""); err != nil || n != len(kept) {
		t.Errorf("%d messages, %v; want %d", n, err, len(kept))
	}
	if err := integrity(s); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenOnFullDisk(t *testing.T) {
	s, disk, path := openFaulty(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	disk.full.Store(true)
	if _, err := open(path, t.Name()); err == nil || !strings.Contains(err.Error(), "no room on the disk") {
		t.Errorf("error %v, want that there is no room", err)
	}
	disk.full.Store(false)
	s, err := open(path, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// takeAtOnce has several callers take a message, which has to fail for each.
func takeAtOnce(t *testing.T, s *Store, text string) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 8 {
		in := newMessage(t, fmt.Sprint(text, " by ", i))
		wg.Go(func() {
			if _, _, err := s.Take(context.Background(), in); !errors.Is(err, messngr.ErrUnavailable) {
				t.Errorf("Take with a fault: %v, want ErrUnavailable", err)
			}
		})
	}
	wg.Wait()
}

// checkKept opens the database anew and compares what is in it.
func checkKept(t *testing.T, path string, want []store.Incoming) {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	entries, err := s.Inbox(t.Context(), store.Query{Oldest: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Message.Text)
	}
	var texts []string
	for _, in := range want {
		texts = append(texts, in.Message.Text)
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", texts) {
		t.Errorf("kept %q, want %q", got, texts)
	}
	if err := integrity(s); err != nil {
		t.Error(err)
	}
}

// integrity has SQLite look for damage.
func integrity(s *Store) error {
	return s.read(context.Background(), func(c *conn) error {
		return c.query(`PRAGMA integrity_check`, nil, func(r *row) error {
			if text := r.text(); text != "ok" {
				return errors.New(text)
			}
			return nil
		})
	})
}

// TestFlushes counts flushes: one before each Take returns, but one for all who
// wait, and none for a duplicate.
func TestFlushes(t *testing.T) {
	s, disk, _ := openFaulty(t)
	defer s.Close()
	flushes := func(do func()) int64 {
		before := disk.syncs.Load()
		do()
		return disk.syncs.Load() - before
	}
	take := func(in store.Incoming) {
		if _, _, err := s.Take(t.Context(), in); err != nil {
			t.Error(err)
		}
	}
	first := newMessage(t, "first")
	take(first)
	for i := range 5 {
		if n := flushes(func() { take(newMessage(t, fmt.Sprint(i))) }); n != 1 {
			t.Errorf("a Take makes %d flushes, want 1", n)
		}
	}
	if n := flushes(func() { take(first) }); n != 0 {
		t.Errorf("a duplicate makes %d flushes, want 0", n)
	}
	// While the writer is busy, the others come together.
	n := flushes(func() {
		started, goOn := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = s.write(t.Context(), func(*writer) error { close(started); <-goOn; return nil })
		})
		<-started
		for i := range 50 {
			in := newMessage(t, fmt.Sprint("together ", i))
			wg.Go(func() { take(in) })
		}
		for s.waiting() < 50 {
			time.Sleep(time.Millisecond)
		}
		close(goOn)
		wg.Wait()
	})
	if n != 1 {
		t.Errorf("50 Takes that wait together make %d flushes, want 1", n)
	}
}

// TestIndexWithFailure has a search bring its index up to date in the same
// transaction as a write that fails: the search finds what is there all the same.
func TestIndexWithFailure(t *testing.T) {
	s, _, _ := openFaulty(t)
	defer s.Close()
	in := newMessage(t, "findable")
	if _, _, err := s.Take(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	started, goOn := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.write(t.Context(), func(*writer) error { close(started); <-goOn; return nil })
	})
	<-started
	again := newMessage(t, "with the id of another")
	again.Message.ID = in.Message.ID
	wg.Go(func() {
		found, err := s.Inbox(t.Context(), store.Query{Search: "findable"})
		if err != nil || len(found) != 1 {
			t.Errorf("found %d messages, error %v; want 1", len(found), err)
		}
	})
	for s.waiting() < 1 {
		time.Sleep(time.Millisecond)
	}
	wg.Go(func() {
		if _, _, err := s.Take(t.Context(), again); err == nil {
			t.Error("a message is taken with the id of another")
		}
	})
	for s.waiting() < 2 {
		time.Sleep(time.Millisecond)
	}
	close(goOn)
	wg.Wait()
}

// waiting returns how many writes wait for the writer.
func (s *Store) waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.waiting)
}

// TestWithdraw ends the context of a Take that waits: it is not taken, and those
// who wait with it are.
func TestWithdraw(t *testing.T) {
	s, _, _ := openFaulty(t)
	defer s.Close()
	started, goOn := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.write(t.Context(), func(*writer) error { close(started); <-goOn; return nil })
	})
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 1)
	in, other := newMessage(t, "withdrawn"), newMessage(t, "stays")
	wg.Go(func() { _, _, err := s.Take(ctx, in); errs <- err })
	wg.Go(func() {
		if _, _, err := s.Take(t.Context(), other); err != nil {
			t.Error(err)
		}
	})
	for s.waiting() < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("Take: %v, want context.Canceled", err)
	}
	close(goOn)
	wg.Wait()
	if _, err := s.Entry(t.Context(), in.Message.ID, ""); !errors.Is(err, messngr.ErrNotFound) {
		t.Errorf("the withdrawn message: %v, want ErrNotFound", err)
	}
	if _, err := s.Entry(t.Context(), other.Message.ID, ""); err != nil {
		t.Errorf("the other message: %v", err)
	}
}
