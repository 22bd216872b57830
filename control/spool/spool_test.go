package spool_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
	"messngr/control/spool"
)

// newSpool is a spool of this user in a new folder.
func newSpool(t *testing.T) (*spool.Spool, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "spool", "messngr")
	if err := spool.Make(folder, os.Getuid()); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, folder
}

// drain hands everything to a service that answers with err, and returns what it got.
func drain(t *testing.T, s *spool.Spool, err error) (texts []string, final int, failed error) {
	t.Helper()
	final, failed = s.Drain(t.Context(), 0, func(_ context.Context, r control.InjectRequest) (control.InjectAnswer, error) {
		texts = append(texts, string(r.Text))
		return control.InjectAnswer{}, err
	})
	return texts, final, failed
}

func TestSpool(t *testing.T) {
	s, folder := newSpool(t)
	var put []control.InjectRequest
	for i := range 3 {
		r := injectRequest(t)
		r.Text = fmt.Appendf(nil, "text %d", i)
		put = append(put, r)
		if err := s.Put(r); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // ids are ordered by milliseconds
	}
	if err := spool.Make(folder, os.Getuid()); err != nil {
		t.Errorf("Make of what is there: %v", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 3 {
		t.Fatalf("the folder holds %v, %v, want 3 files", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, %v, want 0600", e.Name(), info.Mode(), err)
		}
	}
	// Nobody answers: everything waits on, and only one attempt is made.
	if texts, final, err := drain(t, s, control.ErrNoService); len(texts) != 1 || final != 0 || !errors.Is(err, control.ErrNoService) {
		t.Errorf("without a service %q were tried, %d final, %v", texts, final, err)
	}
	// The service is busy: everything waits on.
	if texts, final, err := drain(t, s, &control.Error{Code: "busy"}); len(texts) != 3 || final != 0 || err == nil {
		t.Errorf("with a busy service %q were tried, %d final, %v", texts, final, err)
	}
	if err := s.Remove(put[1].ID); err != nil {
		t.Error(err)
	}
	if err := s.Remove(put[1].ID); err != nil {
		t.Errorf("Remove of nothing: %v", err)
	}
	var got []control.InjectRequest
	final, err := s.Drain(t.Context(), 0, func(_ context.Context, r control.InjectRequest) (control.InjectAnswer, error) {
		got = append(got, r)
		return control.InjectAnswer{}, nil
	})
	if diff := cmp.Diff([]control.InjectRequest{put[0], put[2]}, got); diff != "" || final != 2 || err != nil {
		t.Errorf("Drain = %d, %v (-want +got):\n%s", final, err, diff)
	}
	if texts, _, err := drain(t, s, nil); len(texts) != 0 || err != nil {
		t.Errorf("afterwards %q waited, %v", texts, err)
	}
}

// What is young is left to whoever is handing it over.
func TestSpoolLeavesTheYoung(t *testing.T) {
	s, _ := newSpool(t)
	if err := s.Put(injectRequest(t)); err != nil {
		t.Fatal(err)
	}
	final, err := s.Drain(t.Context(), time.Hour, func(context.Context, control.InjectRequest) (control.InjectAnswer, error) {
		t.Error("a young message was handed over")
		return control.InjectAnswer{}, nil
	})
	if final != 0 || err != nil {
		t.Errorf("Drain = %d, %v", final, err)
	}
}

// What is no message is neither handed over nor in the way of those that are.
// A message does not wait until a clock that was set back comes to where it was.
func TestSpoolOfTheFuture(t *testing.T) {
	s, folder := newSpool(t)
	r := injectRequest(t)
	if err := s.Put(r); err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(1000 * time.Hour)
	if err := os.Chtimes(filepath.Join(folder, r.ID.String()+".json"), future, future); err != nil {
		t.Fatal(err)
	}
	if texts, final, err := drain(t, s, nil); len(texts) != 1 || final != 1 || err != nil {
		t.Errorf("%q were handed over, %d final, %v; want one", texts, final, err)
	}
}

func TestSpoolRubbish(t *testing.T) {
	s, folder := newSpool(t)
	good := injectRequest(t)
	if err := s.Put(good); err != nil {
		t.Fatal(err)
	}
	name := func() string { return filepath.Join(folder, injectRequest(t).ID.String()+".json") }
	secret := filepath.Join(t.TempDir(), "secret")
	for path, content := range map[string]string{
		secret: `{"text":"c2VjcmV0"}`, name(): "", name(): `{"id":"x"}`, name(): `{"text":"aGVsbG8="}`,
		filepath.Join(folder, "notes.txt"): "mine", filepath.Join(folder, ".half"): `{"`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(secret, name()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name(), 0o700); err != nil {
		t.Fatal(err)
	}
	huge, err := os.Create(name())
	if err == nil {
		err = errors.Join(huge.Truncate(1<<30), huge.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	makePipe(t, name())
	if texts, _, _ := drain(t, s, nil); !slices.Equal(texts, []string{string(good.Text)}) {
		t.Errorf("handed over %q, want the one message", texts)
	}
	if texts, final, err := drain(t, s, nil); len(texts) != 0 || final != 0 || err != nil {
		t.Errorf("then %q, %d, %v, want that nothing is left", texts, final, err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && filepath.Ext(path) == ".json" {
			t.Errorf("%s is still there", path)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "notes.txt")); err != nil {
		t.Errorf("a file of somebody else: %v", err)
	}
	if _, err := os.Stat(secret); err != nil {
		t.Errorf("what a link points to: %v", err)
	}
}

func TestOpenSpool(t *testing.T) {
	_, folder := newSpool(t)
	if err := os.Chmod(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	if s, err := spool.Open(folder); err == nil {
		s.Close()
		t.Error("a folder that others can read was opened")
	}
	if _, err := spool.Open(filepath.Join(folder, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing = %v, want ErrNotExist", err)
	}
	if os.Getuid() == 0 {
		other := filepath.Join(t.TempDir(), "other")
		if err := spool.Make(other, 65534); err != nil {
			t.Fatal(err)
		}
		s, err := spool.Open(other)
		if err != nil {
			t.Fatalf("root cannot open another's folder: %v", err)
		}
		s.Close()
	}
}

func TestSpoolIsBounded(t *testing.T) {
	s, folder := newSpool(t)
	for i := range 1000 {
		path := filepath.Join(folder, fmt.Sprintf("%d.json", i))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(injectRequest(t)); err == nil {
		t.Error("message number 1,001 was taken")
	}
}

// Several who drain at once hand everything over, and disturb each other in nothing.
func TestDrainAtOnce(t *testing.T) {
	s, _ := newSpool(t)
	want := make(map[string]bool)
	for i := range 50 {
		r := injectRequest(t)
		r.Text = fmt.Appendf(nil, "text %d", i)
		want[string(r.Text)] = true
		if err := s.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	got := make(map[string]bool)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := s.Drain(t.Context(), 0, func(_ context.Context, r control.InjectRequest) (control.InjectAnswer, error) {
				mu.Lock()
				defer mu.Unlock()
				got[string(r.Text)] = true
				return control.InjectAnswer{}, nil
			})
			if err != nil {
				t.Errorf("Drain = %v", err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("handed over (-want +got):\n%s", diff)
	}
}

// injectRequest is a message that Samba has taken.
func injectRequest(t *testing.T) control.InjectRequest {
	t.Helper()
	id, err := messngr.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return control.InjectRequest{
		ID: id, From: "bob", Machine: "pc17", Address: "10.77.0.9", To: "20261121", Text: []byte("B\x81ro"), Length: 9,
		At: time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC),
	}
}
