package nbt

import (
	"context"
	"net/netip"

	"messngr/carrier"
	"messngr/carrier/nbt/namecache"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// Claim implements carrier.NetBIOS. A name that another machine defends on some
// interface stays claimed on all others, is listed as in conflict, and is tried
// again every few minutes, until it is released: a caller who does not want that
// releases it when Claim returns an error. When ctx ends first, the claim goes on.
func (c *Carrier) Claim(ctx context.Context, name netbios.Name, group bool) error {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.names.Claim(ctx, name, group)
}

// Release implements carrier.NetBIOS. Releasing a name that is not ours does nothing.
func (c *Carrier) Release(ctx context.Context, name netbios.Name) error {
	return c.names.Release(ctx, name)
}

// Names implements carrier.NetBIOS: interface by interface, each in the order of the claims.
func (c *Carrier) Names() []carrier.NameEntry { return c.names.Names() }

// Renew registers all names again, after a time in which other machines could not
// hear us: they may have taken our names, and name servers may have dropped them.
func (c *Carrier) Renew() { c.names.Renew() }

// Resolve implements carrier.NetBIOS. Our own names come from the table of names,
// all others from the cache, then by broadcast and from name servers in the order of
// the node type (RFC 1001 15.3), and last from the LMHOSTS file.
func (c *Carrier) Resolve(ctx context.Context, name netbios.Name) ([]netip.Addr, error) {
	return c.names.Resolve(ctx, name)
}

// Status implements carrier.NetBIOS.
func (c *Carrier) Status(ctx context.Context, addr netip.Addr) ([]carrier.NameEntry, error) {
	return c.names.Status(ctx, addr)
}

// AdapterStatus asks the machine at addr for all that it tells about itself, which is
// what nbtstat -A shows. It returns carrier.ErrNoName if there is no answer.
func (c *Carrier) AdapterStatus(ctx context.Context, addr netip.Addr) (*nbns.Status, error) {
	return c.names.AdapterStatus(ctx, addr)
}

// A CacheEntry is one name whose place is remembered, as nbtstat -c lists it.
type CacheEntry = namecache.Entry

// Cache lists the names whose place is remembered, by name.
func (c *Carrier) Cache() []CacheEntry { return c.names.Cache() }

// PurgeCache forgets all names that were found, and reads the LMHOSTS file again
// (nbtstat -R).
func (c *Carrier) PurgeCache() error { return c.names.PurgeCache() }
