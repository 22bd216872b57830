package names

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// Table is the name table. Its methods may be called by several goroutines at
// once.
type Table struct {
	page     oem.Page
	networks []Network
	keeper   Keeper
	log      *slog.Logger

	mu      sync.RWMutex
	entries map[key]*entry
	// declined are names of people who are logged on, but whose name was
	// removed by hand.
	declined map[string]bool
}

type key struct {
	name   string
	suffix netbios.Suffix
}

// entry has a place in the table from before it is claimed until after it is
// released, so that nobody begins the one while the other goes on.
type entry struct {
	Entry
	ours bool // false while it is being added or removed
}

func (e *Entry) key() key { return key{e.Name, e.Suffix} }

// New returns an empty table that encodes names in the code page and claims
// them on the networks.
func New(page oem.Page, networks []Network, keeper Keeper, log *slog.Logger) *Table {
	return &Table{
		page: page, networks: networks, keeper: keeper, log: log,
		entries: make(map[key]*entry), declined: make(map[string]bool),
	}
}

// Canonical returns name as the table spells it: upper case, without blanks
// around it. The error is ErrInvalid if it cannot be a message name: empty, more
// than 15 bytes in the code page, or beginning with an asterisk.
func (t *Table) Canonical(name string) (string, error) {
	b, err := t.label(name)
	if err != nil {
		return "", err
	}
	return t.page.DecodeName(b), nil
}

// label returns name as the networks spell it, without suffix and padding.
func (t *Table) label(name string) ([]byte, error) {
	name = strings.TrimSpace(name)
	if strings.HasPrefix(name, "*") {
		return nil, fmt.Errorf("%w: %q begins with an asterisk", ErrInvalid, name)
	}
	b, err := t.page.EncodeName(name)
	if err != nil {
		return nil, invalidError{err}
	}
	return b, nil
}

// invalidError is an ErrInvalid, and says why in the words of the code page.
type invalidError struct{ err error }

func (e invalidError) Error() string        { return strings.TrimPrefix(e.err.Error(), "oem: ") }
func (e invalidError) Unwrap() error        { return e.err }
func (e invalidError) Is(target error) bool { return target == ErrInvalid }

func (t *Table) encode(k key) (netbios.Name, error) {
	b, err := t.label(k.name)
	if err != nil {
		return netbios.Name{}, err
	}
	return netbios.Exact(string(b), k.suffix)
}

// Lookup finds the message name (suffix 03) or, with group, the workgroup, which
// "*" stands for as well. A name that is still being claimed is not ours yet.
func (t *Table) Lookup(name string, group bool) (Entry, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if group && name == "*" {
		return t.workgroup()
	}
	k := key{name, netbios.Messenger}
	if group {
		k.suffix = netbios.Workstation
	}
	// Transports hand over names as the table spells them, nearly always.
	e, ok := t.entries[k]
	if !ok {
		canonical, err := t.Canonical(name)
		if err != nil {
			return Entry{}, false
		}
		k.name = canonical
		e, ok = t.entries[k]
	}
	if !ok || !e.ours || e.Group != group {
		return Entry{}, false
	}
	return e.Entry, true
}

func (t *Table) workgroup() (Entry, bool) {
	for _, e := range t.entries {
		if e.Kind == Workgroup && e.ours {
			return e.Entry, true
		}
	}
	return Entry{}, false
}

// List returns all names, those that are being claimed or given up as well: the
// machine's own first, then by name.
func (t *Table) List() []Entry {
	t.mu.RLock()
	list := make([]Entry, 0, len(t.entries))
	for _, e := range t.entries {
		list = append(list, e.Entry)
	}
	t.mu.RUnlock()
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Suffix, b.Suffix))
	})
	for i := range list {
		list[i].Places = t.places(&list[i])
	}
	return list
}

func (t *Table) places(e *Entry) []Place {
	name, err := t.encode(e.key())
	if err != nil {
		return nil
	}
	var places []Place
	for _, n := range t.networks {
		places = append(places, n.Places(name)...)
	}
	return places
}
