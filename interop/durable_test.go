//go:build linux

package interop_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr/interop/hammer"
	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
)

// unlimited lets one source hand over as much as it can.
const unlimited = `[policy]
take_per_source = { rate = 0, burst = 0 }
take_in_all = { rate = 0, burst = 0 }
`

// messages is the port of a host that takes messages.
func messages(h *lab.Host) netip.AddrPort { return netip.AddrPortFrom(h.Addr(), 139) }

// A kill cannot show that a message was on the disk when its sender was answered, as the kernel keeps what was written.
// The order of the system calls can: the last request comes in, the journal is flushed, the answer goes out.
func TestFlushedBeforeAnswered(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "strace")
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	ours := install(t, hosts[0])
	cmd, err := ours.ServeCommand(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(hosts[0].Dir(), "trace")
	traced := exec.Command("strace", append([]string{"-f", "-yy", "-s", "64", "-o", trace,
		"-e", "trace=fsync,fdatasync,sync_file_range,read,recvfrom,recvmsg,write,sendto,sendmsg,writev"}, cmd.Args...)...)
	traced.Env = cmd.Env
	if _, err := ours.Ready(ctx, traced); err != nil {
		t.Fatal(err)
	}
	if err := hosts[1].Do(func() error { return hammer.New("bob", "ALPHA", "flushed?").Deliver(messages(hosts[0])) }); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Received(ctx, 1); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Split(string(b), "\n")
	end := `\377SMB\326`
	asked := slices.IndexFunc(calls, func(c string) bool { return incoming.MatchString(c) && strings.Contains(c, end) })
	answered := slices.IndexFunc(calls, func(c string) bool { return outgoing.MatchString(c) && strings.Contains(c, end) })
	if asked < 0 || answered < asked {
		t.Fatalf("the last request is call %d, its answer call %d, in %s", asked, answered, trace)
	}
	if !slices.ContainsFunc(calls[asked:answered], flushed.MatchString) {
		t.Errorf("no flush between request and answer:\n%s", strings.Join(calls[asked:answered+1], "\n"))
	}
}

// What strace prints. A call that another thread interrupts is on two lines, "unfinished" and "resumed"; the bytes that
// were read are on the second, so that "read" and "recvfrom" are looked for anywhere before them.
var (
	incoming = regexp.MustCompile(`(read|recvfrom|recvmsg)(\(.*:139->| resumed)`)
	outgoing = regexp.MustCompile(`(write|sendto|sendmsg|writev)\(.*:139->`)
	flushed  = regexp.MustCompile(`(fsync|fdatasync)(\(.*/messngr[^/]*>\)| resumed>\)) *= 0`)
)

