//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/samba"
)

// everyInterface has our program serve all three networks of a router.
var everyInterface = []string{"--interface", "eth1", "--interface", "eth2"}

// ownAddresses are those of the router in its networks.
func ownAddresses(all []*lab.Subnet) []netip.Addr {
	var list []netip.Addr
	for _, s := range all {
		list = append(list, s.Broadcast().Prev())
	}
	return list
}

// atServerEverywhere waits until a name server has a name at exactly these addresses, in whatever order.
func atServerEverywhere(ctx context.Context, t *testing.T, asker *samba.Samba, server netip.Addr, name string, want ...netip.Addr) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var got []netip.Addr
	if err := lab.Until(ctx, func() error {
		got, _ = asker.Lookup(ctx, name, "--recursion", "-U", server.String())
		slices.SortFunc(got, netip.Addr.Compare)
		if !slices.Equal(got, want) {
			return fmt.Errorf("not yet")
		}
		return nil
	}); err != nil {
		t.Errorf("the name server at %v has %s at %v, want %v", server, name, got, want)
	}
}

// A machine with several addresses, which claims its names by all of them at once, has them by all of them at every
// kind of name server, and is in no conflict with itself.
func TestManyAddresses(t *testing.T) {
	t.Parallel()
	for server, start := range nameServers {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			ctx := labtest.Context(t, 3*time.Minute)
			all := subnets(t, 3)
			near := labtest.Hosts(t, all[0], "wins", "asker")
			router := route(t, all)
			start(ctx, t, near[0])
			asker := asking(t, near[1])
			wins := near[0].Addr()
			_, running := serve(ctx, t, router, "", append(everyInterface, "--wins", wins.String())...)
			atServerEverywhere(ctx, t, asker, wins, "ROUTER#03", ownAddresses(all)...)
			if err := running.Stop(); err != nil {
				t.Error(err)
			}
			atServerEverywhere(ctx, t, asker, wins, "ROUTER#03")
		})
	}
}

// A name server that is the router between networks serves the machines of all of them, whichever of its addresses they
// were told, and has its own names by all of its addresses.
func TestServerOfSeveralNetworks(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 2*time.Minute)
	all := subnets(t, 3)
	near, far := labtest.Hosts(t, all[0], "alpha", "asker"), labtest.Hosts(t, all[2], "omega")
	router := route(t, all)
	serve(ctx, t, router, "[wins]\nserve = true\n", everyInterface...)
	addrs := ownAddresses(all)
	one, _ := serve(ctx, t, near[0], "", "--wins", addrs[2].String())
	two, _ := serve(ctx, t, far[0], "", "--wins", addrs[0].String())
	asker := asking(t, near[1])
	for _, at := range addrs {
		atServer(ctx, t, asker, at, "ALPHA#03", near[0].Addr())
		atServer(ctx, t, asker, at, "OMEGA#03", far[0].Addr())
		atServerEverywhere(ctx, t, asker, at, "ROUTER#03", addrs...)
	}
	wantPlace(ctx, t, one, "OMEGA", far[0].Addr())
	wantPlace(ctx, t, two, "ALPHA", near[0].Addr())
	if ok, out := add(ctx, two, "ALPHA"); ok {
		t.Errorf("name add ALPHA: %s, want that it is taken", out)
	}
}
