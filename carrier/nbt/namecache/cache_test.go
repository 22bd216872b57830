package namecache

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/netbios"
)

var (
	pc17        = mustName("PC17", netbios.Messenger)
	compareAddr = cmpopts.EquateComparable(netip.Addr{})
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func mustName(label string, suffix netbios.Suffix) netbios.Name {
	n, err := netbios.New(label, suffix)
	if err != nil {
		panic(err)
	}
	return n
}

func mustNew(t *testing.T, path string) *Cache {
	t.Helper()
	c, err := New(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, "")
		want := []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}
		c.Put(pc17, want)
		got := c.Get(pc17)
		if diff := cmp.Diff(want, got, compareAddr); diff != "" {
			t.Errorf("get (-want +got):\n%s", diff)
		}
		got[0] = addr("10.9.9.9")
		if diff := cmp.Diff(want, c.Get(pc17), compareAddr); diff != "" {
			t.Errorf("the cache was changed from outside (-want +got):\n%s", diff)
		}
		time.Sleep(lifetime - time.Second)
		if c.Get(pc17) == nil {
			t.Error("forgotten before ten minutes")
		}
		time.Sleep(time.Second)
		if got := c.Get(pc17); got != nil {
			t.Errorf("after ten minutes get = %v, want nothing", got)
		}
		c.Put(pc17, want)
		c.Forget(pc17)
		if got := c.Get(pc17); got != nil {
			t.Errorf("after forget get = %v, want nothing", got)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, "")
		for i := range maxFound {
			c.Put(mustName(fmt.Sprintf("OLD%d", i), netbios.Messenger), []netip.Addr{addr("10.0.0.1")})
		}
		time.Sleep(time.Minute)
		for i := range maxFound + 10 {
			name := mustName(fmt.Sprintf("NEW%d", i), netbios.Messenger)
			c.Put(name, []netip.Addr{addr("10.0.0.2")})
			if c.Get(name) == nil {
				t.Fatalf("name %d not found after put", i)
			}
		}
		if got := len(c.found); got != maxFound {
			t.Errorf("%d entries, want %d", got, maxFound)
		}
	})
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, writeHosts(t, "10.9.9.9 SERVER #PRE\n"))
		server := mustName("SERVER", netbios.Workstation)
		c.Put(pc17, []netip.Addr{addr("10.0.0.2")})
		c.Put(server, []netip.Addr{addr("10.0.0.66")}) // never shown: the file says where it is
		time.Sleep(time.Minute)
		far := []netip.Addr{addr("10.9.9.9")}
		forever := []Entry{
			{Name: server, Addrs: far},
			{Name: server.WithSuffix(netbios.Messenger), Addrs: far},
			{Name: server.WithSuffix(netbios.FileServer), Addrs: far},
		}
		want := append([]Entry{{Name: pc17, Addrs: []netip.Addr{addr("10.0.0.2")}, Life: 9 * time.Minute}}, forever...)
		if diff := cmp.Diff(want, c.List(), compareAddr); diff != "" {
			t.Errorf("list (-want +got):\n%s", diff)
		}
		if got := c.Get(server); len(got) != 1 || got[0] != far[0] {
			t.Errorf("Get = %v, want what the file says", got)
		}
		if err := c.Purge(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(forever, c.List(), compareAddr); diff != "" {
			t.Errorf("list after the purge (-want +got):\n%s", diff)
		}
	})
}

// TestPurgeReadsTheFileAgain: what changed counts, and a file that is gone changes nothing.
func TestPurgeReadsTheFileAgain(t *testing.T) {
	path := writeHosts(t, "10.9.9.9 SERVER #PRE\n")
	c := mustNew(t, path)
	server := mustName("SERVER", netbios.Messenger)
	if err := os.WriteFile(path, []byte("10.9.9.8 SERVER #PRE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Purge(); err != nil {
		t.Fatal(err)
	}
	if got := c.Get(server); len(got) != 1 || got[0] != addr("10.9.9.8") {
		t.Errorf("Get = %v, want what the file says now", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := c.Purge(); err == nil {
		t.Error("Purge without the file = nil, want an error")
	}
	if got := c.Get(server); len(got) != 1 {
		t.Errorf("Get = %v, want what the file said last", got)
	}
}
