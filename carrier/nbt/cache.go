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

// A CacheEntry is one name whose place is remembered, as nbtstat -c lists it.
type CacheEntry struct {
	Name  netbios.Name
	Addrs []netip.Addr
	// Life is how long it will be remembered; zero is for ever (#PRE in LMHOSTS).
	Life time.Duration
}

// Cache lists the names whose place is remembered, by name.
func (c *Carrier) Cache() []CacheEntry {
	return c.cache.list()
}

// PurgeCache forgets all names that were found, and reads the LMHOSTS file again
// (nbtstat -R).
func (c *Carrier) PurgeCache() error {
	hosts, err := loadHosts(c.cfg.LMHosts, c.log)
	if err != nil {
		return err
	}
	c.hosts.Store(&hosts)
	c.cache.reset(hosts)
	return nil
}

// A cache remembers where names were found.
type cache struct {
	mu      sync.Mutex
	found   map[netbios.Name]found
	forever map[netbios.Name][]netip.Addr
}

type found struct {
	addrs   []netip.Addr
	expires time.Time
}

func newCache() *cache {
	return &cache{found: make(map[netbios.Name]found), forever: make(map[netbios.Name][]netip.Addr)}
}

// get returns the addresses of name, or nil if they are not known any more.
func (c *cache) get(name netbios.Name) []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	if addrs, ok := c.forever[name]; ok {
		return slices.Clone(addrs)
	}
	e := c.found[name]
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
	if len(c.found) >= cacheSize {
		for n, e := range c.found {
			if !now.Before(e.expires) {
				delete(c.found, n)
			}
		}
	}
	for n := range c.found {
		if len(c.found) < cacheSize {
			break
		}
		delete(c.found, n)
	}
	c.found[name] = found{addrs: slices.Clone(addrs), expires: now.Add(cacheTime)}
}

// forget drops name, because its owner changed or was not where it should be. What
// the administrator wrote down stays.
func (c *cache) forget(name netbios.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.found, name)
}

// reset drops everything, and remembers the preloaded hosts for ever.
func (c *cache) reset(h hosts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.found)
	c.forever = h.preloaded()
}

func (c *cache) list() []CacheEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]CacheEntry, 0, len(c.found)+len(c.forever))
	for name, addrs := range c.forever {
		list = append(list, CacheEntry{Name: name, Addrs: slices.Clone(addrs)})
	}
	for name, e := range c.found {
		life := time.Until(e.expires)
		if _, twice := c.forever[name]; !twice && life > 0 {
			list = append(list, CacheEntry{Name: name, Addrs: slices.Clone(e.addrs), Life: life})
		}
	}
	slices.SortFunc(list, func(a, b CacheEntry) int { return slices.Compare(a.Name[:], b.Name[:]) })
	return list
}
