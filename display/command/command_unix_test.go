//go:build unix

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/display"
	"messngr/display/displaytest"
)

// unprivileged is whom commands of the tests run as.
func unprivileged() string {
	if os.Geteuid() == 0 {
		return "nobody"
	}
	return ""
}

// public is a folder that commands may write to.
func public(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "messngr-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// script writes a shell script into dir.
func script(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func newTest(t *testing.T, cfg Config, argv ...string) *Display {
	t.Helper()
	if cfg.Seconds == 0 {
		cfg.Seconds = 20
	}
	cfg.Command, cfg.User, cfg.AtOnce = argv, unprivileged(), max(cfg.AtOnce, 1)
	d, err := New(display.Env{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// popUp is what an administrator could write: it shows a message in a file.
const popUp = `
out=$(mktemp -p "$1") || exit 1
{
	level=$(echo "$MESSNGR_LEVEL" | tr a-z A-Z)
	[ "$MESSNGR_DRILL" = true ] && level="$level DRILL"
	printf '%s: %s (%s, %s from %s) to %s at %s\n' "$level" "$2" "$MESSNGR_TRUST" "$(echo "$MESSNGR_VIA" | tr a-z A-Z)" \
		"$MESSNGR_ADDRESS" "$MESSNGR_TO" "$MESSNGR_TIME"
	[ -n "$MESSNGR_WARNING" ] && printf '  %s\n' "$MESSNGR_WARNING"
	sed 's/^/  /' | tr '\t' ' '
} >"$out"
mv "$out" "$out.shown"`

func TestSuite(t *testing.T) {
	displaytest.Run(t, displaytest.Harness{
		New: func(t *testing.T) (messngr.Display, func() string) {
			dir := public(t)
			d := newTest(t, Config{AtOnce: 4}, script(t, dir, popUp), dir, "{from}")
			return d, func() string {
				var seen strings.Builder
				files, _ := filepath.Glob(dir + "/*.shown")
				for _, f := range files {
					b, err := os.ReadFile(f)
					if err != nil {
						t.Fatal(err)
					}
					seen.Write(b)
				}
				return seen.String()
			}
		},
		Nobody: func(t *testing.T) messngr.Display { return newTest(t, Config{}, script(t, public(t), "exit 75")) },
		Stuck: func(t *testing.T) (messngr.Display, func()) {
			return newTest(t, Config{}, script(t, public(t), "sleep 60 & wait")), func() {}
		},
	})
}

func TestNew(t *testing.T) {
	good := script(t, public(t), "true")
	for _, tt := range []struct {
		name string
		cfg  Config
	}{
		{"no command", Config{Seconds: 1, AtOnce: 1}},
		{"no full path", Config{Command: []string{"sh"}, Seconds: 1, AtOnce: 1}},
		{"no such program", Config{Command: []string{"/no/such"}, Seconds: 1, AtOnce: 1}},
		{"placeholder in an argument", Config{Command: []string{good, "--from={from}"}, Seconds: 1, AtOnce: 1}},
		{"two placeholders", Config{Command: []string{good, "{from}{to}"}, Seconds: 1, AtOnce: 1}},
		{"placeholder that a shell would run", Config{Command: []string{"/bin/sh", "-c", "{title}"}, Seconds: 1, AtOnce: 1}},
		{"unknown placeholder", Config{Command: []string{good, "{text}"}, Seconds: 1, AtOnce: 1}},
		{"no time", Config{Command: []string{good}, AtOnce: 1}},
		{"for ever", Config{Command: []string{good}, Seconds: 1e10, AtOnce: 1}},
		{"none at once", Config{Command: []string{good}, Seconds: 1}},
		{"unknown user", Config{Command: []string{good}, Seconds: 1, AtOnce: 1, User: "no-such-user"}},
		{"root", Config{Command: []string{good}, Seconds: 1, AtOnce: 1, User: "root"}},
		{"root by number", Config{Command: []string{good}, Seconds: 1, AtOnce: 1, User: "0"}},
	} {
		if tt.cfg.User == "" {
			tt.cfg.User = unprivileged()
		}
		if _, err := New(display.Env{}, tt.cfg); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
	kind := Kind()
	if d, err := kind.New(display.Env{}, kind.Config()); d != nil || err != nil {
		t.Errorf("without a command: %v, %v, want nothing", d, err)
	}
}

func TestAccount(t *testing.T) {
	for _, tt := range []struct {
		name string
		euid int
		ok   bool
	}{
		{"", 0, false}, {"root", 0, false}, {"0", 0, false}, {"nobody", 0, true}, {"no-such-user", 0, false},
		{"root", 1000, false}, {"nobody", 54321, false}, {"", 54321, true},
	} {
		a, err := accountFor(tt.name, tt.euid)
		if (err == nil) != tt.ok {
			t.Errorf("accountFor(%q, %d) = %+v, %v", tt.name, tt.euid, a, err)
		}
		if err == nil && (a.credential != nil) != (tt.euid == 0) {
			t.Errorf("accountFor(%q, %d) changes credentials: %+v", tt.name, tt.euid, a.credential)
		}
	}
}

// A command that root starts has nothing of root's.
func TestPrivileges(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("not root")
		}
		t.Skip("not root")
	}
	t.Setenv("SECRET", "of the service")
	dir := public(t)
	out := filepath.Join(dir, "out")
	d := newTest(t, Config{}, script(t, dir, `{ id -u; id -g; id -G; pwd; cat /proc/self/status; env; } >"$1"`), out)
	if err := d.Show(t.Context(), displaytest.Message(t, "x")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b)
	for _, want := range []string{"65534\n65534\n65534\n/\n", "\nNoNewPrivs:\t1\n", "\nCapEff:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n", "\nCapAmb:\t0000000000000000\n", "\nUSER=nobody\n", "\nMESSNGR_FROM=ALICE\n"} {
		if !strings.Contains("\n"+got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "SECRET") {
		t.Error("the command sees the environment of the service")
	}
}

// Hostile text is data: on standard input and in arguments, for no shell.
func TestNoShell(t *testing.T) {
	dir := public(t)
	out := filepath.Join(dir, "out")
	d := newTest(t, Config{}, script(t, dir, `{ printf '<%s>' "$@"; cat; } >"$1"`), out, "{from}", "{title}", "-n")
	m := displaytest.Message(t, "; touch "+dir+"/owned; $(touch "+dir+"/owned) `touch "+dir+"/owned`\n")
	m.From.Claimed, m.Title = "--help", "a b;'\"\n$(id)"
	if err := d.Show(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), fmt.Sprintf("<%s><_-help><a b;'\" $(id)><-n>%s", out, m.Text); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if _, err := os.Stat(dir + "/owned"); err == nil {
		t.Error("the text was run")
	}
}

func TestFailures(t *testing.T) {
	dir := public(t)
	d := newTest(t, Config{}, script(t, dir, `yes "out of paper" | head -c 1000000 >&2; exit 3`))
	err := d.Show(t.Context(), displaytest.Message(t, "x"))
	if err == nil || errors.Is(err, messngr.ErrNobody) || !strings.Contains(err.Error(), "out of paper") || len(err.Error()) > 3*maxOutput {
		t.Errorf("got %.200v, want the beginning of what the command said", err)
	}
	d = newTest(t, Config{}, script(t, dir, "exec true"))
	if err := d.Show(t.Context(), displaytest.Message(t, strings.Repeat("x", 1<<18))); err != nil {
		t.Errorf("a command that reads nothing: %v", err)
	}
	d = newTest(t, Config{}, script(t, dir, "sleep 60 & exit 0"))
	if err := d.Show(t.Context(), displaytest.Message(t, "x")); err != nil {
		t.Errorf("a command that leaves something behind: %v", err)
	}
}

// The time limit ends everything that the command has started.
func TestTimeLimit(t *testing.T) {
	dir := public(t)
	d := newTest(t, Config{Seconds: 1}, script(t, dir, `(sleep 2; touch `+dir+`/survived) & sleep 60`))
	begin := time.Now()
	if err := d.Show(t.Context(), displaytest.Message(t, "x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := os.Stat(dir + "/survived"); err == nil {
		t.Error("a child of the command has survived it")
	}
}

// No more than at_once commands run at the same time.
func TestAtOnce(t *testing.T) {
	dir := public(t)
	d := newTest(t, Config{AtOnce: 2}, script(t, dir, `mkdir "`+dir+`/run.$$"; set -- "`+dir+`"/run.*; echo $#; sleep 0.05; rmdir "`+dir+`/run.$$"; exit 1`))
	errs := make(chan error)
	for range 6 {
		go func() { errs <- d.Show(t.Context(), displaytest.Message(t, "x")) }()
	}
	for range 6 {
		if err := <-errs; err == nil || !strings.Contains(err.Error(), `"1\n"`) && !strings.Contains(err.Error(), `"2\n"`) {
			t.Errorf("got %v, want 1 or 2 at the same time", err)
		}
	}
}
