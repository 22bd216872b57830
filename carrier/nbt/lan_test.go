package nbt

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/carrier/nbt/linktest"
	"messngr/wire/netbios"
)

// A lan is a network in memory with hosts on it.
type lan struct{ *linktest.LAN }

func newLAN(seed uint64) *lan { return &lan{linktest.New(seed)} }

func mustName(label string, suffix netbios.Suffix) netbios.Name {
	n, err := netbios.New(label, suffix)
	if err != nil {
		panic(err)
	}
	return n
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// A host is a carrier on a lan, and how to stop it.
type host struct {
	*Carrier
	stop func()
}

// testLog shows what hosts say when the tests run with -v.
func testLog(t testing.TB, name string) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("host", name)
}

func ports(t testing.TB) Ports {
	t.Helper()
	p, err := StandardPorts(0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newHost makes a carrier with the given addresses, B node if it has no name server, else H.
func (l *lan) newHost(t testing.TB, cfg Config, prefixes ...string) *Carrier {
	t.Helper()
	for i, p := range prefixes {
		cfg.Interfaces = append(cfg.Interfaces, linktest.Interface(fmt.Sprintf("eth%d", i), p))
	}
	cfg.Ports = ports(t)
	cfg.Ports.Session, cfg.Ports.Direct = 0, 0 // the lan carries no TCP
	cfg.Log = testLog(t, cfg.Interfaces[0].Prefix.String())
	c, err := newCarrier(cfg, l.Listener(), linktest.NoRoute)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start runs a new host until the test ends or the host is stopped.
func (l *lan) start(t testing.TB, cfg Config, prefixes ...string) host {
	t.Helper()
	c := l.newHost(t, cfg, prefixes...)
	return host{c, run(t, c)}
}

// run runs a carrier until the test ends or stop is called, and waits until it is ready.
func run(t testing.TB, c *Carrier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	<-c.Ready()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// tryClaim claims a name on a host and gives the verdict.
func tryClaim(t testing.TB, c *Carrier, name netbios.Name, group bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return c.Claim(ctx, name, group)
}

func mustClaim(t testing.TB, c *Carrier, names ...netbios.Name) {
	t.Helper()
	for _, n := range names {
		if err := tryClaim(t, c, n, false); err != nil {
			t.Fatalf("Claim(%v) = %v", n, err)
		}
	}
}

var (
	pc17  = mustName("PC17", netbios.Messenger)
	alice = mustName("ALICE", netbios.Messenger)
	group = mustName("WORKGROUP", netbios.Workstation)
)

// states gives the states of a host's names as text, for comparison.
func states(c *Carrier) []string {
	var list []string
	for _, e := range c.Names() {
		line := e.Interface + " " + e.Name.String() + " " + e.State.String()
		if e.Group {
			line += " group"
		}
		if e.Owner.IsValid() {
			line += " of " + e.Owner.String()
		}
		list = append(list, line)
	}
	return list
}

func wantStates(t *testing.T, c *Carrier, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, states(c)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func wantAddrs(t *testing.T, c *Carrier, name netbios.Name, want ...string) {
	t.Helper()
	got, err := c.Resolve(t.Context(), name)
	if err != nil {
		t.Errorf("Resolve(%v) = %v", name, err)
		return
	}
	var list []netip.Addr
	for _, s := range want {
		list = append(list, addr(s))
	}
	if diff := cmp.Diff(list, got, compareAddr); diff != "" {
		t.Errorf("Resolve(%v) (-want +got):\n%s", name, diff)
	}
}

var compareAddr = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})
