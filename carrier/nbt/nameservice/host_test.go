package nameservice

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/linktest"
	"messngr/wire/nbns"
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

// A host is a machine on a lan.
type host struct {
	*Service
	listen link.Listener
	nodes  []*Node
}

// testLog shows what hosts say when the tests run with -v.
func testLog(t testing.TB, name string) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("host", name)
}

// boot starts a host with the given addresses, for whoever stops it.
func (l *lan) boot(t testing.TB, cfg Config, prefixes ...string) *host {
	t.Helper()
	listen := l.Listener()
	cfg.Port, cfg.Listen = nbns.Port, listen
	if cfg.Route == nil {
		cfg.Route = linktest.NoRoute
	}
	if cfg.Log == nil {
		cfg.Log = testLog(t, prefixes[0])
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Service: s, listen: listen}
	h.use(prefixes...)
	return h
}

// start runs a host until the test ends or the host is stopped.
func (l *lan) start(t testing.TB, cfg Config, prefixes ...string) *host {
	t.Helper()
	h := l.boot(t, cfg, prefixes...)
	t.Cleanup(h.stop)
	return h
}

// use gives the host other addresses than before.
func (h *host) use(prefixes ...string) {
	stopAll(h.nodes)
	h.nodes = nil
	for i, p := range prefixes {
		iface := linktest.Interface(fmt.Sprintf("eth%d", i), p)
		h.nodes = append(h.nodes, h.Attach(iface, func(at netip.Addr, _ string) link.Conn {
			s, err := h.listen(netip.AddrPortFrom(at, nbns.Port))
			if err != nil {
				return nil
			}
			return s
		}))
	}
}

// stop releases all names and ends the host.
func (h *host) stop() {
	h.Stop()
	stopAll(h.nodes)
	h.nodes = nil
}

func stopAll(nodes []*Node) {
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(n.Stop)
	}
	wg.Wait()
}

// tryClaim claims a name on a host and gives the verdict.
func tryClaim(t testing.TB, c *Service, name netbios.Name, group bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return c.Claim(ctx, name, group)
}

func mustClaim(t testing.TB, c *Service, names ...netbios.Name) {
	t.Helper()
	for _, n := range names {
		if err := tryClaim(t, c, n, false); err != nil {
			t.Fatalf("Claim(%v) = %v", n, err)
		}
	}
}

var compareAddr = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})
