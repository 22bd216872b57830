package names_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/names"
	"messngr/store/memstore"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// network is a NetBIOS network in memory. A claim takes a second.
type network struct {
	name   string
	owners map[string]netip.Addr // label -> another machine that has it
	fails  error                 // what every claim and release fails with

	mu    sync.Mutex
	names map[netbios.Name]bool // -> whether it is ours by now
	most  int                   // claims at once
	now   int
}

func newNetwork(name string) *network {
	return &network{name: name, owners: map[string]netip.Addr{}, names: map[netbios.Name]bool{}}
}

func (n *network) Claim(ctx context.Context, name netbios.Name, _ bool) error {
	n.mu.Lock()
	n.names[name] = false
	n.now++
	n.most = max(n.most, n.now)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.now--
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
	}
	if owner, ok := n.owners[name.Label()]; ok {
		return fmt.Errorf("network %s: %w", n.name, &names.TakenError{Name: name.String(), Owner: owner})
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, wanted := n.names[name]; wanted && n.fails == nil {
		n.names[name] = true
	}
	return n.fails
}

func (n *network) Release(ctx context.Context, name netbios.Name) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.names, name)
	return n.fails
}

func (n *network) Places(name netbios.Name) []names.Place {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := names.Place{Carrier: n.name, Interface: "eth0", State: "claiming"}
	owned, ok := n.names[name]
	switch {
	case !ok:
		return nil
	case owned:
		p.State = "registered"
	case n.owners[name.Label()].IsValid():
		p.State, p.Owner = "conflict", n.owners[name.Label()]
	}
	return []names.Place{p}
}

func (n *network) has(name netbios.Name) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.names[name]
}

// claimed lists the message names that are ours, or are tried for, sorted.
func (n *network) claimed() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []string
	for name := range n.names {
		if name.Suffix() == netbios.Messenger {
			list = append(list, name.Label())
		}
	}
	slices.Sort(list)
	return list
}

// names lists the message names of a table that Lookup finds.
func ours(table *names.Table) []string {
	var list []string
	for _, e := range table.List() {
		if _, ok := table.Lookup(e.Name, false); ok && e.Suffix == netbios.Messenger {
			list = append(list, e.Name)
		}
	}
	slices.Sort(list)
	return list
}

func wantOurs(t *testing.T, table *names.Table, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, ours(table)); diff != "" {
		t.Errorf("our names (-want +got):\n%s", diff)
	}
}

func wantClaimed(t *testing.T, n *network, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, n.claimed()); diff != "" {
		t.Errorf("names on %s (-want +got):\n%s", n.name, diff)
	}
}

// keeper is a store whose settings can fail.
type keeper struct {
	*memstore.Store
	err error
}

func (k *keeper) Set(ctx context.Context, kind, key, value string) error {
	if k.err != nil {
		return k.err
	}
	return k.Store.Set(ctx, kind, key, value)
}

func (k *keeper) Unset(ctx context.Context, kind, key string) (bool, error) {
	if k.err != nil {
		return false, k.err
	}
	return k.Store.Unset(ctx, kind, key)
}

func (k *keeper) kept(t *testing.T) []string {
	t.Helper()
	settings, err := k.Settings(t.Context(), "name")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(settings))
}

func TestAddClaimsTheNameOnEveryNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nbt, nbf := newNetwork("nbt"), newNetwork("nbf")
		table := newTable(t, memstore.New(), nbt, nbf)
		begin := time.Now()
		if err := table.Add(t.Context(), alias("backup", "alice")); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d != time.Second {
			t.Errorf("two claims took %v, want them at the same time", d)
		}
		wantClaimed(t, nbt, "BACKUP", "PC17")
		wantClaimed(t, nbf, "BACKUP", "PC17")
		if e, ok := table.Lookup("BACKUP", false); !ok || e.User != "alice" {
			t.Errorf("Lookup = %+v, %v; want alice's", e, ok)
		}
	})
}

