package control

import (
	"context"
	"net/http"
	"net/url"
)

// AdapterQuery says which machine GET /v1/netbios/adapter asks; the query
// parameters have the names of the JSON fields.
type AdapterQuery struct {
	// Name is a name of the machine, that is looked up.
	Name string `json:"name,omitempty"`
	// Address is its IPv4 address, if no name is given.
	Address string `json:"address,omitempty"`
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
