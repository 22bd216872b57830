package nbt

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/netbios"
)

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache()
		want := []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}
		c.put(pc17, want)
		got := c.get(pc17)
		if diff := cmp.Diff(want, got, compareAddr); diff != "" {
			t.Errorf("get (-want +got):\n%s", diff)
		}
		got[0] = addr("10.9.9.9")
		if diff := cmp.Diff(want, c.get(pc17), compareAddr); diff != "" {
			t.Errorf("the cache was changed from outside (-want +got):\n%s", diff)
		}
		time.Sleep(cacheTime - time.Second)
		if c.get(pc17) == nil {
			t.Error("forgotten before ten minutes")
		}
		time.Sleep(time.Second)
		if got := c.get(pc17); got != nil {
			t.Errorf("after ten minutes get = %v, want nothing", got)
		}
		c.put(pc17, want)
		c.forget(pc17)
		if got := c.get(pc17); got != nil {
			t.Errorf("after forget get = %v, want nothing", got)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache()
		for i := range cacheSize {
			c.put(mustName(fmt.Sprintf("OLD%d", i), netbios.Messenger), []netip.Addr{addr("10.0.0.1")})
		}
		time.Sleep(time.Minute)
		for i := range cacheSize + 10 {
			name := mustName(fmt.Sprintf("NEW%d", i), netbios.Messenger)
			c.put(name, []netip.Addr{addr("10.0.0.2")})
			if c.get(name) == nil {
				t.Fatalf("name %d not found after put", i)
			}
		}
		if got := len(c.found); got != cacheSize {
			t.Errorf("%d entries, want %d", got, cacheSize)
		}
	})
}

func TestCacheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		a := l.start(t, Config{LMHosts: writeHosts(t, "10.9.9.9 SERVER #PRE\n")}, "10.0.0.1/24")
		b := l.start(t, Config{}, "10.0.0.2/24")
		mustClaim(t, b.Carrier, pc17)
		wantAddrs(t, a.Carrier, pc17, "10.0.0.2")
		time.Sleep(time.Minute)
		server := mustName("SERVER", netbios.Workstation)
		far := []netip.Addr{addr("10.9.9.9")}
		forever := []CacheEntry{
			{Name: server, Addrs: far},
			{Name: server.WithSuffix(netbios.Messenger), Addrs: far},
			{Name: server.WithSuffix(netbios.FileServer), Addrs: far},
		}
		want := append([]CacheEntry{{Name: pc17, Addrs: []netip.Addr{addr("10.0.0.2")}, Life: 9 * time.Minute}}, forever...)
		if diff := cmp.Diff(want, a.Cache(), compareAddr); diff != "" {
			t.Errorf("cache (-want +got):\n%s", diff)
		}
		if err := a.PurgeCache(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(forever, a.Cache(), compareAddr); diff != "" {
			t.Errorf("cache after the purge (-want +got):\n%s", diff)
		}
	})
}
