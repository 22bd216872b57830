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
		if got := len(c.entries); got != cacheSize {
			t.Errorf("%d entries, want %d", got, cacheSize)
		}
	})
}
