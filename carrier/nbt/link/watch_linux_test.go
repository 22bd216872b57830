package link

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWatch changes links in a network namespace of its own.
func TestWatch(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil || os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must run this test, as root and with the program ip")
		}
		t.Skip("needs root for a network namespace, and the program ip")
	}
	type step struct {
		commands []string
		back     bool
	}
	steps := []step{
		{[]string{"link add v0 type veth peer name v1"}, false},
		{[]string{"link set v0 up", "link set v1 up", "addr add 10.0.0.1/24 brd 10.0.0.255 dev v0"}, true},
		{[]string{"link set v1 down"}, false},
		{[]string{"link set v1 up"}, true},
		{[]string{"addr del 10.0.0.1/24 dev v0"}, false},
		{[]string{"link del v0"}, false},
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes, ended := make(chan Change, 64), make(chan error, 1)
	run := make(chan step)
	done := make(chan error)
	var watch *Watch
	go func() { // never unlocked: the thread, and the namespace with it, end with the goroutine
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		var err error
		watch, err = OpenWatch()
		done <- err
		if err != nil {
			return
		}
		go func() { ended <- watch.Run(ctx, changes) }()
		for s := range run {
			for _, c := range s.commands {
				if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
					t.Errorf("ip %s: %v: %s", c, err, out)
				}
			}
			done <- nil
		}
	}()
	defer close(run)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		run <- s
		<-done
		heard, back := 0, false
		for quiet := false; !quiet; {
			select {
			case c := <-changes:
				heard, back = heard+1, back || c.Back
			case <-time.After(200 * time.Millisecond):
				quiet = true
			}
		}
		if heard == 0 || back != s.back {
			t.Errorf("%q: heard %d changes, link came back: %v, want some, and %v", s.commands, heard, back, s.back)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("watch ended with %v, want nil", err)
	}
	if len(watch.runs) != 0 {
		t.Errorf("%d links that are gone are remembered, want none", len(watch.runs))
	}
}
