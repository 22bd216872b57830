package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Refusal counts what one source was refused for one reason.
type Refusal struct {
	Address netip.Addr
	// From is the sender name that was claimed last; "" if none was read.
	From   string
	Reason string
	Count  int64
	Last   time.Time
}

// The reasons of refusals.
const (
	ReasonOffLink = "not on an attached subnet or the allow-list"
	ReasonBlocked = "blocked"
	ReasonName    = "sender name blocked"
	ReasonRate    = "too many messages"
)

// maxRefusals bounds the journal. When it is full, the entry that was added to
// least recently makes room.
const maxRefusals = 256

// journal remembers what was refused.
type journal struct {
	mu      sync.Mutex
	entries map[journalKey]*Refusal
}

type journalKey struct {
	addr   netip.Addr
	reason string
}

func newJournal() *journal { return &journal{entries: make(map[journalKey]*Refusal)} }

func (j *journal) refused(addr netip.Addr, from, reason string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	k := journalKey{addr, reason}
	r := j.entries[k]
	if r == nil {
		if len(j.entries) >= maxRefusals {
			j.evict()
		}
		r = &Refusal{Address: addr, Reason: reason}
		j.entries[k] = r
	}
	r.Count++
	r.Last = time.Now()
	if from != "" {
		r.From = from
	}
}

func (j *journal) evict() {
	var oldest journalKey
	var last time.Time
	for k, r := range j.entries {
		if last.IsZero() || r.Last.Before(last) {
			oldest, last = k, r.Last
		}
	}
	delete(j.entries, oldest)
}

func (j *journal) list() []Refusal {
	j.mu.Lock()
	list := make([]Refusal, 0, len(j.entries))
	for _, r := range j.entries {
		list = append(list, *r)
	}
	j.mu.Unlock()
	slices.SortFunc(list, func(a, b Refusal) int {
		return cmp.Or(b.Last.Compare(a.Last), a.Address.Compare(b.Address), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}