// While a name is being claimed nobody knows yet whose it is.
func TestANameIsNotOursBeforeItIsClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("nbt")
		table := newTable(t, memstore.New(), n)
		added := make(chan error)
		go func() { added <- table.Add(t.Context(), alias("BACKUP", "")) }()
		time.Sleep(500 * time.Millisecond)
		wantOurs(t, table, "PC17")
		if err := table.Remove(t.Context(), "BACKUP"); !errors.Is(err, messngr.ErrNotFound) {
			t.Errorf("Remove of a name that is being claimed = %v, want ErrNotFound", err)
		}
		if list := table.List(); list[len(list)-1].Name != "BACKUP" || list[len(list)-1].Places[0].State != "claiming" {
			t.Errorf("the list does not show what is being claimed: %+v", list)
		}
		if err := <-added; err != nil {
			t.Fatal(err)
		}
		wantOurs(t, table, "BACKUP", "PC17")
	})
}

func TestAddSaysWhoHasTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One network fails for a reason of its own, before and after the other.
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			taken, broken := newNetwork("nbt"), newNetwork("nbf")
			both := []names.Network{taken, broken}
			table := names.New(oem.Page{}, []names.Network{both[order[0]], both[order[1]]}, memstore.New(), slog.New(slog.DiscardHandler))
			taken.owners["BACKUP"] = netip.MustParseAddr("10.0.0.9")
			broken.fails = errors.New("cable pulled")
			err := table.Add(t.Context(), alias("backup", ""))
			var got *names.TakenError
			if !errors.As(err, &got) || got.Name != "BACKUP" || got.Owner != netip.MustParseAddr("10.0.0.9") {
				t.Errorf("Add = %v, want that 10.0.0.9 has BACKUP", err)
			}
			wantOurs(t, table)
			wantClaimed(t, taken)
			wantClaimed(t, broken)
			if list := table.List(); len(list) != 0 {
				t.Errorf("the table still lists %v", list)
			}
		}
	})
}

func TestAddReleasesWhatItGotIfItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		for name, tt := range map[string]struct {
			prepare func(nbt, nbf *network, k *keeper)
			want    error
		}{
			"second network": {func(_, nbf *network, _ *keeper) { nbf.fails = full }, full},
			"keeper":         {func(_, _ *network, k *keeper) { k.err = full }, full},
		} {
			nbt, nbf := newNetwork("nbt"), newNetwork("nbf")
			k := &keeper{Store: memstore.New()}
			table := newTable(t, k, nbt, nbf)
			tt.prepare(nbt, nbf, k)
			e := alias("BACKUP", "")
			e.Persist = true
			if err := table.Add(t.Context(), e); !errors.Is(err, tt.want) {
				t.Errorf("%s: Add = %v, want %v", name, err, tt.want)
			}
			wantOurs(t, table, "PC17")
			wantClaimed(t, nbt, "PC17")
			wantClaimed(t, nbf, "PC17")
			if kept := k.kept(t); len(kept) != 0 {
				t.Errorf("%s: %v is kept", name, kept)
			}
		}
	})
}

// Whoever asked for a name may hang up before it is claimed.
func TestAddReleasesTheNameForSomebodyWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("nbt")
		table := newTable(t, memstore.New(), n)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := table.Add(ctx, alias("BACKUP", "")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Add = %v, want the end of the context", err)
		}
		wantClaimed(t, n, "PC17")
	})
}

func TestAddRefuses(t *testing.T) {
	n := newNetwork("nbt")
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, memstore.New(), n)
		for name, want := range map[string]error{
			"pc17": names.ErrExists, "": names.ErrInvalid, "*": names.ErrInvalid, "SIXTEEN-LETTERS-": names.ErrInvalid,
		} {
			if err := table.Add(t.Context(), alias(name, "")); !errors.Is(err, want) {
				t.Errorf("Add(%q) = %v, want %v", name, err, want)
			}
		}
	})
}

func TestAddOfOneNameByManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("nbt")
		table := newTable(t, memstore.New(), n)
		var added, exists atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				switch err := table.Add(t.Context(), alias("BACKUP", "")); {
				case err == nil:
					added.Add(1)
				case errors.Is(err, names.ErrExists):
					exists.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if added.Load() != 1 || exists.Load() != 19 {
			t.Errorf("%d added it and %d heard that it exists, want 1 and 19", added.Load(), exists.Load())
		}
		if n.most != 1 { // newTable claims one name after another
			t.Errorf("%d claims at once, want 1", n.most)
		}
	})
}

