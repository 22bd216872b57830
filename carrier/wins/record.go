package wins

import (
	"net/netip"
	"slices"
	"time"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// maxMembers is how many addresses a name has at most: those of an internet group, or
// of one machine (MS-NBTE 3.2.5).
const maxMembers = 25

// everybody is the address of a plain group, whose members are not recorded.
var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// A key is a name in its scope. Both are compared byte by byte.
type key struct {
	name  netbios.Name
	scope string
}

// A kind says what sort of name a record is about.
type kind uint8

const (
	unique   kind = iota // of one machine, with any number of addresses
	group                // of anybody; the members are not recorded
	internet             // of a group whose members' addresses are recorded
)

// kindOf says what sort of name a request claims. The suffix <1c> makes an internet group.
func kindOf(p nbns.Packet) kind {
	switch {
	case !p.Addresses[0].Group:
		return unique
	case p.Name.Suffix() == netbios.DomainControllers:
		return internet
	default:
		return group
	}
}

// A record is what is known about one name.
type record struct {
	kind   kind
	owners []owner    // never empty; a group has everybody
	by     netip.Addr // whom the name counts against; the zero value for static ones
	heard  time.Time  // when an owner registered or refreshed it last
	kept   time.Time  // how long the keeper thinks that it lasts

	// told is what a query is answered until the time that stands beside it.
	told  []nbns.Address
	until time.Time
}

// An owner is one address of a name.
type owner struct {
	addr    netip.Addr
	node    nbns.NodeType
	expires time.Time // the zero value for static ones
}

func (o owner) static() bool { return o.expires.IsZero() }

func (o owner) expired(now time.Time) bool { return !o.static() && !now.Before(o.expires) }

// static reports whether the name was given to somebody by the administrator.
func (r *record) static() bool { return slices.ContainsFunc(r.owners, owner.static) }

// has returns the owner at addr, or nil.
func (r *record) has(addr netip.Addr) *owner {
	i := slices.IndexFunc(r.owners, func(o owner) bool { return o.addr == addr })
	if i < 0 {
		return nil
	}
	return &r.owners[i]
}

// expires returns when the last owner's time is over; the zero value for never.
func (r *record) expires() time.Time {
	var last time.Time
	for _, o := range r.owners {
		if o.static() {
			return time.Time{}
		}
		if o.expires.After(last) {
			last = o.expires
		}
	}
	return last
}

// add gives the name an owner, or the owner more time. When there are too many, the one
// whose time is over first leaves.
func (r *record) add(o owner) {
	r.until = time.Time{}
	if old := r.has(o.addr); old != nil {
		if !old.static() {
			*old = o
		}
		return
	}
	if len(r.owners) >= maxMembers {
		i := r.oldest()
		if i < 0 {
			return
		}
		r.owners = slices.Delete(r.owners, i, i+1)
	}
	r.owners = append(r.owners, o)
}

// oldest returns the index of the owner who was not heard of for longest, or -1.
func (r *record) oldest() int {
	at := -1
	for i, o := range r.owners {
		if !o.static() && (at < 0 || o.expires.Before(r.owners[at].expires)) {
			at = i
		}
	}
	return at
}

// prune removes owners, and reports whether some are left.
func (r *record) prune(gone func(owner) bool) bool {
	r.owners = slices.DeleteFunc(r.owners, gone)
	r.until = time.Time{}
	return len(r.owners) > 0
}

// tell brings told up to date.
func (r *record) tell(now time.Time) {
	r.told, r.until = make([]nbns.Address, 0, len(r.owners)), now.Add(time.Hour)
	for _, o := range r.owners {
		if o.expired(now) {
			continue
		}
		r.told = append(r.told, nbns.Address{Addr: o.addr, Group: r.kind != unique, Node: o.node})
		if !o.static() && o.expires.Before(r.until) {
			r.until = o.expires
		}
	}
}

// find returns who has a name. The master browser of a subnet is no name to be found from
// elsewhere. In front of a domain's controllers stands its master browser, which is the
// primary one, as with Windows.
func (s *Server) find(k key, now time.Time) []nbns.Address {
	if k.name.Suffix() == netbios.MasterBrowser {
		return nil
	}
	s.mu.RLock()
	r := s.records[k]
	fresh := r != nil && now.Before(r.until)
	var told []nbns.Address
	if fresh {
		told = r.told
	}
	s.mu.RUnlock()
	if r == nil {
		return nil
	}
	if !fresh {
		s.mu.Lock()
		r.tell(now)
		told = r.told
		s.mu.Unlock()
	}
	if k.name.Suffix() == netbios.DomainControllers {
		told = s.primaryFirst(k, told, now)
	}
	return told
}

// primaryFirst puts the primary controller of a domain in front of all.
func (s *Server) primaryFirst(k key, told []nbns.Address, now time.Time) []nbns.Address {
	k.name = k.name.WithSuffix(netbios.DomainMaster)
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.records[k]
	if r == nil || r.owners[0].expired(now) {
		return told
	}
	primary := r.owners[0]
	list := []nbns.Address{{Addr: primary.addr, Group: true, Node: primary.node}}
	for _, a := range told {
		if a.Addr != primary.addr && len(list) < maxMembers {
			list = append(list, a)
		}
	}
	return list
}

// sweep forgets all owners whose time is over.
func (s *Server) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, r := range s.records {
		if !slices.ContainsFunc(r.owners, func(o owner) bool { return o.expired(now) }) {
			continue
		}
		s.change(k)
		if !r.prune(func(o owner) bool { return o.expired(now) }) {
			s.remove(k)
		}
	}
	s.limits.sweep(now)
}

// remove forgets a name. The caller holds mu.
func (s *Server) remove(k key) {
	r := s.records[k]
	delete(s.records, k)
	s.change(k)
	if s.owned[r.by]--; s.owned[r.by] <= 0 {
		delete(s.owned, r.by)
	}
}
