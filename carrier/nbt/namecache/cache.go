// Package namecache remembers where names of other machines are: for a while those
// that were found, and for good those that an LMHOSTS file preloads.
package namecache

import (
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/wire/netbios"
)

const (
	// lifetime is how long a found name is remembered, as on Windows.
	lifetime = 10 * time.Minute
	// maxFound bounds the memory that answers can fill.
	maxFound = 4096
)

// An Entry is one name whose place is remembered, as nbtstat -c lists it.
type Entry struct {
	Name  netbios.Name
	Addrs []netip.Addr
	// Life is how long it will be remembered; zero is for ever (#PRE in LMHOSTS).
	Life time.Duration
}

// A Cache remembers where names are. Its methods may be called by several goroutines
// at once.
type Cache struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	found   map[netbios.Name]found
	forever map[netbios.Name][]netip.Addr
	hosts   hosts
}

type found struct {
	addrs   []netip.Addr
	expires time.Time
}

// New returns a cache of what the LMHOSTS file at path preloads, or of nothing if there
// is no path. It refuses a file that cannot be read, or that is too large.
func New(path string, log *slog.Logger) (*Cache, error) {
	c := &Cache{path: path, log: log, found: make(map[netbios.Name]found)}
	if err := c.Purge(); err != nil {
		return nil, err
	}
	return c, nil
}

// Purge forgets all names that were found, and reads the LMHOSTS file again
// (nbtstat -R). If it cannot be read nothing changes.
func (c *Cache) Purge() error {
	hosts, err := loadHosts(c.path, c.log)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.found)
	c.hosts, c.forever = hosts, hosts.preloaded()
	return nil
}

// Hosts returns the addresses that the LMHOSTS file has for name, preloaded or not.
func (c *Cache) Hosts(name netbios.Name) []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hosts.lookUp(name)
}

// Get returns the addresses of name, or nil if they are not known any more.
func (c *Cache) Get(name netbios.Name) []netip.Addr {
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

// Put remembers the addresses of name. When the cache is full it makes room by
// whatever has expired, and else by any entry.
func (c *Cache) Put(name netbios.Name, addrs []netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if len(c.found) >= maxFound {
		for n, e := range c.found {
			if !now.Before(e.expires) {
				delete(c.found, n)
			}
		}
	}
	for n := range c.found {
		if len(c.found) < maxFound {
			break
		}
		delete(c.found, n)
	}
	c.found[name] = found{addrs: slices.Clone(addrs), expires: now.Add(lifetime)}
}

// Forget drops name, because its owner changed or was not where it should be. What
// the administrator wrote down stays.
func (c *Cache) Forget(name netbios.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.found, name)
}

// List lists the names whose place is remembered, by name.
func (c *Cache) List() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Entry, 0, len(c.found)+len(c.forever))
	for name, addrs := range c.forever {
		list = append(list, Entry{Name: name, Addrs: slices.Clone(addrs)})
	}
	for name, e := range c.found {
		life := time.Until(e.expires)
		if _, twice := c.forever[name]; !twice && life > 0 {
			list = append(list, Entry{Name: name, Addrs: slices.Clone(e.addrs), Life: life})
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return slices.Compare(a.Name[:], b.Name[:]) })
	return list
}
