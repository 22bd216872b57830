package memlan_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier"
	"messngr/carrier/memlan"
	"messngr/wire/netbios"
)

var _ carrier.NetBIOS = (*memlan.Host)(nil)

var (
	alphaAddr = netip.MustParseAddr("10.77.0.1")
	betaAddr  = netip.MustParseAddr("10.77.0.2")
	nobody    = netip.MustParseAddr("10.77.0.9")
)

func name(t testing.TB, label string, suffix netbios.Suffix) netbios.Name {
	t.Helper()
	n, err := netbios.New(label, suffix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run switches hosts on until the test's bubble ends.
func run(t *testing.T, hosts ...*memlan.Host) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, len(hosts))
	for _, h := range hosts {
		go func() { done <- h.Run(ctx) }()
		<-h.Ready()
	}
	t.Cleanup(func() {
		cancel()
		for range hosts {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
	})
}

func claim(t *testing.T, h *memlan.Host, n netbios.Name, group bool) {
	t.Helper()
	if err := h.Claim(t.Context(), n, group); err != nil {
		t.Fatal(err)
	}
}

func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := memlan.New(memlan.Faults{})
		alpha, beta := lan.Host(alphaAddr), lan.Host(betaAddr)
		pc, group := name(t, "PC", netbios.Messenger), name(t, "WORKGROUP", netbios.Workstation)
		if err := alpha.Claim(t.Context(), pc, false); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("claim while off: %v, want ErrOff", err)
		}
		run(t, alpha, beta)
		claim(t, alpha, pc, false)
		claim(t, alpha, pc, false)
		claim(t, alpha, group, true)
		claim(t, beta, group, true)
		for _, n := range []netbios.Name{pc, group} {
			var conflict *carrier.ConflictError
			if err := beta.Claim(t.Context(), n, false); !errors.As(err, &conflict) || conflict.Owner != alphaAddr {
				t.Errorf("second claim of %s: %v, want a conflict with %v", n, err, alphaAddr)
			}
		}
		want := []carrier.NameEntry{
			{Name: pc, State: carrier.Owned, Interface: memlan.Interface},
			{Name: group, Group: true, State: carrier.Owned, Interface: memlan.Interface},
		}
		got, err := beta.Status(t.Context(), alphaAddr)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); err != nil || diff != "" {
			t.Errorf("status: %v (-want +got):\n%s", err, diff)
		}
		if _, err := beta.Status(t.Context(), nobody); !errors.Is(err, carrier.ErrNoName) {
			t.Errorf("status of nobody: %v, want ErrNoName", err)
		}
		for n, want := range map[netbios.Name]netip.Addr{pc: alphaAddr, group: lan.Broadcast()} {
			if got, err := beta.Resolve(t.Context(), n); err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("resolve %s: %v, %v, want %v", n, got, err, want)
			}
		}
		if err := alpha.Release(t.Context(), pc); err != nil {
			t.Error(err)
		}
		if got, err := beta.Resolve(t.Context(), pc); !errors.Is(err, carrier.ErrNoName) {
			t.Errorf("resolve a released name: %v, %v, want ErrNoName", got, err)
		}
		claim(t, beta, pc, false)
	})
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := memlan.New(memlan.Faults{})
		alpha, beta := lan.Host(alphaAddr), lan.Host(betaAddr)
		caller, called := name(t, "ALPHA", netbios.Messenger), name(t, "BETA", netbios.Messenger)
		beta.HandleSessions(func(ctx context.Context, s carrier.Session) {
			if s.Called() != called || s.Calling() != caller || s.Remote().Addr() != alphaAddr {
				t.Errorf("session to %s by %s from %v", s.Called(), s.Calling(), s.Remote())
			}
			for {
				m, err := s.Read()
				if err != nil {
					if err != io.EOF {
						t.Errorf("Read: %v, want EOF", err)
					}
					return
				}
				if err := s.Write(append([]byte("re: "), m...)); err != nil {
					t.Error(err)
				}
				if string(m) == "bye" {
					return
				}
			}
		})
		run(t, alpha, beta)
		claim(t, beta, called, false)

		s, err := alpha.Dial(t.Context(), betaAddr, called, caller)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"one", "bye"} {
			if err := s.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got, err := s.Read(); err != nil || string(got) != "re: "+text {
				t.Errorf("Read = %q, %v, want an answer to %s", got, err, text)
			}
		}
		if _, err := s.Read(); err != io.EOF {
			t.Errorf("Read after the other side left: %v, want EOF", err)
		}
		if err := s.Write(nil); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write after the other side left: %v, want EPIPE", err)
		}
		s.Close()
		s.Close()
		if _, err := s.Read(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close: %v, want ErrClosed", err)
		}
		if err := s.Write(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after Close: %v, want ErrClosed", err)
		}
	})
}

func TestDialRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := memlan.New(memlan.Faults{})
		alpha, beta := lan.Host(alphaAddr), lan.Host(betaAddr)
		pc := name(t, "PC", netbios.Messenger)
		dial := func(addr netip.Addr, want error) {
			t.Helper()
			s, err := alpha.Dial(t.Context(), addr, pc, pc)
			if !errors.Is(err, want) {
				t.Errorf("dial: %v, want %v", err, want)
			}
			if err == nil {
				s.Close()
			}
		}
		dial(betaAddr, carrier.ErrOff)
		run(t, alpha)
		dial(nobody, syscall.ECONNREFUSED)
		dial(betaAddr, syscall.ECONNREFUSED)
		beta.HandleSessions(func(context.Context, carrier.Session) {})
		run(t, beta)
		dial(betaAddr, carrier.ErrNoName)
		claim(t, beta, pc, false)
		dial(betaAddr, nil)
		beta.AdmitSessions(func(remote netip.Addr, called netbios.Name) error {
			return fmt.Errorf("%v: %w", remote, carrier.ErrNoResources)
		})
		dial(betaAddr, carrier.ErrNoResources)
		s, err := alpha.Dial(t.Context(), betaAddr, netbios.Name{}, netbios.Name{})
		if err != nil {
			t.Fatalf("direct hosting: %v", err)
		}
		s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := alpha.Dial(ctx, betaAddr, pc, pc); !errors.Is(err, context.Canceled) {
			t.Errorf("dial: %v, want Canceled", err)
		}
	})
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := memlan.New(memlan.Faults{})
		alpha, beta := lan.Host(alphaAddr), lan.Host(betaAddr)
		pc := name(t, "PC", netbios.Messenger)
		beta.HandleSessions(func(ctx context.Context, s carrier.Session) { <-ctx.Done() })
		run(t, alpha, beta)
		claim(t, beta, pc, false)
		s, err := alpha.Dial(t.Context(), betaAddr, pc, pc)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		start := time.Now()
		s.SetDeadline(start.Add(time.Hour))
		s.SetDeadline(start.Add(time.Second))
		if _, err := s.Read(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Read: %v after %v, want a deadline after 1 s", err, time.Since(start))
		}
		if err := s.Write(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: %v, want a deadline", err)
		}
		s.SetDeadline(time.Time{})
		n := 0
		for ; n < 1000 && err == nil; n++ { // until nobody reads any more
			s.SetDeadline(time.Now().Add(time.Second))
			err = s.Write([]byte("x"))
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write of %d messages that nobody reads: %v, want a deadline", n, err)
		}
		s.SetDeadline(time.Time{})
		time.AfterFunc(time.Minute, func() { s.SetDeadline(time.Now()) })
		if _, err := s.Read(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read while the deadline moves: %v, want a deadline", err)
		}
	})
}

