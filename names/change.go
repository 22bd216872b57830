package names

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"messngr"
	"messngr/wire/netbios"
)

// releaseTime bounds how long giving up a name may take.
const releaseTime = 5 * time.Second

// Add makes a name ours: it claims it on every network and returns when that
// has succeeded, or with a *TakenError, ErrInvalid, ErrExists, ErrTooMany, or
// the keeper's or a network's error. With e.Persist the name is kept for the
// next start; Restore brings it back.
func (t *Table) Add(ctx context.Context, e Entry) error {
	added, err := t.enter(e, false)
	if err != nil {
		return err
	}
	err = t.claim(ctx, added)
	if err == nil && e.Persist {
		err = t.keeper.Set(ctx, keeperKind, added.Name, added.User)
	}
	if err != nil {
		t.leave(ctx, added)
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	added.ours = true
	return nil
}

// Enter makes one of the machine's own names ours for received messages at once,
// whatever the networks say, because nobody else on this host can have it. The
// claim that it returns makes it ours on the networks; it waits until they are up.
func (t *Table) Enter(e Entry) (claim func(context.Context) error, err error) {
	owned, err := t.enter(e, true)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if err := t.claim(ctx, owned); err != nil {
			return fmt.Errorf("claim %s%v: %w", owned.Name, owned.Suffix, err)
		}
		return nil
	}, nil
}

// Own enters one of the machine's own names, and claims it before it returns.
func (t *Table) Own(ctx context.Context, e Entry) error {
	claim, err := t.Enter(e)
	if err != nil {
		return err
	}
	return claim(ctx)
}

// Remove gives up an alias or the name of a user; the latter comes back when
// the user logs on anew. It returns ErrInvalid for what cannot be a name,
// ErrBuiltin for the machine's own names, messngr.ErrNotFound if the name is not
// ours, else the keeper's error.
func (t *Table) Remove(ctx context.Context, name string) error {
	canonical, err := t.Canonical(name)
	if err != nil {
		return err
	}
	e, err := t.withdraw(canonical)
	if err != nil {
		return err
	}
	if e.Persist {
		if _, err := t.keeper.Unset(ctx, keeperKind, e.Name); err != nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			e.ours = true
			return err
		}
	}
	t.leave(ctx, e)
	return nil
}

// withdraw makes the entry ours no more, so that it can be released.
func (t *Table) withdraw(canonical string) (*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.entries[key{canonical, netbios.Messenger}]
	switch {
	case !ok && t.isWorkgroup(canonical):
		return nil, workgroupError{}
	case !ok || !e.ours:
		return nil, fmt.Errorf("%s: %w", canonical, messngr.ErrNotFound)
	case e.Kind == Computer || e.Kind == Workgroup:
		return nil, ErrBuiltin
	}
	if e.Kind == User {
		t.declined[canonical] = true
	}
	e.ours = false
	return e, nil
}

// workgroupError is an ErrBuiltin in words of its own.
type workgroupError struct{}

func (workgroupError) Error() string        { return "the name of the workgroup cannot be removed" }
func (workgroupError) Is(target error) bool { return target == ErrBuiltin }

// isWorkgroup reports whether the name is that of the machine's workgroup. The caller
// holds mu.
func (t *Table) isWorkgroup(canonical string) bool {
	e, ok := t.entries[key{canonical, netbios.Workstation}]
	return ok && e.Kind == Workgroup
}

// Restore enters the names that were kept, so that they are ours at once. The
// claim that it returns makes them ours on the networks, all at the same time.
// One that another machine owns by now, or that is ours for another reason, is
// reported to the log, and kept for the next time; the former stays in the table
// with its conflict to be seen.
func (t *Table) Restore(ctx context.Context) (claim func(context.Context), err error) {
	kept, err := t.keeper.Settings(ctx, keeperKind)
	if err != nil {
		return nil, fmt.Errorf("read the kept names: %w", err)
	}
	var entries []Entry
	for name, user := range kept {
		entries = append(entries, Entry{Name: name, Kind: Alias, User: user, Persist: true, Suffix: netbios.Messenger})
	}
	return t.enterAll(entries), nil
}

