package nbt

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/wire/netbios"
)

const (
	// cacheTime is how long a found name is remembered, as on Windows.
	cacheTime = 10 * time.Minute
	// cacheSize bounds the memory that answers can fill.
	cacheSize = 4096
)

// A cache remembers where names were found.
type cache struct {
	mu      sync.Mutex
	entries map[netbios.Name]cacheEntry
}

type cacheEntry struct {
	addrs   []netip.Addr
	expires time.Time
}

func newCache() *cache {
	return &cache{entries: make(map[netbios.Name]cacheEntry)}
}

// get returns the addresses of name, or nil if they are not known any more.
func (c *cache) get(name netbios.Name) []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[name]
	if !time.Now().Before(e.expires) {
		return nil
	}
	return slices.Clone(e.addrs)
}

// put remembers the addresses of name. When the cache is full it makes room by
// whatever has expired, and else by any entry.
func (c *cache) put(name netbios.Name, addrs []netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if len(c.entries) >= cacheSize {
		for n, e := range c.entries {
			if !now.Before(e.expires) {
				delete(c.entries, n)
			}
		}
	}
	for n := range c.entries {
		if len(c.entries) < cacheSize {
			break
		}
		delete(c.entries, n)
	}
	c.entries[name] = cacheEntry{addrs: slices.Clone(addrs), expires: now.Add(cacheTime)}
}

// forget drops name, because its owner changed or was not where it should be.
func (c *cache) forget(name netbios.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, name)
}
