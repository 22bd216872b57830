// Package xtest is a desktop for tests: an X server without a screen, a session
// bus, a window manager, keys and clicks, screenshots, and a screen reader.
package xtest

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Programs lists what a desktop for tests is made of. interop/peers.sh has the
// packages.
func Programs() []string {
	return []string{"Xvfb", "dbus-daemon", "openbox", "xdotool", "import", "convert", "xrdb", "xprop", "xrandr", "xsetroot", "xset", "/usr/bin/python3"}
}

// Require skips the test if a program is missing; where CI is set it fails.
func Require(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range append(Programs(), programs...) {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing", p)
			}
			t.Skipf("%s is missing: run interop/peers.sh", p)
		}
	}
}

// RequireRoot skips the test if nobody may do what it does; where CI is set it
// fails.
func RequireRoot(t testing.TB) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") != "":
		t.Fatal("not root")
	default:
		t.Skip("not root")
	}
}

// Options says what kind of desktop it is.
type Options struct {
	// Width and Height are the size of the screen; 0: 1280 by 800.
	Width, Height int
	// TwoMonitors makes a screen of 1280 by 800 with one of 1024 by 768 on its
	// right, by Xorg's dummy driver, which needs root.
	TwoMonitors bool
	// Bare leaves the window manager out.
	Bare bool
	// Env is added to the environment of the programs.
	Env []string
}

// Desktop is a desktop that runs.
type Desktop struct {
	t    testing.TB
	dir  string
	env  []string
	Size [2]int
}

// Start starts a desktop that ends with the test.
func Start(t testing.TB, o Options) *Desktop {
	t.Helper()
	Require(t)
	if o.TwoMonitors {
		Require(t, "Xorg")
	}
	if o.Width == 0 {
		o.Width, o.Height = 1280, 800
	}
	// Not t.TempDir(): its path may be longer than a socket's may be.
	dir, err := os.MkdirTemp("", "messngr-x-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &Desktop{t: t, dir: dir, Size: [2]int{o.Width, o.Height}}
	for _, sub := range []string{"run", "home"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.write("home/.themes/Test/openbox-3/themerc", theme)
	d.write("home/.config/openbox/rc.xml", windowManager)
	d.env = append(os.Environ(),
		"HOME="+dir+"/home", "XDG_RUNTIME_DIR="+dir+"/run", "XDG_CONFIG_HOME="+dir+"/home/.config", "XDG_CACHE_HOME="+dir+"/home/.cache",
		"GSETTINGS_BACKEND=memory", "LANGUAGE=", "LC_ALL=C.UTF-8", "TZ=UTC", "NO_AT_BRIDGE=0", "WAYLAND_DISPLAY=", "GTK_THEME=", "DBUS_SESSION_BUS_ADDRESS=",
	)
	// GTK takes a theme that is named but empty for one that does not exist.
	d.env = without(d.env, "GTK_THEME", "WAYLAND_DISPLAY", "NO_AT_BRIDGE")
	d.env = append(d.env, o.Env...)
	d.startX(o)
	if o.TwoMonitors {
		d.PlugSecond(true)
	}
	d.startBus()
	if !o.Bare {
		d.Start("openbox", "--sm-disable")
		d.Until("the window manager", func() bool { return d.Try("xprop", "-root", "_NET_SUPPORTING_WM_CHECK") })
	}
	d.Run("xset", "r", "off") // a slow machine is no long press
	d.Run("xsetroot", "-solid", "#4a6378")
	return d
}

// The window manager's look is a plain one, so that pictures show our part.
//
//go:embed themerc
var theme string

//go:embed rc.xml
var windowManager string

// write writes a file of the desktop's own.
func (d *Desktop) write(path, text string) {
	d.t.Helper()
	path = filepath.Join(d.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func without(env []string, names ...string) []string {
	var kept []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		found := false
		for _, n := range names {
			found = found || n == name
		}
		if !found {
			kept = append(kept, e)
		}
	}
	return kept
}

// startX starts the X server, which chooses its own number.
func (d *Desktop) startX(o Options) {
	d.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Close()
	size := fmt.Sprintf("%dx%dx24", o.Width, o.Height)
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-noreset", "-nolisten", "tcp", "-screen", "0", size)
	if o.TwoMonitors {
		config := d.dir + "/xorg.conf"
		d.write("xorg.conf", twoMonitors)
		cmd = exec.Command("Xorg", "-displayfd", "3", "-noreset", "-nolisten", "tcp", "-novtswitch", "-sharevts", "-keeptty",
			"-config", config, "-logfile", d.dir+"/Xorg.log")
	}
	cmd.ExtraFiles = []*os.File{w}
	d.spawn(cmd)
	w.Close()
	r.SetReadDeadline(time.Now().Add(20 * time.Second))
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		log, _ := os.ReadFile(d.dir + "/Xorg.log")
		d.t.Fatalf("the X server does not start: %v\n%s", err, log)
	}
	d.env = append(d.env, "DISPLAY=:"+strings.TrimSpace(number))
}

//go:embed two-monitors.conf
var twoMonitors string

// PlugSecond plugs the second monitor in, or pulls it out.
func (d *Desktop) PlugSecond(in bool) {
	d.t.Helper()
	// The driver notices what became of an output when it is asked.
	defer d.Run("xrandr", "--query")
	if !in {
		d.Run("xrandr", "--output", "DUMMY1", "--off")
		return
	}
	d.Try("xrandr", "--addmode", "DUMMY1", "1024x768") // it may be there
	d.Run("xrandr", "--output", "DUMMY1", "--mode", "1024x768", "--right-of", "DUMMY0")
}

func (d *Desktop) startBus() {
	d.t.Helper()
	address := "unix:path=" + d.dir + "/run/bus"
	d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS="+address)
	d.Start("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address="+address)
	d.Until("the session bus", func() bool {
		_, err := os.Stat(d.dir + "/run/bus")
		return err == nil
	})
}

// Env is the environment of programs of this desktop.
func (d *Desktop) Env() []string { return d.env }

// Dir is a folder of the desktop's own.
func (d *Desktop) Dir() string { return d.dir }

// Process is a program that runs on the desktop.
type Process struct {
	*exec.Cmd
	out  *bytes.Buffer
	done chan struct{}
}

// Start starts a program that is ended with the desktop.
func (d *Desktop) Start(name string, args ...string) *Process {
	d.t.Helper()
	return d.spawn(exec.Command(name, args...))
}

func (d *Desktop) spawn(cmd *exec.Cmd) *Process {
	d.t.Helper()
	p := &Process{Cmd: cmd, out: new(bytes.Buffer), done: make(chan struct{})}
	cmd.Env, cmd.Dir = d.env, d.dir
	if cmd.Stdout == nil {
		cmd.Stdout = p.out
	}
	cmd.Stderr = p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		cmd.Wait()
	}()
	d.t.Cleanup(p.Stop)
	return p
}

// Stop ends the program, by force if it does not end by itself.
func (p *Process) Stop() {
	_ = p.Cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(3 * time.Second):
		_ = p.Cmd.Process.Kill()
		<-p.done
	}
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Output is what the program has printed; only to be read when it has ended.
func (p *Process) Output() string {
	<-p.done
	return p.out.String()
}

// RSS is the memory that the program uses, in kB.
func (p *Process) RSS() int { return p.status("VmRSS:") }

func (p *Process) status(field string) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}

