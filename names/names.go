// Package names keeps the message names of this host: which are ours, why, for
// whom, and what became of them on each network.
package names

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"messngr"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// Kind says why a name is ours.
type Kind uint8

// The kinds of names.
const (
	// Computer is the machine's own name. It cannot be removed.
	Computer Kind = iota
	// Workgroup is the group that the machine belongs to. It cannot be removed.
	Workgroup
	// User is the name of somebody who is logged on; it comes and goes with
	// the person.
	User
	// Alias is a name that was added by hand (NET NAME).
	Alias
)

// String returns the word that status prints.
func (k Kind) String() string {
	return [...]string{"computer", "workgroup", "user", "alias"}[k]
}

// MaxAliases is how many names of the kind Alias a host can have, as many as
// a Windows host had per network (MS-MSRP 3.1.4.1, NERR_TooManyNames).
const MaxAliases = 256

// The errors of the table, besides *TakenError.
var (
	// ErrBuiltin: the computer's and the workgroup's names cannot be removed.
	ErrBuiltin = errors.New("the computer's own name cannot be removed")
	// ErrExists: the name is ours already.
	ErrExists = errors.New("name exists on this computer already")
	// ErrTooMany: there are MaxAliases names already.
	ErrTooMany = errors.New("too many names")
)

// TakenError says that another machine owns a name.
type TakenError struct {
	Name  string
	Owner netip.Addr // zero if unknown
}

// Error implements error.
func (e *TakenError) Error() string {
	if !e.Owner.IsValid() {
		return fmt.Sprintf("name %s is owned by another machine", e.Name)
	}
	return fmt.Sprintf("name %s is owned by %s", e.Name, e.Owner)
}

// Network is where names are claimed: one NetBIOS network of this host.
type Network interface {
	// Claim makes the name ours; it returns a *TakenError if another machine
	// owns it, and nil at once if the network is not in use.
	Claim(ctx context.Context, name netbios.Name, group bool) error
	// Release gives the name up.
	Release(ctx context.Context, name netbios.Name) error
	// Places says how the name stands on each interface.
	Places(name netbios.Name) []Place
}

// Place is the state of a name on one interface of one network.
type Place struct {
	Carrier, Interface string
	State              string // "registered", "claiming", "conflict", "released"
	Owner              netip.Addr
}

// Keeper stores the names that outlive a restart.
type Keeper interface {
	Settings(ctx context.Context, kind string) (map[string]string, error)
	Set(ctx context.Context, kind, key, value string) error
	Unset(ctx context.Context, kind, key string) (bool, error)
}

// keeperKind is the kind of the table's settings: name -> user.
const keeperKind = "name"

// Entry is one name of this host.
type Entry struct {
	// Name is in UTF-8 upper case.
	Name   string
	Suffix netbios.Suffix
	Group  bool
	Kind   Kind
	// User is the login name whose messages it receives; "": the machine's.
	User    string
	Persist bool
	Places  []Place
}

// Table is the name table. Its methods may be called by several goroutines.
type Table struct {
	page     oem.Page
	networks []Network
	keeper   Keeper
	log      *slog.Logger

	mu      sync.RWMutex
	entries map[key]*Entry
}

type key struct {
	name   string
	suffix netbios.Suffix
}

// New returns an empty table that encodes names in the code page and claims
// them on the networks.
func New(page oem.Page, networks []Network, keeper Keeper, log *slog.Logger) *Table {
	return &Table{page: page, networks: networks, keeper: keeper, log: log, entries: make(map[key]*Entry)}
}

// Canonical returns name as the table spells it: upper case, without blanks
// around it. It fails if the name cannot be a message name: empty, more than 15
// bytes in the code page, or beginning with an asterisk.
func (t *Table) Canonical(name string) (string, error) {
	name = strings.TrimSpace(name)
	if strings.HasPrefix(name, "*") {
		return "", fmt.Errorf("message name %q: a name cannot begin with an asterisk", name)
	}
	b, err := t.page.EncodeName(name)
	if err != nil {
		return "", fmt.Errorf("message name %q: %w", name, err)
	}
	if _, err := netbios.New(string(b), netbios.Messenger); err != nil {
		return "", fmt.Errorf("message name %q: %w", name, err)
	}
	return t.page.DecodeName(b), nil
}

func (t *Table) encode(k key) (netbios.Name, error) {
	b, err := t.page.EncodeName(k.name)
	if err != nil {
		return netbios.Name{}, err
	}
	return netbios.New(string(b), k.suffix)
}

// Lookup finds the message name (suffix 03) or, with group, the workgroup.
func (t *Table) Lookup(name string, group bool) (Entry, bool) {
	canonical, err := t.Canonical(name)
	if err != nil {
		return Entry{}, false
	}
	k := key{canonical, netbios.Messenger}
	if group {
		k.suffix = netbios.Workstation
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.entries[k]
	if !ok || e.Group != group {
		return Entry{}, false
	}
	return *e, true
}

// List returns all names: the machine's own first, then by name.
func (t *Table) List() []Entry {
	t.mu.RLock()
	list := make([]Entry, 0, len(t.entries))
	for _, e := range t.entries {
		list = append(list, *e)
	}
	t.mu.RUnlock()
	slices.SortFunc(list, func(a, b Entry) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return int(a.Suffix) - int(b.Suffix)
	})
	for i := range list {
		list[i].Places = t.places(list[i])
	}
	return list
}

func (t *Table) places(e Entry) []Place {
	name, err := t.encode(key{e.Name, e.Suffix})
	if err != nil {
		return nil
	}
	var places []Place
	for _, n := range t.networks {
		places = append(places, n.Places(name)...)
	}
	return places
}

