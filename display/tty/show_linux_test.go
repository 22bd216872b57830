package tty

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr"
	"messngr/display"
	"messngr/display/displaytest"
	"messngr/session"
)

// lister knows who is logged on.
type lister struct {
	sessions []session.Session
	err      error
}

func (l lister) Sessions(context.Context) ([]session.Session, error) { return l.sessions, l.err }

// on is a session of a user on a terminal that belongs to whoever runs the test.
func on(user string, p *displaytest.PTY) session.Session {
	return session.Session{User: user, UID: os.Getuid(), TTY: p.Name}
}

func newTest(t *testing.T, sessions ...session.Session) *Display {
	t.Helper()
	d, err := New(display.Env{Sessions: lister{sessions: sessions}}, Config{Lines: 100, IgnoreMesg: "urgent"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Wait)
	return d
}

func TestSuite(t *testing.T) {
	displaytest.Run(t, displaytest.Harness{
		New: func(t *testing.T) (messngr.Display, func() string) {
			p := displaytest.OpenPTY(t)
			return newTest(t, on("alice", p)), p.Read(t)
		},
		Nobody: func(t *testing.T) messngr.Display {
			return newTest(t, session.Session{User: "alice", Display: ":0"})
		},
		Stuck: func(t *testing.T) (messngr.Display, func()) {
			p := displaytest.OpenPTY(t)
			p.Stop(t)
			return newTest(t, on("alice", p)), func() { p.Continue(t) }
		},
	})
}

// A message to a person shows on that person's terminals alone.
func TestAudience(t *testing.T) {
	ttys := []*displaytest.PTY{displaytest.OpenPTY(t), displaytest.OpenPTY(t), displaytest.OpenPTY(t)}
	var seen []func() string
	for _, p := range ttys {
		seen = append(seen, p.Read(t))
	}
	d := newTest(t, on("alice", ttys[0]), on("alice", ttys[1]), on("bob", ttys[2]), on("alice", ttys[0]))
	for _, tt := range []struct {
		name, audience, terminal string
		want                     [3]int // how often each terminal shows it
		err                      error
	}{
		{"to the machine", "", "", [3]int{1, 1, 1}, nil},
		{"to alice", "alice", "", [3]int{1, 1, 0}, nil},
		{"to bob", "bob", "", [3]int{0, 0, 1}, nil},
		{"to one terminal", "alice", ttys[1].Name, [3]int{0, 1, 0}, nil},
		{"to a terminal of another", "alice", ttys[2].Name, [3]int{0, 0, 0}, messngr.ErrNobody},
		{"to carol", "carol", "", [3]int{0, 0, 0}, messngr.ErrNobody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := displaytest.Message(t, tt.name+"!")
			m.Audience, m.Terminal = tt.audience, tt.terminal
			if err := d.Show(t.Context(), m); !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			for i := range ttys {
				if tt.want[i] > 0 {
					displaytest.See(t, seen[i], m.Text)
				}
				if got := strings.Count(seen[i](), m.Text); got != tt.want[i] {
					t.Errorf("terminal %d shows it %d times, want %d", i, got, tt.want[i])
				}
			}
		})
	}
}

// mesg n is respected, unless the level is such that it is not.
func TestMesg(t *testing.T) {
	p := displaytest.OpenPTY(t)
	seen := p.Read(t)
	p.SetMode(t, 0o600)
	for _, tt := range []struct {
		ignore string
		level  messngr.Level
		shown  bool
	}{
		{"urgent", messngr.LevelInfo, false}, {"urgent", messngr.LevelNotice, false},
		{"urgent", messngr.LevelUrgent, true}, {"urgent", messngr.LevelEmergency, true},
		{"emergency", messngr.LevelUrgent, false}, {"emergency", messngr.LevelEmergency, true},
		{"never", messngr.LevelEmergency, false},
	} {
		d, err := New(display.Env{Sessions: lister{sessions: []session.Session{on("alice", p)}}}, Config{IgnoreMesg: tt.ignore})
		if err != nil {
			t.Fatal(err)
		}
		m := displaytest.Message(t, "ignore "+tt.ignore+", level "+tt.level.String())
		m.Level = tt.level
		err = d.Show(t.Context(), m)
		if tt.shown {
			if err != nil {
				t.Errorf("%s: %v", m.Text, err)
			}
			displaytest.See(t, seen, m.Text)
			continue
		}
		if !errors.Is(err, messngr.ErrNobody) || !errors.Is(err, errMesg) || strings.Contains(seen(), m.Text) {
			t.Errorf("%s: %v, seen %q", m.Text, err, seen())
		}
	}
}

