package control

import (
	"context"
	"net/http"
	"time"
)

// WhoQuery is what GET /v1/who is asked.
type WhoQuery struct {
	// Quick leaves the machines themselves unasked.
	Quick bool `json:"quick,omitempty"`
}

// WhoList is the answer to GET /v1/who.
type WhoList struct {
	Machines []Machine `json:"machines"`
	// Notes say what is missing, and why.
	Notes []string `json:"notes"`
}

// Machine is one machine on the networks of this host. Nothing of it is proven.
type Machine struct {
	Name      string `json:"name"`
	Workgroup string `json:"workgroup"`
	Address   string `json:"address"` // "" if unknown
	// Users are the names, beside the machine's own, that take messages there:
	// those of people who are logged on, as far as the machine tells, and aliases.
	Users []string `json:"users"`
	// Carriers are the networks on which it was found, such as "nbt".
	Carriers []string `json:"carriers"`
	// Takes are the ways by which it takes messages, such as "smb" and "mailslot",
	// as far as its names tell; empty if it does not answer, or takes none.
	Takes []string `json:"takes"`
	// System and Comment are what it says of itself; "" if nothing.
	System  string `json:"system,omitempty"`
	Comment string `json:"comment,omitempty"`
	// Master says that it keeps the list of machines.
	Master bool `json:"master,omitempty"`
	// SeenAt is when it was last heard of by this host itself; not given for one
	// that only stands in another's list.
	SeenAt *time.Time `json:"seen_at,omitempty"`
	// Sources say how it is known: "self", "answered", "announced", "list" of the
	// master browser, and "nmbd".
	Sources []string `json:"sources"`
}

// Who lists the machines on the networks of the service's host. With quick the
// machines themselves are not asked, which takes some seconds.
func (c *Client) Who(ctx context.Context, quick bool) (WhoList, error) {
	path := "/v1/who"
	if quick {
		path += "?quick=true"
	}
	return ask[WhoList](ctx, c, http.MethodGet, path, nil)
}
