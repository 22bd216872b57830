package face_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"messngr/desktop/xtest"
)

// runPlain runs the program without a desktop.
func runPlain(t *testing.T, env []string, name string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8"}, env...)
	b, _ := cmd.CombinedOutput() // the code says it
	return string(b), cmd.ProcessState.ExitCode()
}

func oneLine(t *testing.T, out, want string) {
	t.Helper()
	if !strings.Contains(out, want) || strings.Count(out, "\n") != 1 {
		t.Errorf("it says %q, want one line with %q", out, want)
	}
}

func TestWithoutDisplay(t *testing.T) {
	for _, command := range []string{"popup", "window"} {
		out, code := runPlain(t, nil, program, command)
		oneLine(t, out, "messngr-desktop: no display")
		if code != 1 {
			t.Errorf("%s: exit code %d, want 1", command, code)
		}
	}
}

// A machine without GTK is told what to install.
func TestWithoutGTK(t *testing.T) {
	t.Parallel()
	xtest.RequireRoot(t)
	hide := `for f in /lib/*/libgtk-3.so.0 /usr/lib*/libgtk-3.so.0; do [ ! -e "$f" ] || mount --bind /dev/null "$f"; done; exec "$@"`
	out, code := runPlain(t, nil, "unshare", "--mount", "sh", "-c", hide, "sh", program, "popup")
	oneLine(t, out, "GTK 3 is not installed (no libgtk-3.so.0); install it (Debian: apt install libgtk-3-0)")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{
		{}, {"nothing"}, {"popup", "--level", "loud"}, {"popup", "more"}, {"window", "--nothing"}, {"window", "--message", "x"}, {"window", "--reply", "x"},
	} {
		if out, code := runPlain(t, nil, program, args...); code != 2 || !strings.Contains(out, "messngr-desktop") {
			t.Errorf("%q: exit code %d: %s", args, code, out)
		}
	}
	if out, code := runPlain(t, nil, program, "--help"); code != 0 || !strings.HasPrefix(out, "messngr-desktop shows") {
		t.Errorf("help: exit code %d: %s", code, out)
	}
}

// The words are those of the person's language.
func TestGerman(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{Env: []string{"LC_ALL=de_DE.UTF-8", "LANGUAGE="}}, legacy("CHEF", "Bitte melden."), drill())
	s.popup()
	s.reader.Await("label", "ÜBUNG")
	alert := s.reader.Await("alert", "ÜBUNG. Dies ist nur eine Übung. Es besteht kein Notfall. Nachricht von headmaster (verbürgt).")
	if _, ok := alert.Find("push button", "Ich habe es gelesen"); !ok {
		t.Errorf("it shows\n%s", alert)
	}
	readable()
	s.Keys("Return")
	alert = s.reader.Await("alert", "Nachricht von „CHEF“ (unbestätigt).")
	if b, ok := alert.Find("push button", "Antworten"); !ok || b.Keys[0] != "<Alt>a" {
		t.Errorf("no button to reply, or with the keys %q:\n%s", b.Keys, alert)
	}
	s.face.Stop()
	s.window()
	s.reader.Await("status bar", "Aktuelle Nachricht: 2   Nachrichten insgesamt: 2")
	s.clean()
}

// It ends when it is told to, and leaves nothing behind.
func TestEndsOnSignal(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "one"))
	for _, app := range []string{"popup", "window"} {
		p := s.Start(program, app, "--socket", s.socket)
		s.Until("a window", func() bool { return len(s.Windows("Message")) == 1 })
		began := time.Now()
		p.Stop()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %v to end", app, took)
		}
		if p.ProcessState.ExitCode() != 0 {
			t.Errorf("%s: exit code %d: %s", app, p.ProcessState.ExitCode(), p.Output())
		}
	}
}

// Two thousand presses by a screen reader's user, and as many by the pointer,
// leave it as it was.
func TestTwoThousandActions(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, three()...)
	s.window()
	s.reader.Await("status bar", counterThree)
	next := s.reader.Await("push button", "Next")
	previous := s.reader.Await("push button", "Previous")
	presses := func(times int) {
		for range times / 4 {
			s.reader.Press("push button", "Previous", 2)
			s.reader.Press("push button", "Next", 2)
		}
	}
	presses(1000) // warm up
	before := s.face.RSS()
	presses(1000)
	afterReader := s.face.RSS()
	click := func(b xtest.Node) {
		s.Run("xdotool", "mousemove", strconv.Itoa(b.X+b.Width/2), strconv.Itoa(b.Y+b.Height/2), "click", "--repeat", "20", "--delay", "3", "1")
	}
	for range 50 {
		click(previous)
		click(next)
	}
	click(previous)
	s.reader.Await("status bar", "Current message: 1   Total number of messages: 3")
	click(next)
	s.reader.Await("status bar", counterThree)
	after := s.face.RSS()
	t.Logf("memory: %d kB, after 1,000 presses %d kB, after 2,000 clicks %d kB", before, afterReader, after)
	if after > before+4096 {
		t.Errorf("memory went from %d to %d kB", before, after)
	}
	s.clean()
}
