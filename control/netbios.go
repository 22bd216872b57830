package control

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"

	"messngr"
)

// NetBIOS is what the API tells about the name service of this host, and asks
// of others'.
type NetBIOS interface {
	// Cache lists the names whose place is remembered; Purge forgets them and
	// reads LMHOSTS again.
	Cache() []CachedName
	Purge() error
	// Adapter asks the machine at addr for its names, as nbtstat -A does.
	// messngr.ErrUnknownName: it does not answer.
	Adapter(ctx context.Context, addr netip.Addr) (Adapter, error)
	// Find finds the machine that has a name, as nbtstat -a does.
	Find(ctx context.Context, name string) (netip.Addr, error)
}

// CachedName is a name whose place is remembered.
type CachedName struct {
	Name      string   `json:"name"`
	Suffix    int      `json:"suffix"`
	Addresses []string `json:"addresses"`
	// LifeSeconds is how long it will be remembered; 0: for ever (#PRE).
	LifeSeconds int `json:"life_seconds"`
}

// CachedNameList is the answer to GET /v1/netbios/cache.
type CachedNameList struct {
	Names []CachedName `json:"names"`
}

// Adapter is the answer to GET /v1/netbios/adapter: what a machine tells about
// itself.
type Adapter struct {
	Address string        `json:"address"`
	Names   []AdapterName `json:"names"`
	// Hardware is the adapter's address, such as 00-50-56-01-02-03; "" if the
	// machine does not tell.
	Hardware string `json:"hardware,omitempty"`
}

// AdapterName is one name of another machine.
type AdapterName struct {
	Name     string `json:"name"`
	Suffix   int    `json:"suffix"`
	Group    bool   `json:"group,omitempty"`
	Conflict bool   `json:"conflict,omitempty"`
}

var errNoNetBIOS = fmt.Errorf("%w: NetBIOS over TCP/IP is switched off", messngr.ErrUnavailable)

// netbiosRoutes are the operations of the name service.
func (s *Service) netbiosRoutes() []route {
	return []route{
		{method: "GET", path: "/v1/netbios/cache", status: 200, serve: s.netbiosCache},
		{method: "DELETE", path: "/v1/netbios/cache", admin: true, status: 204, serve: s.netbiosPurge},
		{method: "GET", path: "/v1/netbios/adapter", status: 200, serve: s.netbiosAdapter},
	}
}

func (s *Service) netbiosCache(context.Context, messngr.Principal, *http.Request) (any, error) {
	if s.NetBIOS == nil {
		return nil, errNoNetBIOS
	}
	return CachedNameList{Names: s.NetBIOS.Cache()}, nil
}

func (s *Service) netbiosPurge(context.Context, messngr.Principal, *http.Request) (any, error) {
	if s.NetBIOS == nil {
		return nil, errNoNetBIOS
	}
	return nil, s.NetBIOS.Purge()
}

// netbiosAdapter asks the machine that the parameter address or name means.
func (s *Service) netbiosAdapter(ctx context.Context, _ messngr.Principal, r *http.Request) (any, error) {
	if s.NetBIOS == nil {
		return nil, errNoNetBIOS
	}
	q := r.URL.Query()
	addr, err := netip.ParseAddr(q.Get("address"))
	switch {
	case q.Get("name") != "":
		if addr, err = s.NetBIOS.Find(ctx, q.Get("name")); err != nil {
			return nil, err
		}
	case err != nil || !addr.Unmap().Is4():
		return nil, bad("address=%q: want an IPv4 address, or a name", q.Get("address"))
	}
	return s.NetBIOS.Adapter(ctx, addr.Unmap())
}

// NameCache lists the names that the service remembers the place of.
func (c *Client) NameCache(ctx context.Context) (CachedNameList, error) {
	return ask[CachedNameList](ctx, c, http.MethodGet, "/v1/netbios/cache", nil)
}

// PurgeNameCache makes the service forget them and read LMHOSTS again.
func (c *Client) PurgeNameCache(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/v1/netbios/cache", nil, nil)
}

// Adapter asks the machine at an address, or the one that has a name, for its
// names. One of them is empty.
func (c *Client) Adapter(ctx context.Context, address, name string) (Adapter, error) {
	q := url.Values{}
	if name != "" {
		q.Set("name", name)
	} else {
		q.Set("address", address)
	}
	return ask[Adapter](ctx, c, http.MethodGet, "/v1/netbios/adapter?"+q.Encode(), nil)
}
