package daemon_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/control/spool"
	"messngr/daemon"
)

// withSpool makes a folder in which messages from Samba wait.
func withSpool(t *testing.T) (daemon.Options, string, *spool.Spool) {
	t.Helper()
	o, folder := options(t), filepath.Join(t.TempDir(), "spool")
	if err := spool.Make(folder, os.Getuid()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Config, fmt.Appendf(nil, "[transport.samba]\nspool = %q\n", folder), 0o600); err != nil {
		t.Fatal(err)
	}
	waiting, err := spool.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { waiting.Close() })
	return o, folder, waiting
}

func handover(t *testing.T, text string, at time.Time) control.InjectRequest {
	t.Helper()
	id, err := messngr.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return control.InjectRequest{ID: id, From: "bob", Machine: "pc18", Text: []byte(text), At: at}
}

// What Samba handed over comes in once, whether the service ran or not, and however
// often it is handed over.
func TestSambaHandsOver(t *testing.T) {
	o, folder, waiting := withSpool(t)
	waited := handover(t, "waited", time.Now().Add(-time.Hour))
	if err := waiting.Put(waited); err != nil {
		t.Fatal(err)
	}
	s := start(t, o)
	got := s.inbox(t, 1)[0]
	if got.From != "bob" || got.To != "(unknown)" || got.Text != "waited" || got.Via != "samba" || got.Trust != messngr.Unverified ||
		got.Title != "taken by Samba from pc18, addressee unknown, waited here since "+waited.At.Local().Format("2006-01-02 15:04") {
		t.Errorf("got %+v", got)
	}
	now := handover(t, "now", time.Now())
	for range 2 {
		if answer, err := s.Inject(t.Context(), now); err != nil || !answer.Taken {
			t.Errorf("Inject = %+v, %v", answer, err)
		}
	}
	// A file that could not be removed after its message had been taken.
	s.end(t)
	for _, r := range []control.InjectRequest{waited, now} {
		if err := waiting.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	s = start(t, o)
	third := handover(t, "third", time.Now())
	if _, err := s.Inject(t.Context(), third); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, m := range s.inbox(t, 3) {
		texts = append(texts, m.Text)
	}
	if !slices.Equal(texts, []string{"waited", "now", "third"}) {
		t.Errorf("the inbox holds %q", texts)
	}
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err == nil && len(left) == 0 {
			break
		}
		if time.Since(begin) > 5*time.Second {
			t.Fatalf("%q wait still, %v", left, err)
		}
	}
}

// On loopback there is nobody else, and that is said.
func TestWhoOnLoopback(t *testing.T) {
	s := start(t, options(t))
	list, err := s.Who(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Machines) != 1 || list.Machines[0].Name != "PC17" || list.Machines[0].Workgroup != "OFFICE" || len(list.Notes) != 1 {
		t.Errorf("who = %+v", list)
	}
}