// Killed at any moment, the service has every message that it has answered, once.
func TestKilled(t *testing.T) {
	t.Parallel()
	n := 6
	if *soak {
		n = 100
	}
	ctx := labtest.Context(t, time.Duration(n)*10*time.Second)
	hosts := lan(t, "alpha", "beta")
	ours := install(t, hosts[0])
	answered := make(map[string]bool)
	unclear := make(map[string]bool) // the service died before the answer: the message may be there or not
	for range n {
		service, err := ours.Serve(ctx, unlimited)
		if err != nil {
			t.Fatal(err)
		}
		var senders sync.WaitGroup
		var mu sync.Mutex
		for s := range 4 {
			senders.Go(func() {
				hosts[1].Do(func() error {
					for i := 0; ; i++ {
						text := fmt.Sprintf("%d %d %d", service.PID(), s, i)
						err := hammer.New("bob", "ALPHA", text).Deliver(messages(hosts[0]))
						mu.Lock()
						if err == nil {
							answered[text] = true
						} else {
							unclear[text] = true
						}
						mu.Unlock()
						if err != nil {
							return err
						}
					}
				})
			})
		}
		time.Sleep(100*time.Millisecond + rand.N(400*time.Millisecond))
		service.Kill()
		senders.Wait()
	}
	if len(answered) < n*10 {
		t.Fatalf("only %d messages were answered in %d lives", len(answered), n)
	}
	t.Logf("%d messages answered in %d lives, %d cut off", len(answered), n, len(unclear))
	if _, err := ours.Serve(ctx, unlimited); err != nil {
		t.Fatal(err)
	}
	all, err := ours.Inbox(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := once(all, answered, unclear); err != nil {
		t.Error(err)
	}
}

// once holds the inbox to what the senders know.
func once(all []program.Message, answered, unclear map[string]bool) error {
	var errs []error
	missing := maps.Clone(answered)
	seen := make(map[string]bool)
	for _, m := range all {
		switch {
		case seen[m.Text]:
			errs = append(errs, fmt.Errorf("%q is there twice", m.Text))
		case !answered[m.Text] && !unclear[m.Text]:
			errs = append(errs, fmt.Errorf("%q was never sent", m.Text))
		}
		seen[m.Text] = true
		delete(missing, m.Text)
	}
	if len(missing) > 0 {
		errs = append(errs, fmt.Errorf("%d answered messages are lost, such as %q", len(missing), slices.Sorted(maps.Keys(missing))[0]))
	}
	return errors.Join(errs...)
}

// Whoever knows the address need not wait for the names: a restart must not be the moment in which a message is refused.
func TestTakesWhenReady(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	ours := install(t, hosts[0])
	for i := range 10 {
		service, err := ours.Serve(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := hosts[1].Do(func() error { return hammer.New("bob", "ALPHA", "already?").Deliver(messages(hosts[0])) }); err != nil {
			t.Errorf("start %d: %v", i, err)
		}
		service.Kill()
	}
}

// A service that is told to stop has every message that it has answered, too, and refuses nothing half-way.
func TestStopped(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	ours, service := serve(ctx, t, hosts[0], unlimited)
	sent := 0
	var last error
	done := make(chan struct{})
	go func() {
		defer close(done)
		last = hosts[1].Do(func() error {
			for ; ; sent++ {
				if err := hammer.New("bob", "ALPHA", fmt.Sprint(sent)).Deliver(messages(hosts[0])); err != nil {
					return err
				}
			}
		})
	}()
	time.Sleep(500 * time.Millisecond)
	if err := service.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	<-done
	if _, err := ours.Serve(ctx, ""); err != nil {
		t.Fatal(err)
	}
	all, err := ours.Inbox(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if sent < 10 || len(all) < sent || len(all) > sent+1 {
		t.Errorf("%d messages answered, then %v; %d in the inbox", sent, last, len(all))
	}
}

// On a full disk nothing more is taken, and its sender hears so; but whoever deletes messages makes room for as many
// others, again and again, also after a start for which there was no room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 2*time.Minute)
	hosts := lan(t, "alpha", "beta")
	ours := install(t, hosts[0])
	sh := func(script string) {
		t.Helper()
		if _, stderr, err := hosts[0].Output(ctx, "sh", "-c", script); err != nil {
			t.Fatalf("%s: %v: %s", script, err, stderr)
		}
	}
	sh("mount -t tmpfs -o size=8m tmpfs /var/lib")
	service, err := ours.Serve(ctx, unlimited)
	if err != nil {
		t.Fatal(err)
	}
	sh("head -c 4M /dev/zero >/var/lib/others")
	// take sends messages until one is refused, and returns how many were taken.
	take := func(round, most int) (taken int) {
		t.Helper()
		hosts[1].Do(func() error {
			for ; taken < most; taken++ {
				text := fmt.Sprintf("%d %d %s", round, taken, strings.Repeat("long ", 20))
				if err := hammer.New("bob", "ALPHA", text).Deliver(messages(hosts[0])); err != nil {
					return err
				}
			}
			return nil
		})
		return taken
	}
	remove := func(n int) {
		t.Helper()
		list, err := ours.Inbox(ctx)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"inbox", "delete"}
		for _, m := range list[len(list)-n:] {
			args = append(args, m.ID)
		}
		if err := hosts[0].Run(ours.Command(ctx, args...)); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
	if n := take(0, 10_000); n < 100 || n == 10_000 {
		t.Fatalf("%d messages were taken", n)
	}
	for round := range 5 {
		remove(100)
		if n := take(round+1, 1000); n < 50 || n > 200 {
			t.Errorf("round %d: after 100 messages were deleted %d are taken", round, n)
		}
	}
	before, err := ours.Inbox(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Stop(); err != nil {
		t.Error(err)
	}
	sh("! cat /dev/zero >/var/lib/more")
	if _, err := ours.Serve(ctx, unlimited); err != nil {
		t.Fatal(err)
	}
	if after, err := ours.Inbox(ctx); err != nil || len(after) != len(before) {
		t.Errorf("%d messages after a restart, %v; want %d", len(after), err, len(before))
	}
	remove(100)
	if n := take(9, 1000); n < 50 {
		t.Errorf("after a restart: 100 messages were deleted and %d taken", n)
	}
}
