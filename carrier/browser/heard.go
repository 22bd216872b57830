package browser

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"messngr/carrier"
	"messngr/wire/browse"
)

const (
	// maxHeard bounds the memory that strangers can claim. Who was heard longest ago is
	// forgotten first.
	maxHeard = 4096
	// maxMissed is how many announcements a machine may miss before it is gone.
	maxMissed = 3
	// minPeriod and maxPeriod bound what machines say of the time until the next one.
	minPeriod, maxPeriod = time.Minute, 12 * time.Minute
)

// Machine is one that announced itself. Its names are in the OEM code page of its network.
type Machine struct {
	Name, Workgroup string
	Type            browse.ServerType
	Comment         string
	// Address is where the announcement came from.
	Address netip.Addr
	// Seen is when the last one came.
	Seen time.Time
	// Master says that it is the master browser of its workgroup.
	Master bool
}

// heard is what was heard of others.
type heard struct {
	mu       sync.Mutex
	machines map[place]*entry
}

// place is where a machine is listed.
type place struct{ workgroup, name string }

type entry struct {
	Machine
	until time.Time
}

func newHeard() *heard { return &heard{machines: make(map[place]*entry)} }

// take notes an announcement.
func (h *heard) take(a browse.Announcement, d carrier.Datagram, now time.Time) {
	if a.Name == "" || a.Kind == browse.Workgroup {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	at := place{d.To.Label(), a.Name}
	if a.Type == 0 {
		if e := h.machines[at]; e != nil && e.Address == d.Source.Addr() {
			delete(h.machines, at)
		}
		return
	}
	if h.machines[at] == nil && len(h.machines) >= maxHeard {
		h.forgetOne()
	}
	h.machines[at] = &entry{
		Machine: Machine{
			Name: a.Name, Workgroup: at.workgroup, Type: a.Type, Comment: a.Comment,
			Address: d.Source.Addr(), Seen: now,
			Master: a.Kind == browse.LocalMaster || a.Type&browse.MasterBrowser != 0,
		},
		until: now.Add(maxMissed * min(max(a.Period, minPeriod), maxPeriod)),
	}
}

// forgetOne forgets who was heard longest ago. The caller holds mu.
func (h *heard) forgetOne() {
	var oldest *entry
	var at place
	for p, e := range h.machines {
		if oldest == nil || e.Seen.Before(oldest.Seen) {
			oldest, at = e, p
		}
	}
	delete(h.machines, at)
}

// list returns those that are not gone, by workgroup and name.
func (h *heard) list(now time.Time) []Machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []Machine
	for p, e := range h.machines {
		if now.After(e.until) {
			delete(h.machines, p)
			continue
		}
		list = append(list, e.Machine)
	}
	slices.SortFunc(list, func(a, b Machine) int {
		if c := strings.Compare(a.Workgroup, b.Workgroup); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

// Heard lists the machines, of whatever workgroup, whose announcements were heard lately.
func (b *Browser) Heard() []Machine { return b.heard.list(time.Now()) }