// Run runs a program to its end, and returns what it printed.
func (d *Desktop) Run(name string, args ...string) string {
	d.t.Helper()
	out, err := d.run(name, args...)
	if err != nil {
		d.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

// Try is Run, and reports whether the program succeeded.
func (d *Desktop) Try(name string, args ...string) bool {
	_, err := d.run(name, args...)
	return err == nil
}

func (d *Desktop) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = d.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) || err == nil {
		return strings.TrimSpace(string(out)), err
	}
	return "", err
}

// Until waits for something to become true, and fails the test if it does not.
func (d *Desktop) Until(what string, is func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			d.t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Keys presses keys, such as "Return" or "alt+r", one after another.
func (d *Desktop) Keys(keys ...string) {
	d.t.Helper()
	d.Run("xdotool", append([]string{"key", "--clearmodifiers"}, keys...)...)
}

// Type writes a text.
func (d *Desktop) Type(text string) {
	d.t.Helper()
	d.Run("xdotool", "type", "--delay", "15", text)
}

// Click presses the left button there.
func (d *Desktop) Click(x, y int) {
	d.t.Helper()
	d.Run("xdotool", "mousemove", strconv.Itoa(x), strconv.Itoa(y), "click", "1")
}

// Windows lists the ids of the windows that are seen whose title matches the
// regular expression.
func (d *Desktop) Windows(title string) []string {
	// It fails when there is none, and complains when one goes while it looks.
	out, _ := d.run("xdotool", "search", "--onlyvisible", "--name", title)
	var ids []string
	for line := range strings.Lines(out) {
		if _, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			ids = append(ids, strings.TrimSpace(line))
		}
	}
	return ids
}

// Screenshot writes what is seen to a file.
func (d *Desktop) Screenshot(path string) {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	d.Run("import", "-window", "root", "-strip", path)
}

// ScreenshotOf writes what is seen of a window, with its frame, to a file.
func (d *Desktop) ScreenshotOf(window, path string) {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	d.Run("import", "-frame", "-window", window, "-strip", path)
}
