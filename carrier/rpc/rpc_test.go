package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"messngr/carrier"
	"messngr/carrier/rpc"
	"messngr/wire/dcerpc"
)

var (
	echoes = dcerpc.Syntax{ID: uuid.MustParse("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc"), Major: 1}
	// Addresses of this host that no other test uses just now.
	alpha, beta, gamma = loopback(1), loopback(2), loopback(3)
)

const port = 11135

func loopback(n byte) netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, 150 + byte(pid>>8)%50, byte(pid), n})
}

// run runs a carrier with a handler that returns what it gets, until stop is called.
func run(t *testing.T, c *rpc.Carrier) (stop func()) {
	t.Helper()
	c.Handle(echoes, "echo", func(_ context.Context, _ netip.AddrPort, call dcerpc.Call) ([]byte, error) {
		return call.Stub, nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-c.Ready()
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func newCarrier(t *testing.T, log *slog.Logger, addresses ...netip.Addr) *rpc.Carrier {
	t.Helper()
	c, err := rpc.New(rpc.Config{Addresses: addresses, Port: port, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestLoopback makes calls over sockets, of all sizes from the shortest that is not
// shorter than a callback.
func TestLoopback(t *testing.T) {
	server, client := newCarrier(t, nil, beta), newCarrier(t, nil)
	run(t, server)
	run(t, client)
	for _, size := range []int{20, 943, 944, 945, 9600, 65536} {
		stub := bytes.Repeat([]byte{'x'}, size)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		got, err := client.Call(ctx, beta, dcerpc.Call{Interface: echoes, Stub: stub})
		cancel()
		if err != nil || !bytes.Equal(got.Stub, stub) {
			t.Errorf("%d bytes: %d came back, %v", size, len(got.Stub), err)
		}
	}
	if got := server.Refused(); len(got) != 0 {
		t.Errorf("refused: %v", got)
	}
	if got := client.Port(); got != port {
		t.Errorf("calls are made to port %d, want %d", got, port)
	}
}

func TestManyAtOnce(t *testing.T) {
	server, client := newCarrier(t, nil, beta), newCarrier(t, nil)
	run(t, server)
	run(t, client)
	var calls sync.WaitGroup
	for i := range 100 {
		calls.Go(func() {
			for range 20 {
				stub := []byte(strings.Repeat("x", 100*(1+i%30)))
				got, err := client.Call(t.Context(), beta, dcerpc.Call{Interface: echoes, Stub: stub})
				if err != nil || !bytes.Equal(got.Stub, stub) {
					t.Errorf("%d bytes: %d came back, %v", len(stub), len(got.Stub), err)
				}
			}
		})
	}
	calls.Wait()
}

// TestNobodyListens is a host on which the port is closed: the system knows that at once.
func TestNobodyListens(t *testing.T) {
	client := newCarrier(t, nil)
	run(t, client)
	start := time.Now()
	_, err := client.Call(t.Context(), gamma, dcerpc.Call{Interface: echoes})
	if !errors.Is(err, carrier.ErrOff) || !errors.Is(err, syscall.ECONNREFUSED) || time.Since(start) > time.Second {
		t.Errorf("%v after %v, want ErrOff at once", err, time.Since(start))
	}
	_, err = client.Call(t.Context(), netip.Addr{}, dcerpc.Call{Interface: echoes})
	if !errors.Is(err, carrier.ErrOff) {
		t.Errorf("no address: %v, want ErrOff", err)
	}
}

// TestPortIsTaken finds the port in use at one of two addresses: that is said once, and
// everything else goes on.
func TestPortIsTaken(t *testing.T) {
	other, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(alpha, port)))
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c := newCarrier(t, slog.New(slog.NewTextHandler(&said, nil)), alpha, beta)
	stop := run(t, c)
	ports := c.Ports()
	if len(ports) != 2 || !errors.Is(ports[0].Err, syscall.EADDRINUSE) || ports[1].Err != nil ||
		ports[0].Network != "udp" || ports[0].Address != netip.AddrPortFrom(alpha, port) || ports[0].Purpose == "" {
		t.Errorf("ports %+v", ports)
	}
	call := dcerpc.Call{Interface: echoes, Stub: []byte("longer than a callback")}
	works := func(addr netip.Addr) bool {
		got, err := c.Call(t.Context(), addr, call)
		return err == nil && bytes.Equal(got.Stub, call.Stub)
	}
	if !works(beta) {
		t.Error("no call to the other address")
	}
	c.SetAddresses([]netip.Addr{alpha, beta, gamma})
	eventually(t, func() bool { return len(c.Ports()) == 3 })
	if !works(gamma) {
		t.Error("no call to the new address")
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	c.SetAddresses([]netip.Addr{alpha})
	eventually(t, func() bool { p := c.Ports(); return len(p) == 1 && p[0].Err == nil })
	if !works(alpha) {
		t.Error("no call to the address that has become free")
	}
	if works(gamma) {
		t.Error("a call to the address that was given up")
	}
	stop()
	if n := strings.Count(said.String(), "port not available"); n != 1 {
		t.Errorf("said %d times, want once:\n%s", n, said.String())
	}
}

// TestTwoServers tries to share a port, which must not succeed.
func TestTwoServers(t *testing.T) {
	run(t, newCarrier(t, nil, beta))
	second := newCarrier(t, nil, beta)
	run(t, second)
	if p := second.Ports(); len(p) != 1 || p[0].Err == nil {
		t.Errorf("two servers have one port: %+v", p)
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it does not happen")
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]rpc.Config{
		"no port": {Addresses: []netip.Addr{beta}},
	} {
		if _, err := rpc.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	c := newCarrier(t, nil)
	if _, err := c.Call(t.Context(), beta, dcerpc.Call{}); !errors.Is(err, carrier.ErrOff) {
		t.Errorf("a call before Run: %v, want ErrOff", err)
	}
}
