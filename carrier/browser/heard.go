package browser

import (
	"container/list"
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
	machines map[place]*list.Element
	entries  list.List // of *entry, who was heard longest ago in front
}

// place is where a machine is listed.
type place struct{ workgroup, name string }

type entry struct {
	Machine
	place place
	until time.Time
}

func newHeard() *heard { return &heard{machines: make(map[place]*list.Element)} }

// take notes an announcement.
func (h *heard) take(a browse.Announcement, d carrier.Datagram, now time.Time) {
	if a.Name == "" || a.Kind == browse.Workgroup {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	at := place{d.To.Label(), a.Name}
	known := h.machines[at]
	if a.Type == 0 {
		if known != nil && known.Value.(*entry).Address == d.Source.Addr() {
			h.forget(known)
		}
		return
	}
	if known != nil {
		h.forget(known)
	} else if len(h.machines) >= maxHeard {
		h.forget(h.entries.Front())
	}
	h.machines[at] = h.entries.PushBack(&entry{
		Machine: Machine{
			Name: a.Name, Workgroup: at.workgroup, Type: a.Type, Comment: a.Comment,
			Address: d.Source.Addr(), Seen: now,
			Master: a.Kind == browse.LocalMaster || a.Type&browse.MasterBrowser != 0,
		},
		place: at,
		until: now.Add(maxMissed * min(max(a.Period, minPeriod), maxPeriod)),
	})
}

// forget drops one entry. The caller holds mu.
func (h *heard) forget(e *list.Element) {
	delete(h.machines, h.entries.Remove(e).(*entry).place)
}

// list returns those that are not gone, by workgroup and name.
func (h *heard) list(now time.Time) []Machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	var machines []Machine
	for _, element := range h.machines {
		e := element.Value.(*entry)
		if now.After(e.until) {
			h.forget(element)
			continue
		}
		machines = append(machines, e.Machine)
	}
	slices.SortFunc(machines, func(a, b Machine) int {
		if c := strings.Compare(a.Workgroup, b.Workgroup); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return machines
}

// Heard lists the machines, of whatever workgroup, whose announcements were heard lately.
func (b *Browser) Heard() []Machine { return b.heard.list(time.Now()) }
