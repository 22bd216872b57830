package smbd

import (
	"crypto/sha256"
	"net/netip"
	"time"
)

const (
	// twiceTime is how long after a broadcast its second copy may come.
	twiceTime = time.Second
	// maxHeard is of how many broadcasts the second copy is waited for, twice.
	maxHeard = 4096
)

// once lets one of two copies of a broadcast pass: nmbd has a socket for the broadcast
// address beside the one for all addresses, and hears each broadcast by both (as it
// answers each query by broadcast twice). A third copy is another datagram.
type once struct {
	heard, before map[copyKey]time.Time // since a moment, and before it
	since         time.Time
}

type copyKey struct {
	from   netip.AddrPort
	packet [sha256.Size]byte
}

func newOnce() *once { return &once{heard: make(map[copyKey]time.Time)} }

// first reports whether a packet is no second copy of a broadcast.
func (o *once) first(packet []byte, from netip.AddrPort, now time.Time) bool {
	const directUnique = 0x10 // RFC 1002 4.4.1: only those come once
	if len(packet) > 0 && packet[0] == directUnique {
		return true
	}
	if now.Sub(o.since) > twiceTime || len(o.heard) >= maxHeard {
		o.heard, o.before, o.since = make(map[copyKey]time.Time), o.heard, now
	}
	key := copyKey{from, sha256.Sum256(packet)}
	for _, heard := range []map[copyKey]time.Time{o.heard, o.before} {
		if at, second := heard[key]; second {
			delete(heard, key)
			if now.Sub(at) <= twiceTime {
				return false
			}
		}
	}
	o.heard[key] = now
	return true
}
