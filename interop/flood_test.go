//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"messngr/interop/hammer"
	"messngr/interop/lab"
	"messngr/interop/labtest"
)

// garbageRate is in frames a second.
const garbageRate = 5000

// Garbage at every port, 5,000 frames a second: memory stays as it is, and a good message arrives within a second.
func TestGarbage(t *testing.T) {
	t.Parallel()
	d := 5 * time.Second
	if *soak {
		d = time.Minute
	}
	ctx := labtest.Context(t, d+time.Minute)
	hosts := lan(t, "alpha", "noise", "beta")
	ours, service := serve(ctx, t, hosts[0], "")
	n := startNoise(ctx, t, hosts[1], hosts[0].Addr())
	time.Sleep(d / 5) // buffers and tables fill
	before := resident(t, service)
	sent := 0
	for began := time.Now(); time.Since(began) < d; sent++ {
		start := time.Now()
		if err := hosts[2].Do(func() error {
			return hammer.New("bob", "ALPHA", fmt.Sprintf("good %d", sent)).Deliver(messages(hosts[0]))
		}); err != nil {
			t.Fatalf("good message %d: %v", sent, err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("good message %d took %v", sent, took)
		}
		time.Sleep(200 * time.Millisecond)
	}
	after := resident(t, service)
	frames := n.stop()
	if rate := float64(frames) / (d + d/5).Seconds(); rate < garbageRate*0.8 {
		t.Errorf("only %.0f frames a second were sent", rate)
	}
	t.Logf("%d frames of garbage, memory %d kB before and %d kB after", frames, before, after)
	if after > before+before/4+8192 {
		t.Errorf("memory grew from %d kB to %d kB", before, after)
	}
	all, err := ours.Inbox(ctx)
	if err != nil {
		t.Fatal(err)
	}
	good := 0
	for _, m := range all {
		if m.From == "bob" && strings.HasPrefix(m.Text, "good ") {
			good++
		}
	}
	if good != sent {
		t.Errorf("%d good messages of %d are in the inbox", good, sent)
	}
}

// noise sends garbage until it is stopped.
type noise struct {
	cancel context.CancelFunc
	sent   atomic.Int64
	done   sync.WaitGroup
}

func (n *noise) stop() int64 {
	n.cancel()
	n.done.Wait()
	return n.sent.Load()
}

func startNoise(ctx context.Context, t *testing.T, from *lab.Host, to netip.Addr) *noise {
	t.Helper()
	n := &noise{}
	ctx, n.cancel = context.WithCancel(ctx)
	// A third of the frames to each port. What comes over TCP is cut off by the service and connects anew.
	for _, port := range []string{"udp4 137", "udp4 138", "tcp4 139"} {
		network, number, _ := strings.Cut(port, " ")
		n.done.Go(func() { n.send(ctx, from, network, net.JoinHostPort(to.String(), number)) })
	}
	t.Cleanup(func() { n.stop() })
	return n
}

// send keeps to its pace by the clock: what it could not send in one moment it sends in the next.
func (n *noise) send(ctx context.Context, from *lab.Host, network, address string) {
	source := rand.New(rand.NewPCG(1, uint64(len(address))))
	var conn net.Conn
	began := time.Now()
	for i := 0; ctx.Err() == nil; {
		due := int(time.Since(began).Seconds() * garbageRate / 3)
		if i >= due {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		if conn == nil {
			var err error
			if conn, err = from.Dial(ctx, network, address); err != nil {
				time.Sleep(2 * time.Millisecond)
				continue
			}
		}
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := conn.Write(rubbish(source)); err != nil && network == "tcp4" {
			conn.Close()
			conn = nil
		}
		i++
		n.sent.Add(1)
	}
	if conn != nil {
		conn.Close()
	}
}

// rubbish is noise, or the beginning of something good that turns into noise.
func rubbish(r *rand.Rand) []byte {
	starts := []string{
		"",
		"\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20",                          // a name query
		"\x11\x02\x00\x01\x0a\x4d\x00\x02\x00\x8a\x00\xff\x00\x00\x20",                  // a group datagram
		"\x00\x00\x00\x3f\xffSMB\xd0",                                                   // a message
		"\x81\x00\x00\x44\x20" + strings.Repeat("CA", 16) + "\x00\x20",                  // a session request
		"\x00\x01\xff\xff\xffSMB\xd5" + strings.Repeat("\x00", 27) + "\x00\xff\xff\x04", // a start that announces much
	}
	b := []byte(starts[r.IntN(len(starts))])
	for range r.IntN(200) {
		b = append(b, byte(r.Uint32()))
	}
	return append(b, 0)
}

// resident is the daemon's memory in kB.
func resident(t *testing.T, d *lab.Daemon) (kB int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	return kB
}

// Good messages, faster than anybody needs: a burst is taken, what is beyond the limit is refused by the protocol's own
// error, and exactly what was answered is in the inbox.
func TestBusy(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	ours, _ := serve(ctx, t, hosts[0], "")
	const tries, burst = 6000, 2000
	taken, refused, firstRefused := 0, 0, 0
	if err := hosts[1].Do(func() error {
		for i := range tries {
			err := hammer.New("bob", "ALPHA", fmt.Sprint(i)).Deliver(messages(hosts[0]))
			switch {
			case err == nil:
				taken++
			case strings.Contains(err.Error(), "refused"):
				if refused == 0 {
					firstRefused = i
				}
				refused++
			default:
				return fmt.Errorf("message %d: %w", i, err)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	t.Logf("%d taken, %d refused, the first after %d", taken, refused, firstRefused)
	if firstRefused < burst || refused == 0 {
		t.Errorf("the first refusal is after %d messages, want after %d or more, and some", firstRefused, burst)
	}
	all, err := ours.Inbox(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != taken {
		t.Errorf("%d messages are in the inbox, %d were answered", len(all), taken)
	}
}
