package smbd

import (
	"crypto/sha256"
	"maps"
	"net/netip"
	"time"
)

// twiceTime is how long after a broadcast its second copy may come.
const twiceTime = time.Second

// once lets one of two copies of a broadcast pass: nmbd has a socket for the broadcast
// address beside the one for all addresses, and hears each broadcast by both (as it
// answers each query by broadcast twice). A third copy is another datagram.
type once struct {
	heard map[copyKey]time.Time
}

type copyKey struct {
	from   netip.AddrPort
	packet [sha256.Size]byte
}

func newOnce() *once { return &once{make(map[copyKey]time.Time)} }

// first reports whether a packet is no second copy of a broadcast.
func (o *once) first(packet []byte, from netip.AddrPort, now time.Time) bool {
	const directUnique = 0x10 // RFC 1002 4.4.1: only those come once
	if len(packet) > 0 && packet[0] == directUnique {
		return true
	}
	maps.DeleteFunc(o.heard, func(_ copyKey, at time.Time) bool { return now.Sub(at) > twiceTime })
	key := copyKey{from, sha256.Sum256(packet)}
	if _, second := o.heard[key]; second {
		delete(o.heard, key)
		return false
	}
	o.heard[key] = now
	return true
}
