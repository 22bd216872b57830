package nbt

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"messngr/wire/nbdgm"
	"messngr/wire/netbios"
)

const (
	// fragmentTime is how long one fragment waits for the other: FRAGMENT_TO (RFC 1002 6).
	fragmentTime = 2 * time.Second
	// maxFragments is how many of them wait on one interface. When there are more, the
	// network loses some, as it may.
	maxFragments = 64
)

// fragments joins datagrams that came in two parts, the most that RFC 1002 5.3.1 makes
// of one. Windows and Samba send all theirs whole. Its method may be called by several
// goroutines at once; the zero value is ready.
type fragments struct {
	mu      sync.Mutex
	waiting map[fragmentKey]fragment
}

// A fragmentKey is the same in both parts. The address is the one that they came from.
type fragmentKey struct {
	from     netip.Addr
	id       uint16
	kind     nbdgm.Type
	src, dst netbios.Name
}

type fragment struct {
	nbdgm.Datagram
	until time.Time
}

// join returns the whole datagram, of which d is all, or the part that came last.
func (f *fragments) join(d nbdgm.Datagram, from netip.Addr) (nbdgm.Datagram, bool) {
	if !d.Fragment() {
		return d, true
	}
	if d.More && d.Offset != 0 || d.More && len(d.Data) == 0 {
		return nbdgm.Datagram{}, false // from the middle, or of nothing
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k, now := fragmentKey{from, d.ID, d.Type, d.From, d.To}, time.Now()
	other, ok := f.waiting[k]
	if !ok || now.After(other.until) || other.More == d.More {
		f.keep(k, d, now)
		return nbdgm.Datagram{}, false
	}
	delete(f.waiting, k)
	first, last := d, other.Datagram
	if last.More {
		first, last = last, first
	}
	if int(last.Offset) != len(first.Data) || last.ToScope != first.ToScope {
		return nbdgm.Datagram{}, false
	}
	first.More = false
	first.Data = append(bytes.Clone(first.Data), last.Data...)
	return first, true
}

// keep has a part wait for the other. The caller holds mu.
func (f *fragments) keep(k fragmentKey, d nbdgm.Datagram, now time.Time) {
	if len(f.waiting) >= maxFragments {
		for k, old := range f.waiting {
			if now.After(old.until) {
				delete(f.waiting, k)
			}
		}
	}
	if len(f.waiting) >= maxFragments {
		return
	}
	if f.waiting == nil {
		f.waiting = make(map[fragmentKey]fragment)
	}
	d.Data = bytes.Clone(d.Data) // it is only ours until the next packet comes
	f.waiting[k] = fragment{d, now.Add(fragmentTime)}
}