// SetUsers makes the names of the kind User exactly those of the login names, as
// OfLogin has them: others are released, new ones are ours at once. The claim that it
// returns makes those ours on the networks, all at the same time; a name server may let
// it wait for minutes. A login name that is no valid message name, is ours for another
// reason, or was removed by hand since the person logged on, is passed over. A name
// that another machine owns stays in the table with its conflict to be seen.
func (t *Table) SetUsers(ctx context.Context, logins []string) (claim func(context.Context)) {
	present := make(map[string]string, len(logins))
	for _, login := range logins {
		if canonical, err := t.Canonical(OfLogin(login)); err == nil && present[canonical] == "" {
			present[canonical] = login
		}
	}
	came, gone := t.compare(present)
	var all sync.WaitGroup
	for _, e := range gone {
		all.Go(func() { t.leave(ctx, e) })
	}
	all.Wait()
	return t.enterAll(came)
}

// compare finds the users who came, and takes the names from those who left.
func (t *Table) compare(present map[string]string) (came []Entry, gone []*entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name := range t.declined {
		if present[name] == "" {
			delete(t.declined, name)
		}
	}
	for k, e := range t.entries {
		if e.Kind == User && e.ours && present[k.name] == "" {
			e.ours = false
			gone = append(gone, e)
		}
	}
	for name, login := range present {
		if _, ok := t.entries[key{name, netbios.Messenger}]; !ok && !t.declined[name] {
			came = append(came, Entry{Name: name, Suffix: netbios.Messenger, Kind: User, User: login})
		}
	}
	return came, gone
}

// enterAll enters entries, and returns what claims them all at the same time.
func (t *Table) enterAll(entries []Entry) (claim func(context.Context)) {
	complain := func(e Entry, err error) {
		t.log.Warn("name is not ours just now", "name", e.Name, "kind", e.Kind, "err", err)
	}
	var claims []func(context.Context)
	for _, e := range entries {
		claim, err := t.Enter(e)
		if err != nil {
			complain(e, err)
			continue
		}
		claims = append(claims, func(ctx context.Context) {
			if err := claim(ctx); err != nil && ctx.Err() == nil {
				complain(e, err)
			}
		})
	}
	return func(ctx context.Context) {
		var all sync.WaitGroup
		for _, claim := range claims {
			all.Go(func() { claim(ctx) })
		}
		all.Wait()
	}
}

// enter gives an entry its place in the table.
func (t *Table) enter(e Entry, ours bool) (*entry, error) {
	canonical, err := t.Canonical(e.Name)
	if err != nil {
		return nil, err
	}
	e.Name, e.Places = canonical, nil
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.entries[e.key()]; ok {
		return nil, fmt.Errorf("%s: %w", e.Name, ErrExists)
	}
	if e.Kind == Alias && t.aliases() >= MaxAliases {
		return nil, ErrTooMany
	}
	entered := &entry{e, ours}
	t.entries[e.key()] = entered
	return entered, nil
}

func (t *Table) aliases() int {
	n := 0
	for _, e := range t.entries {
		if e.Kind == Alias {
			n++
		}
	}
	return n
}

// claim claims the name on all networks. That another machine has it counts
// more than any other failure.
func (t *Table) claim(ctx context.Context, e *entry) error {
	name, err := t.encode(e.key())
	if err != nil {
		return err
	}
	errs := make(chan error, len(t.networks))
	for _, n := range t.networks {
		go func() { errs <- n.Claim(ctx, name, e.Group) }()
	}
	var failed error
	for range t.networks {
		err := <-errs
		if taken, ok := errors.AsType[*TakenError](err); ok {
			failed = &TakenError{Name: e.Name, Owner: taken.Owner}
		} else if failed == nil {
			failed = err
		}
	}
	return failed
}

// leave releases the name and then takes the entry out of the table. It does so
// also for somebody who has gone away meanwhile.
func (t *Table) leave(ctx context.Context, e *entry) {
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.entries, e.key())
	}()
	name, err := t.encode(e.key())
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	var all sync.WaitGroup
	for _, n := range t.networks {
		all.Go(func() {
			if err := n.Release(ctx, name); err != nil {
				t.log.Warn("name not released everywhere", "name", e.Name, "err", err)
			}
		})
	}
	all.Wait()
}