// What is listed as a terminal but is none is not written to.
func TestNotTerminals(t *testing.T) {
	file, err := os.CreateTemp("/dev/shm", "messngr-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	p := displaytest.OpenPTY(t)
	link := file.Name() + "-link"
	if err := os.Symlink("/dev/"+p.Name, link); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(link)
	for name, want := range map[string]error{
		"null": errNotTerminal, "shm/" + filepath.Base(file.Name()): errNotTerminal, "shm/" + filepath.Base(link): errNotTerminal,
		"pts": errNotTerminal, "pts/99999": messngr.ErrNobody,
	} {
		d := newTest(t, session.Session{User: "alice", UID: -1, TTY: name})
		if err := d.Show(t.Context(), displaytest.Message(t, "x")); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if info, err := file.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the file has been written to: %v, %v", info, err)
	}
}

// Between logout and login a terminal gets another owner, and what is for the
// one must not show to the other.
func TestOwner(t *testing.T) {
	p := displaytest.OpenPTY(t)
	seen := p.Read(t)
	stale := on("alice", p)
	stale.UID++
	d := newTest(t, stale)
	m := displaytest.Message(t, "secret")
	m.Audience = "alice"
	if err := d.Show(t.Context(), m); !errors.Is(err, messngr.ErrNobody) || !errors.Is(err, errOther) {
		t.Errorf("got %v", err)
	}
	public := displaytest.Message(t, "public")
	if err := d.Show(t.Context(), public); err != nil {
		t.Error(err)
	}
	if got := displaytest.See(t, seen, "public"); strings.Contains(got, "secret") {
		t.Errorf("seen %q", got)
	}
}

// The foreground terminal of the service has a display of its own.
func TestOwnTerminal(t *testing.T) {
	ours, theirs := displaytest.OpenPTY(t), displaytest.OpenPTY(t)
	seen, other := ours.Read(t), theirs.Read(t)
	d := newTest(t, on("root", ours), on("alice", theirs))
	d.env.Stdout = ours.File(t)
	if err := d.Show(t.Context(), displaytest.Message(t, "once")); err != nil {
		t.Fatal(err)
	}
	displaytest.See(t, other, "once")
	if got := seen(); got != "" {
		t.Errorf("the service's own terminal shows %q", got)
	}
}

// On a terminal that does not expect UTF-8 its bytes could be commands: Û is
// C3 9B, and 9B is CSI.
func TestASCII(t *testing.T) {
	p := displaytest.OpenPTY(t)
	p.SetUTF8(t, false)
	seen := p.Read(t)
	if err := newTest(t, on("alice", p)).Show(t.Context(), displaytest.Message(t, "5 € für Û31m, Привет.")); err != nil {
		t.Fatal(err)
	}
	got := displaytest.See(t, seen, "  5 EUR fur U31m, ??????.")
	if strings.ContainsFunc(got, func(r rune) bool { return r > '~' }) {
		t.Errorf("seen %q", got)
	}
}

// Lines fit into a narrow terminal.
func TestNarrow(t *testing.T) {
	p := displaytest.OpenPTY(t)
	p.SetWidth(t, 41)
	seen := p.Read(t)
	if err := newTest(t, on("alice", p)).Show(t.Context(), displaytest.Message(t, strings.Repeat("0123456789 ", 12)+"end.")); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(displaytest.See(t, seen, "end.")) {
		if n := len(strings.Trim(line, "\r\n\a")); n > 40 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

// A terminal that takes nothing delays nobody, and gets the message later.
func TestBlocked(t *testing.T) {
	blocked, free := displaytest.OpenPTY(t), displaytest.OpenPTY(t)
	late, seen := blocked.Read(t), free.Read(t)
	blocked.Stop(t)
	d := newTest(t, on("alice", blocked), on("bob", free))
	const n = 5
	begin := time.Now()
	for i := range n {
		if err := d.Show(t.Context(), displaytest.Message(t, "message "+string(rune('0'+i))+".")); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("%d messages took %v", n, took)
	}
	displaytest.See(t, seen, "message 4.")
	if got := late(); got != "" {
		t.Errorf("a stopped terminal shows %q", got)
	}
	blocked.Continue(t)
	for i := range n {
		displaytest.See(t, late, "message "+string(rune('0'+i))+".")
	}
	d.Wait()
	if len(d.lanes) != 0 {
		t.Errorf("%d terminals are still waited for", len(d.lanes))
	}
}

// The terminal that never takes a message is given up, and the log says so.
func TestGivenUp(t *testing.T) {
	blocked, free := displaytest.OpenPTY(t), displaytest.OpenPTY(t)
	free.Read(t)
	blocked.Stop(t)
	defer blocked.Continue(t)
	var log lockedBuffer
	d := newTest(t, on("alice", blocked), on("bob", free))
	d.env.Log, d.patience = slog.New(slog.NewTextHandler(&log, nil)), 50*time.Millisecond
	for range 2 {
		if err := d.Show(t.Context(), displaytest.Message(t, "x")); err != nil {
			t.Fatal(err)
		}
	}
	d.Wait()
	if got := strings.Count(log.String(), "terminal="+blocked.Name); got != 2 {
		t.Errorf("the log tells of %d messages that were given up, want 2:\n%s", got, log.String())
	}

	d.patience = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	for range maxWaiting + 10 {
		if err := d.Show(ctx, displaytest.Message(t, "x")); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if got := strings.Count(log.String(), "waiting="); got != 9 {
		t.Errorf("the log tells of %d messages that did not fit into the queue, want 9", got)
	}
}

// If no terminal takes the message Show says so, and the message is withdrawn:
// it would show twice when it is tried anew.
func TestWithdrawn(t *testing.T) {
	p := displaytest.OpenPTY(t)
	seen := p.Read(t)
	p.Stop(t)
	d := newTest(t, on("alice", p))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Show(ctx, displaytest.Message(t, "first.")); !errors.Is(err, errBlocked) || errors.Is(err, messngr.ErrNobody) {
		t.Fatalf("got %v, want errBlocked", err)
	}
	p.Continue(t)
	if err := d.Show(t.Context(), displaytest.Message(t, "second.")); err != nil {
		t.Fatal(err)
	}
	if got := displaytest.See(t, seen, "second."); strings.Contains(got, "first.") {
		t.Errorf("seen %q", got)
	}
}

func TestListerFails(t *testing.T) {
	d := newTest(t)
	d.env.Sessions = lister{err: fs.ErrNotExist}
	if err := d.Show(t.Context(), displaytest.Message(t, "x")); !errors.Is(err, messngr.ErrNobody) {
		t.Errorf("a host that counts nobody: %v, want ErrNobody", err)
	}
	d.env.Sessions = lister{err: errors.New("bus away")}
	if err := d.Show(t.Context(), displaytest.Message(t, "x")); err == nil || errors.Is(err, messngr.ErrNobody) {
		t.Errorf("a bus that fails: %v, want another error than ErrNobody", err)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []Config{{IgnoreMesg: "notice"}, {IgnoreMesg: ""}, {IgnoreMesg: "never", Lines: -1}} {
		if d, err := New(display.Env{}, cfg); err == nil {
			t.Errorf("New(%+v) = %v, want an error", cfg, d)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