// datagrams sends n datagrams from alpha and returns what beta gets, in its order.
func datagrams(t *testing.T, faults memlan.Faults, n int) (got []string) {
	synctest.Test(t, func(t *testing.T) {
		lan := memlan.New(faults)
		alpha, beta := lan.Host(alphaAddr), lan.Host(betaAddr)
		pc := name(t, "PC", netbios.Messenger)
		beta.HandleDatagrams(func(d carrier.Datagram) { got = append(got, string(d.Data)) })
		run(t, alpha, beta)
		claim(t, beta, pc, false)
		for i := range n {
			if err := alpha.SendDatagram(t.Context(), betaAddr, pc, pc, fmt.Append(nil, i)); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		time.Sleep(time.Hour)
	})
	return got
}

func TestFaults(t *testing.T) {
	if got := datagrams(t, memlan.Faults{}, 3); !cmp.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("without faults %q arrive, want all in order", got)
	}
	if got := datagrams(t, memlan.Faults{Loss: 1}, 3); got != nil {
		t.Errorf("when all is lost %q arrive", got)
	}
	if got := datagrams(t, memlan.Faults{Duplicate: 1}, 2); !cmp.Equal(got, []string{"0", "0", "1", "1"}) {
		t.Errorf("with duplicates %q arrive, want each twice", got)
	}
	if got := datagrams(t, memlan.Faults{Delay: time.Minute}, 2); !cmp.Equal(got, []string{"0", "1"}) {
		t.Errorf("with a delay %q arrive, want all in order", got)
	}
	mixed := memlan.Faults{Seed: 7, Loss: 0.3, Duplicate: 0.3, Jitter: time.Second}
	first, second := datagrams(t, mixed, 50), datagrams(t, mixed, 50)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two runs with one seed differ:\n%s", diff)
	}
	if len(first) < 20 || len(first) > 80 {
		t.Errorf("%d of 50 datagrams arrive with faults of 30 %%", len(first))
	}
}

func TestWhoGetsADatagram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := memlan.New(memlan.Faults{})
		alpha, beta, deaf := lan.Host(alphaAddr), lan.Host(betaAddr), lan.Host(nobody)
		pc, group := name(t, "PC", netbios.Messenger), name(t, "GROUP", netbios.Workstation)
		other := name(t, "OTHER", netbios.Messenger)
		var mu sync.Mutex
		var got []string
		take := func(who string) func(carrier.Datagram) {
			return func(d carrier.Datagram) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, fmt.Sprintf("%s: %s to %s, group %v, from %v", who, d.From, d.To, d.Group, d.Source))
			}
		}
		alpha.HandleDatagrams(take("alpha"))
		beta.HandleDatagrams(take("beta"))
		if err := alpha.SendDatagram(t.Context(), betaAddr, pc, pc, nil); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("send while off: %v, want ErrOff", err)
		}
		run(t, alpha, beta, deaf)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := alpha.SendDatagram(ctx, betaAddr, pc, pc, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("send after the end: %v, want Canceled", err)
		}
		claim(t, beta, pc, false)
		claim(t, alpha, group, true)
		claim(t, beta, group, true)
		claim(t, deaf, group, true)
		for _, d := range []struct {
			addr netip.Addr
			to   netbios.Name
		}{{betaAddr, pc}, {betaAddr, other}, {alphaAddr, pc}, {netip.Addr{}, pc}, {netip.Addr{}, group}, {netip.Addr{}, netbios.Wildcard()}} {
			if err := alpha.SendDatagram(t.Context(), d.addr, d.to, other, nil); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		want := []string{
			"beta: OTHER<03> to PC<03>, group false, from 10.77.0.1:138",
			"alpha: OTHER<03> to GROUP<00>, group true, from 10.77.0.1:138",
			"beta: OTHER<03> to GROUP<00>, group true, from 10.77.0.1:138",
			"alpha: OTHER<03> to *<00>, group true, from 10.77.0.1:138",
			"beta: OTHER<03> to *<00>, group true, from 10.77.0.1:138",
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}