// Add makes a name ours: it claims it on every network and returns when that
// has succeeded, or with a *TakenError, ErrExists, ErrTooMany. With e.Persist
// the name is kept for the next start; Restore brings it back.
func (t *Table) Add(ctx context.Context, e Entry) error {
	canonical, err := t.Canonical(e.Name)
	if err != nil {
		return err
	}
	e.Name, e.Places = canonical, nil
	if err := t.enter(&e); err != nil {
		return err
	}
	if err := t.claim(ctx, &e); err != nil {
		t.drop(ctx, &e)
		return err
	}
	if e.Persist {
		if err := t.keeper.Set(ctx, keeperKind, e.Name, e.User); err != nil {
			t.drop(ctx, &e)
			return err
		}
	}
	return nil
}

// enter reserves the entry's place, so that two callers cannot both claim it.
func (t *Table) enter(e *Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.entries[key{e.Name, e.Suffix}]; ok {
		return fmt.Errorf("%s: %w", e.Name, ErrExists)
	}
	aliases := 0
	for _, other := range t.entries {
		if other.Kind == Alias {
			aliases++
		}
	}
	if e.Kind == Alias && aliases >= MaxAliases {
		return ErrTooMany
	}
	t.entries[key{e.Name, e.Suffix}] = e
	return nil
}

func (t *Table) claim(ctx context.Context, e *Entry) error {
	name, err := t.encode(key{e.Name, e.Suffix})
	if err != nil {
		return err
	}
	errs := make(chan error, len(t.networks))
	for _, n := range t.networks {
		go func() { errs <- n.Claim(ctx, name, e.Group) }()
	}
	var failed error
	for range t.networks {
		if err := <-errs; err != nil && failed == nil {
			failed = err
		}
	}
	if taken := (*TakenError)(nil); errors.As(failed, &taken) {
		taken.Name = e.Name
	}
	return failed
}

func (t *Table) drop(ctx context.Context, e *Entry) {
	t.mu.Lock()
	delete(t.entries, key{e.Name, e.Suffix})
	t.mu.Unlock()
	name, err := t.encode(key{e.Name, e.Suffix})
	if err != nil {
		return
	}
	for _, n := range t.networks {
		if err := n.Release(ctx, name); err != nil {
			t.log.Warn("name not released everywhere", "name", e.Name, "err", err)
		}
	}
}

// Remove gives up an alias or the name of a user. It returns ErrBuiltin for
// the machine's own names and messngr.ErrNotFound if the name is not ours.
func (t *Table) Remove(ctx context.Context, name string) error {
	canonical, err := t.Canonical(name)
	if err != nil {
		return err
	}
	t.mu.RLock()
	e, ok := t.entries[key{canonical, netbios.Messenger}]
	t.mu.RUnlock()
	switch {
	case !ok:
		return fmt.Errorf("%s: %w", canonical, messngr.ErrNotFound)
	case e.Kind == Computer || e.Kind == Workgroup:
		return ErrBuiltin
	}
	if e.Persist {
		if _, err := t.keeper.Unset(ctx, keeperKind, e.Name); err != nil {
			return err
		}
	}
	t.drop(ctx, e)
	return nil
}

// Own enters one of the machine's own names, and claims it in the background
// of the caller: it is ours for received messages at once, whatever the
// networks say, because nobody else on this host can have it.
func (t *Table) Own(ctx context.Context, e Entry) error {
	canonical, err := t.Canonical(e.Name)
	if err != nil {
		return err
	}
	e.Name = canonical
	if err := t.enter(&e); err != nil {
		return err
	}
	if err := t.claim(ctx, &e); err != nil {
		return fmt.Errorf("claim %s<%02X>: %w", e.Name, byte(e.Suffix), err)
	}
	return nil
}

// Restore adds the names that were kept, each by itself: one that is taken by
// now is reported to the log and kept for the next time.
func (t *Table) Restore(ctx context.Context) error {
	kept, err := t.keeper.Settings(ctx, keeperKind)
	if err != nil {
		return err
	}
	for name, user := range kept {
		e := Entry{Name: name, Suffix: netbios.Messenger, Kind: Alias, User: user, Persist: true}
		if err := t.Own(ctx, e); err != nil {
			t.log.Warn("kept name is not ours just now", "name", name, "err", err)
		}
	}
	return nil
}

// SetUsers makes the names of the kind User exactly those of the login names:
// new ones are claimed, others released. A login name that is no valid message
// name, or is the machine's own, is passed over. A name that another machine
// owns stays in the table with its conflict to be seen.
func (t *Table) SetUsers(ctx context.Context, logins []string) {
	want := make(map[string]string, len(logins))
	for _, login := range logins {
		if canonical, err := t.Canonical(login); err == nil {
			want[canonical] = login
		}
	}
	var gone []*Entry
	t.mu.RLock()
	for k, e := range t.entries {
		if _, ok := want[k.name]; e.Kind == User && !ok {
			gone = append(gone, e)
		}
		if k.suffix == netbios.Messenger {
			delete(want, k.name)
		}
	}
	t.mu.RUnlock()
	for _, e := range gone {
		t.drop(ctx, e)
	}
	for name, login := range want {
		e := Entry{Name: name, Suffix: netbios.Messenger, Kind: User, User: login}
		if err := t.Own(ctx, e); err != nil {
			t.log.Warn("name of a logged-on user is not ours", "name", name, "err", err)
		}
	}
}
