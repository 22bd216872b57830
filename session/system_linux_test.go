package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
)

func TestUtmp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "utmp")
	u := Utmp{Path: path}
	if _, err := u.Sessions(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v, want fs.ErrNotExist", err)
	}
	write := func(b ...byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write()
	ctx, cancel := context.WithCancel(t.Context())
	reports := make(chan []Session, 9)
	var done sync.WaitGroup
	done.Go(func() { Watch(ctx, u, func(s []Session) { reports <- s }) })
	if got := <-reports; len(got) != 0 {
		t.Errorf("empty file: %v", got)
	}

	const stale = 1 << 22 // the first number that no process can have
	write(slices.Concat(
		record(utmpRecord32, utmpUser, os.Getpid(), "null", "root", "", 1795296000),
		record(utmpRecord32, utmpUser, stale, "pts/1", "bob", "", 1795296000))...)
	select {
	case got := <-reports:
		if len(got) != 1 || got[0].User != "root" || got[0].UID != 0 || got[0].TTY != "null" || got[0].Active.IsZero() {
			t.Errorf("got %+v, want root alone, with the access time of /dev/null", got)
		}
	case <-time.After(pollEvery / 2):
		t.Error("the kernel's announcement was not heard")
	}
	cancel()
	done.Wait()
}

func TestTerminalInStat(t *testing.T) {
	for _, tt := range []struct{ stat, want string }{
		{"42 (bash) S 1 42 42 34819 42", "pts/3"},
		{"42 (a) b) 4) S 1 42 42 1025 42", "tty1"},
		{"42 (getty) S 1 42 42 1088 42", "ttyS0"},
		{"42 (far) S 1 42 42 35072 42", "pts/256"},
		{"42 (sshd) S 1 42 42 0 -1", ""},
		{"42 (x) S 1", ""}, {"", ""}, {"42 (x) S 1 42 42 what 42", ""}, {"42 (x) S 1 42 42 -1 42", ""},
	} {
		if got := terminalInStat([]byte(tt.stat)); got != tt.want {
			t.Errorf("terminalInStat(%q) = %q, want %q", tt.stat, got, tt.want)
		}
	}
}

func TestTerminalOf(t *testing.T) {
	proc := t.TempDir()
	process := func(pid int, stat, children string) {
		t.Helper()
		dir := fmt.Sprintf("%s/%d/task/%d", proc, pid, pid)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{dir + "/children": children, fmt.Sprintf("%s/%d/stat", proc, pid): stat} {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	process(10, "10 (sshd) S 1 10 10 0 -1", "11 \n")
	process(11, "11 (sshd) S 10 10 10 0 -1", "12 13")
	process(12, "12 (bash) S 11 12 12 34819 12", "")
	process(13, "13 (bash) S 11 12 12 34820 12", "")
	process(20, "20 (a) S 1 20 20 0 -1", "20 20 20 20 20 20 20 20")
	for leader, want := range map[int]string{10: "pts/3", 12: "pts/3", 20: "", 99: ""} {
		if got := terminalOf(proc, leader); got != want {
			t.Errorf("terminalOf(%d) = %q, want %q", leader, got, want)
		}
	}
}

// bus starts a message bus of the test's own.
func bus(t *testing.T) (address string) {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "bus.conf")
	err = os.WriteFile(conf, []byte(`<busconfig><listen>unix:path=`+dir+`/bus</listen>
		<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "--config-file="+conf, "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// login is a stand-in for systemd-logind's manager.
type login struct {
	mu   sync.Mutex
	list []listed
}

type listed struct {
	ID   string
	UID  uint32
	User string
	Seat string
	Path dbus.ObjectPath
}

func (l *login) ListSessions() ([]listed, *dbus.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list, nil
}

// properties stands in for one session of it.
type properties map[string]dbus.Variant

func (p properties) GetAll(string) (map[string]dbus.Variant, *dbus.Error) { return p, nil }

func export(t *testing.T, conn *dbus.Conn, object any, path dbus.ObjectPath, iface string) {
	t.Helper()
	if err := conn.Export(object, path, iface); err != nil {
		t.Fatal(err)
	}
}

func TestLogind(t *testing.T) {
	address := bus(t)
	l := Logind{Address: address}
	if _, err := l.Sessions(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a bus without logind: %v, want fs.ErrNotExist", err)
	}
	if _, err := (Logind{Address: "unix:path=" + t.TempDir() + "/no-bus"}).Sessions(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no bus: %v, want fs.ErrNotExist", err)
	}

	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	manager := &login{list: []listed{
		{"1", 0, "root", "seat0", "/s/1"},
		{"c2", 1000, "alice", "seat0", "/s/2"},
		{"3", 1000, "gdm", "seat0", "/s/3"},
		{"4", 1000, "bob", "", "/s/4"},
		{"gone", 1000, "carol", "", "/s/gone"},
	}}
	session := func(path dbus.ObjectPath, class, kind, state, tty, display, host string, leader int) {
		export(t, conn, properties{
			"Class": dbus.MakeVariant(class), "Type": dbus.MakeVariant(kind), "State": dbus.MakeVariant(state),
			"TTY": dbus.MakeVariant(tty), "Display": dbus.MakeVariant(display), "RemoteHost": dbus.MakeVariant(host),
			"Leader": dbus.MakeVariant(uint32(leader)), "Timestamp": dbus.MakeVariant(uint64(1795296000e6)),
		}, path, "org.freedesktop.DBus.Properties")
	}
	session("/s/1", "user", "tty", "active", "tty1", "", "", 1)
	session("/s/2", "user", "x11", "online", "", ":0", "10.0.0.7", 1)
	session("/s/3", "greeter", "x11", "online", "", ":1", "", 1)
	session("/s/4", "user", "tty", "closing", "", "", "", 1)
	export(t, conn, manager, login1Path, login1Manager)
	if _, err := conn.RequestName(login1, 0); err != nil {
		t.Fatal(err)
	}

	since := time.Unix(1795296000, 0)
	want := []Session{
		{ID: "1", User: "root", UID: 0, TTY: "tty1", Since: since},
		{ID: "c2", User: "alice", UID: 1000, Display: ":0", Remote: "10.0.0.7", Since: since},
	}
	got, err := l.Sessions(t.Context())
	if diff := cmp.Diff(want, lasting(got)); diff != "" || err != nil {
		t.Fatalf("%v, -want +got:\n%s", err, diff)
	}

	ctx, cancel := context.WithCancel(t.Context())
	reports := make(chan []Session, 9)
	var done sync.WaitGroup
	done.Go(func() { Watch(ctx, l, func(s []Session) { reports <- s }) })
	<-reports
	manager.mu.Lock()
	manager.list = manager.list[:1]
	manager.mu.Unlock()
	heard := false
	for range 50 { // until the watcher listens
		if err := conn.Emit(login1Path, login1Manager+".SessionRemoved", "c2", dbus.ObjectPath("/s/2")); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-reports:
			heard = true
			if len(got) != 1 || got[0].User != "root" {
				t.Errorf("after a logout: %v, want root alone", got)
			}
		case <-time.After(100 * time.Millisecond):
			continue
		}
		break
	}
	if !heard {
		t.Error("logind's signal was not heard")
	}
	cancel()
	done.Wait()
}