func TestAddKnowsALimit(t *testing.T) {
	table := newTable(t, memstore.New())
	for i := range names.MaxAliases {
		if err := table.Add(t.Context(), alias(fmt.Sprintf("ALIAS%d", i), "")); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Add(t.Context(), alias("ONE-TOO-MANY", "")); !errors.Is(err, names.ErrTooMany) {
		t.Errorf("Add = %v, want ErrTooMany", err)
	}
	table.SetUsers(t.Context(), []string{"alice"})(t.Context()) // people are not aliases
	if _, ok := table.Lookup("ALICE", false); !ok {
		t.Error("the limit of aliases keeps people out")
	}
	if err := table.Remove(t.Context(), "ALIAS7"); err != nil {
		t.Fatal(err)
	}
	if err := table.Add(t.Context(), alias("ALIAS7", "")); err != nil {
		t.Errorf("Add after one was removed = %v", err)
	}
}

func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("nbt")
		k := &keeper{Store: memstore.New()}
		table := newTable(t, k, n)
		e := alias("BACKUP", "")
		e.Persist = true
		if err := table.Add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]error{
			"PC17": names.ErrBuiltin, "pc17": names.ErrBuiltin, "WORKGROUP": names.ErrBuiltin,
			"NOBODY": messngr.ErrNotFound, "": names.ErrInvalid,
		} {
			if err := table.Remove(t.Context(), name); !errors.Is(err, want) {
				t.Errorf("Remove(%q) = %v, want %v", name, err, want)
			}
		}
		k.err = errors.New("disk full")
		if err := table.Remove(t.Context(), "BACKUP"); !errors.Is(err, k.err) {
			t.Errorf("Remove = %v, want the keeper's error", err)
		}
		wantOurs(t, table, "BACKUP", "PC17") // else it would come back by itself
		k.err = nil
		if err := table.Remove(t.Context(), " backup"); err != nil {
			t.Fatal(err)
		}
		wantOurs(t, table, "PC17")
		wantClaimed(t, n, "PC17")
		if kept := k.kept(t); len(kept) != 0 {
			t.Errorf("%v is still kept", kept)
		}
	})
}

// A name that is being given up must not be claimed anew before it is gone: the
// release would take it away again.
func TestRemoveEndsBeforeTheNextAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("nbt")
		table := newTable(t, memstore.New(), n)
		if err := table.Add(t.Context(), alias("BACKUP", "")); err != nil {
			t.Fatal(err)
		}
		removed := make(chan error)
		go func() { removed <- table.Remove(t.Context(), "BACKUP") }()
		time.Sleep(500 * time.Millisecond)
		wantOurs(t, table, "PC17")
		if err := table.Add(t.Context(), alias("BACKUP", "")); !errors.Is(err, names.ErrExists) {
			t.Errorf("Add during the release = %v, want ErrExists", err)
		}
		if err := table.Remove(t.Context(), "BACKUP"); !errors.Is(err, messngr.ErrNotFound) {
			t.Errorf("second Remove = %v, want ErrNotFound", err)
		}
		if err := <-removed; err != nil {
			t.Fatal(err)
		}
		if err := table.Add(t.Context(), alias("BACKUP", "")); err != nil {
			t.Errorf("Add after the release = %v", err)
		}
		wantClaimed(t, n, "BACKUP", "PC17")
	})
}

func TestOwnNamesAreOursWhateverTheNetworksSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("nbt")
		n.owners["PC17"] = netip.MustParseAddr("10.0.0.9")
		table := names.New(oem.Page{}, []names.Network{n}, memstore.New(), slog.New(slog.DiscardHandler))
		done := make(chan error)
		e := names.Entry{Name: "PC17", Suffix: netbios.Messenger, Kind: names.Computer}
		go func() { done <- table.Own(t.Context(), e) }()
		synctest.Wait()
		wantOurs(t, table, "PC17")
		err := <-done
		if got, ok := errors.AsType[*names.TakenError](err); !ok || !strings.Contains(err.Error(), "PC17<03>") {
			t.Errorf("Own = %v (%v), want that PC17<03> is taken", err, got)
		}
		wantOurs(t, table, "PC17")
		if list := table.List(); list[0].Places[0].State != "conflict" {
			t.Errorf("the list does not show the conflict: %+v", list)
		}
		if err := table.Own(t.Context(), e); !errors.Is(err, names.ErrExists) {
			t.Errorf("second Own = %v, want ErrExists", err)
		}
	})
}

func TestRestoreBringsBackWhatWasKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{Store: memstore.New()}
		before := newTable(t, k, newNetwork("nbt"))
		for _, name := range []string{"BACKUP", "TAKEN", "müller"} {
			e := alias(name, "alice")
			e.Persist = true
			if err := before.Add(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if err := before.Add(t.Context(), alias("PASSING", "")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"BACKUP", "MÜLLER", "TAKEN"}, k.kept(t)); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}

		n := newNetwork("nbt")
		n.owners["TAKEN"] = netip.MustParseAddr("10.0.0.9")
		after := newTable(t, k, n)
		begin := time.Now()
		claim, err := after.Restore(t.Context())
		if err == nil {
			claim(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d != time.Second {
			t.Errorf("four claims took %v, want them at the same time", d)
		}
		wantOurs(t, after, "BACKUP", "MÜLLER", "PC17", "TAKEN")
		for _, e := range after.List() {
			if e.Kind != names.Alias {
				continue
			}
			want := "registered"
			if e.Name == "TAKEN" {
				want = "conflict"
			}
			if !e.Persist || e.User != "alice" || e.Places[0].State != want {
				t.Errorf("restored %+v, want it %s, alice's, and kept", e, want)
			}
		}
		if len(k.kept(t)) != 3 {
			t.Errorf("only %v is kept for the next time", k.kept(t))
		}
	})
}

func TestUsersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("nbt")
		n.owners["CAROL"] = netip.MustParseAddr("10.0.0.9") // logged on there as well
		table := newTable(t, memstore.New(), n)
		if err := table.Add(t.Context(), alias("DAVE", "")); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		table.SetUsers(t.Context(), []string{"alice", "alice", "Bob", "pc17", "carol", "dave", "a-login-name-that-is-long", "", `WARD\erin`, `WARD\alice`})(t.Context())
		if d := time.Since(begin); d != time.Second {
			t.Errorf("three claims took %v, want them at the same time", d)
		}
		wantOurs(t, table, "ALICE", "BOB", "CAROL", "DAVE", "ERIN", "PC17")
		wantClaimed(t, n, "ALICE", "BOB", "CAROL", "DAVE", "ERIN", "PC17")
		for name, want := range map[string]names.Entry{
			"BOB":  {Name: "BOB", Suffix: netbios.Messenger, Kind: names.User, User: "Bob"},
			"ERIN": {Name: "ERIN", Suffix: netbios.Messenger, Kind: names.User, User: `WARD\erin`},
			"PC17": {Name: "PC17", Suffix: netbios.Messenger, Kind: names.Computer},
			"DAVE": {Name: "DAVE", Suffix: netbios.Messenger, Kind: names.Alias},
		} {
			got, _ := table.Lookup(name, false)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}

		table.SetUsers(t.Context(), []string{"alice"})(t.Context())
		wantOurs(t, table, "ALICE", "DAVE", "PC17")
		wantClaimed(t, n, "ALICE", "DAVE", "PC17")
		table.SetUsers(t.Context(), nil)(t.Context())
		wantOurs(t, table, "DAVE", "PC17")
	})
}

// NET NAME ALICE /DELETE holds until Alice has left and comes back.
func TestAUsersNameThatWasRemovedStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, memstore.New(), newNetwork("nbt"))
		table.SetUsers(t.Context(), []string{"alice"})(t.Context())
		if err := table.Remove(t.Context(), "ALICE"); err != nil {
			t.Fatal(err)
		}
		table.SetUsers(t.Context(), []string{"alice", "bob"})(t.Context())
		wantOurs(t, table, "BOB", "PC17")
		table.SetUsers(t.Context(), []string{"bob"})(t.Context())
		table.SetUsers(t.Context(), []string{"alice", "bob"})(t.Context())
		wantOurs(t, table, "ALICE", "BOB", "PC17")
	})
}
