package wins

import (
	"net/netip"
	"slices"
	"time"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

const (
	// maxScope is the longest scope that is kept, as with Windows and Samba.
	maxScope = 237
	// shareOfOne is the part of all names that one machine may have: an eighth.
	shareOfOne = 8
	// keptPart makes a refresh no change for the keeper until the time that it knows of is
	// wrong by half of the least lifetime: so much is added after a restart anyway.
	keptPart = 2
)

// register decides about a claim, or the refresh of one. If it returns a record, the
// owners that stand there have to be asked first. The caller holds mu.
func (s *Server) register(p nbns.Packet, by netip.Addr, now time.Time) (nbns.Rcode, *record) {
	if rcode := check(p); rcode != nbns.RcodeOK {
		return rcode, nil
	}
	if p.Name.Suffix() == netbios.MasterBrowser {
		return nbns.RcodeOK, nil // every subnet has one: granted to all, and kept for none
	}
	k, claims := key{p.Name, p.Scope}, kindOf(p)
	r := s.live(k, now)
	switch {
	case r == nil:
		return s.enter(k, p, by, now), nil
	case r.kind != unique && r.kind != claims:
		return nbns.RcodeActive, nil
	case r.kind != unique, claims == unique && r.has(p.Addresses[0].Addr) != nil:
		s.add(k, r, p, now)
		return nbns.RcodeOK, nil
	case r.static():
		return nbns.RcodeActive, nil
	default:
		return nbns.RcodeOK, r
	}
}

// check refuses claims that make no sense, and names that nobody registers.
func check(p nbns.Packet) nbns.Rcode {
	if len(p.Addresses) == 0 {
		return nbns.RcodeFormat
	}
	addr, isGroup := p.Addresses[0].Addr, p.Addresses[0].Group
	suffix := p.Name.Suffix()
	switch {
	case len(p.Scope) > maxScope:
		return nbns.RcodeServer
	case addr.IsUnspecified() || addr.IsMulticast() || addr == everybody: // Samba's own tests want loopback taken
		return nbns.RcodeFormat
	case p.Name[0] == '*': // the wildcard name, and *SMBSERVER, which stand for anybody
		return nbns.RcodeRefused
	case isGroup && suffix == netbios.DomainMaster,
		!isGroup && (suffix == netbios.DomainControllers || suffix == netbios.BrowserElection):
		return nbns.RcodeRefused // as Windows does: these are always one thing, or the other
	}
	return nbns.RcodeOK
}

// lifetime returns how long a name lasts for which so much is asked; zero is for ever.
func (s *Server) lifetime(asked time.Duration) time.Duration {
	if asked == 0 {
		return s.maxTTL
	}
	return min(max(asked, s.minTTL), s.maxTTL)
}

// live returns what is known about a name, without owners whose time is over; nil if
// there is nothing. The caller holds mu.
func (s *Server) live(k key, now time.Time) *record {
	r := s.records[k]
	if r == nil {
		return nil
	}
	if slices.ContainsFunc(r.owners, func(o owner) bool { return o.expired(now) }) {
		if !r.prune(func(o owner) bool { return o.expired(now) }) {
			s.remove(k)
			return nil
		}
	}
	return r
}

// enter makes a name that nobody has the claimant's, unless there are too many. The
// caller holds mu.
func (s *Server) enter(k key, p nbns.Packet, by netip.Addr, now time.Time) nbns.Rcode {
	if len(s.records) >= s.maxNames || s.owned[by] >= max(1, s.maxNames/shareOfOne) {
		return nbns.RcodeServer
	}
	r := &record{kind: kindOf(p), by: by}
	s.records[k] = r
	s.owned[by]++
	s.add(k, r, p, now)
	return nbns.RcodeOK
}

// add makes the claimant an owner of the name, or gives it more time. The caller holds mu.
func (s *Server) add(k key, r *record, p nbns.Packet, now time.Time) {
	o := owner{addr: p.Addresses[0].Addr, node: p.Addresses[0].Node, expires: now.Add(s.lifetime(p.TTL))}
	if r.kind == group {
		o.addr = everybody
	}
	known := r.has(o.addr) != nil
	r.add(o)
	r.heard = now
	if !known || o.expires.Sub(r.kept) > s.minTTL/keptPart {
		s.change(k)
	}
}

// release takes a name from an owner who gives it up. What anybody else releases stays,
// and so does a plain group, which has other members. The answer is the same for all.
func (s *Server) release(p nbns.Packet, from netip.Addr, now time.Time) {
	if len(p.Addresses) == 0 {
		return
	}
	k := key{p.Name, p.Scope}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.live(k, now)
	if r == nil || r.kind == group || r.has(from) == nil {
		return
	}
	gone := p.Addresses[0].Addr
	if r.kind == internet && gone != from {
		return
	}
	s.change(k)
	if !r.prune(func(o owner) bool { return o.addr == gone && !o.static() }) {
		s.remove(k)
	}
}
