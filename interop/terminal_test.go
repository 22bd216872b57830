//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/samba"
)

// terminals are windows of tmux in a host, each of a user who is logged in there: tmux enters them into utmp.
type terminals struct {
	host   *lab.Host
	socket string
}

// newTerminals gives the host an empty utmp, as a system without logind has one.
func newTerminals(t *testing.T, h *lab.Host) *terminals {
	t.Helper()
	utmp := filepath.Join(h.Dir(), "run/utmp")
	if err := os.WriteFile(utmp, nil, 0o664); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(utmp, 0o664); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "root:utmp", utmp).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return &terminals{host: h, socket: filepath.Join(h.Dir(), "tmux-")}
}

// login opens a terminal for a user of the system.
func (w *terminals) login(ctx context.Context, t *testing.T, user string) {
	t.Helper()
	// A server per user; the window shows nothing but what others write to it.
	dir := w.socket + user
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if out, stderr, err := w.tmux(ctx, user, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "-s", "s", "stty -echo; mesg y; exec cat"); err != nil {
		t.Fatalf("tmux: %v: %s%s", err, out, stderr)
	}
	if err := lab.Until(ctx, func() error {
		if out, _, _ := w.host.Output(ctx, "who"); !strings.Contains(out, user) {
			return fmt.Errorf("who does not show %s, but %q", user, out)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func (w *terminals) tmux(ctx context.Context, user string, args ...string) (string, string, error) {
	args = append([]string{"--reuid", user, "--regid", user, "--clear-groups", "--reset-env",
		"env", "SHELL=/bin/sh", "tmux", "-u", "-S", filepath.Join(w.socket+user, "socket")}, args...)
	return w.host.Output(ctx, "setpriv", args...)
}

// screen is what a user sees.
func (w *terminals) screen(ctx context.Context, t *testing.T, user string) string {
	t.Helper()
	out, stderr, err := w.tmux(ctx, user, "capture-pane", "-p", "-t", "s")
	if err != nil {
		t.Fatalf("capture-pane: %v: %s", err, stderr)
	}
	return strings.TrimRight(out, "\n")
}

// shows waits until a user sees the text.
func (w *terminals) shows(ctx context.Context, t *testing.T, user, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := lab.Until(ctx, func() error {
		if screen := w.screen(context.WithoutCancel(ctx), t, user); !strings.Contains(screen, text) {
			return fmt.Errorf("%s does not see %q, but\n%s", user, text, screen)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// Two people at one host: a message to a person shows on that person's terminal alone, one to the machine on all.
func TestTwoUsers(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "tmux", "setpriv", "who", "mesg")
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	screens := newTerminals(t, hosts[0])
	screens.login(ctx, t, "games")
	screens.login(ctx, t, "news")
	ours, _ := serve(ctx, t, hosts[0], "")
	theirs := peer(ctx, t, hosts[1], samba.Options{})
	owners(ctx, t, theirs, "GAMES#03", hosts[0].Addr())
	owners(ctx, t, theirs, "NEWS#03", hosts[0].Addr())

	for _, m := range []struct{ to, text string }{
		{"GAMES", "for games only"},
		{"NEWS", "for news only"},
		{"ALPHA", "for all, mit Größe"},
	} {
		if err := theirs.Send(ctx, m.to, "alice", m.text+"\n"); err != nil {
			t.Fatalf("to %s: %v", m.to, err)
		}
	}
	for user, other := range map[string]string{"games": "news", "news": "games"} {
		screens.shows(ctx, t, user, "for "+user+" only")
		screens.shows(ctx, t, user, "for all, mit Größe")
		if screen := screens.screen(ctx, t, user); strings.Contains(screen, "for "+other) {
			t.Errorf("%s sees what is for %s:\n%s", user, other, screen)
		}
	}

	// The name goes with its user.
	if _, stderr, err := screens.tmux(ctx, "news", "kill-server"); err != nil {
		t.Fatalf("kill-server: %v: %s", err, stderr)
	}
	owners(ctx, t, theirs, "NEWS#03")
	if out, err := says(ctx, ours, "write", "games", "from here"); err != nil {
		t.Errorf("write: %v: %s", err, out)
	}
	screens.shows(ctx, t, "games", "from here")
}

// A terminal whose reader has stopped it delays nobody, and one that is closed to messages (mesg n) stays clean.
func TestTerminalsThatDoNotTake(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "tmux", "setpriv", "who", "mesg")
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	screens := newTerminals(t, hosts[0])
	for _, user := range []string{"games", "news", "mail"} {
		screens.login(ctx, t, user)
	}
	serve(ctx, t, hosts[0], "")
	theirs := peer(ctx, t, hosts[1], samba.Options{})
	if _, stderr, err := screens.tmux(ctx, "games", "send-keys", "-t", "s", "C-s"); err != nil {
		t.Fatalf("send-keys: %v: %s", err, stderr)
	}
	tty, stderr, err := screens.tmux(ctx, "mail", "display-message", "-p", "-t", "s", "#{pane_tty}")
	if err != nil {
		t.Fatalf("display-message: %v: %s", err, stderr)
	}
	if err := os.Chmod(strings.TrimSpace(tty), 0o600); err != nil { // as mesg n does
		t.Fatal(err)
	}
	for i := range 3 {
		text := fmt.Sprintf("message %d", i)
		if err := theirs.Send(ctx, "ALPHA", "alice", text+"\n", "-I", hosts[0].Addr().String()); err != nil {
			t.Fatal(err)
		}
		screens.shows(ctx, t, "news", text)
	}
	if screen := screens.screen(ctx, t, "mail"); strings.Contains(screen, "message") {
		t.Errorf("a terminal that takes no messages shows\n%s", screen)
	}
	if _, stderr, err := screens.tmux(ctx, "games", "send-keys", "-t", "s", "C-q"); err != nil {
		t.Fatalf("send-keys: %v: %s", err, stderr)
	}
}
