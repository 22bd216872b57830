package policy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/policy"
)

// keeper keeps settings in memory; err is what every change fails with.
type keeper struct {
	mu   sync.Mutex
	kept map[string]string
	err  error
}

func (k *keeper) Settings(_ context.Context, kind string) (map[string]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if kind != "policy" {
		return nil, fmt.Errorf("asked for the kind %q", kind)
	}
	return maps.Clone(k.kept), k.err
}

func (k *keeper) Set(_ context.Context, _, key, value string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return k.err
	}
	if k.kept == nil {
		k.kept = make(map[string]string)
	}
	k.kept[key] = value
	return nil
}

func (k *keeper) Unset(_ context.Context, _, key string) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return false, k.err
	}
	_, found := k.kept[key]
	delete(k.kept, key)
	return found, nil
}

// newPolicy returns a policy that is attached to 10.0.0.0/24.
func newPolicy(t *testing.T, cfg policy.Config, k *keeper) *policy.Policy {
	t.Helper()
	p, err := policy.New(t.Context(), cfg, k)
	if err != nil {
		t.Fatal(err)
	}
	p.SetAttached([]netip.Prefix{netip.MustParsePrefix("10.0.0.17/24")})
	return p
}

func TestSetWritesRulesInTheirCanonicalForm(t *testing.T) {
	tests := []struct {
		verdict     policy.Verdict
		match, want string
	}{
		{policy.Allow, "10.1.2.3", "10.1.2.3/32"},
		{policy.Allow, " 10.1.2.3 ", "10.1.2.3/32"},
		{policy.Allow, "10.1.2.3/16", "10.1.0.0/16"},
		{policy.Allow, "0.0.0.0/0", "0.0.0.0/0"},
		{policy.Allow, "::ffff:10.1.2.3", "10.1.2.3/32"},
		{policy.Allow, "::ffff:10.1.2.3/120", "10.1.2.0/24"},
		{policy.Block, "fe80::1%eth0", "fe80::1/128"},
		{policy.Block, "2001:db8::1/32", "2001:db8::/32"},
		{policy.Block, "name:boss", "name:BOSS"},
		{policy.Block, "NAME: Müller ", "name:MÜLLER"},
	}
	for _, tt := range tests {
		t.Run(tt.match, func(t *testing.T) {
			p := newPolicy(t, policy.Config{}, &keeper{})
			if err := p.Set(t.Context(), tt.verdict, tt.match); err != nil {
				t.Fatal(err)
			}
			want := policy.Rule{Verdict: tt.verdict, Match: tt.want, Source: policy.FromSet}
			for _, r := range p.Rules() {
				if r.Source == policy.FromSet && r != want {
					t.Errorf("got %v, want %v", r, want)
				}
			}
			if err := p.Remove(t.Context(), tt.verdict, tt.match); err != nil {
				t.Errorf("the rule is not removed by what was written: %v", err)
			}
			if n := len(p.Rules()); n != 1 {
				t.Errorf("%d rules are left, want that of the subnet alone", n)
			}
		})
	}
}

func TestSetTellsTheUsersErrors(t *testing.T) {
	tests := []struct {
		verdict     policy.Verdict
		match, want string
	}{
		{"permit", "10.1.2.3", `unknown verdict "permit"`},
		{"", "10.1.2.3", "unknown verdict"},
		{policy.Allow, "", "neither an address nor a prefix"},
		{policy.Allow, "10.1.2", "neither an address nor a prefix"},
		{policy.Allow, "10.1.2.3/33", "neither an address nor a prefix"},
		{policy.Allow, "PC17", "neither an address nor a prefix"},
		{policy.Allow, "name:BOSS", "a name proves nothing"},
		{policy.Block, "name:", "the name is missing"},
		{policy.Block, "name:  ", "the name is missing"},
	}
	for _, tt := range tests {
		k := &keeper{}
		p := newPolicy(t, policy.Config{}, k)
		for what, err := range map[string]error{
			"Set":    p.Set(t.Context(), tt.verdict, tt.match),
			"Remove": p.Remove(t.Context(), tt.verdict, tt.match),
		} {
			if !errors.Is(err, policy.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s(%q, %q) = %v, want an ErrInvalid with %q", what, tt.verdict, tt.match, err, tt.want)
			}
		}
		if len(k.kept) != 0 {
			t.Errorf("Set(%q, %q) kept %v", tt.verdict, tt.match, k.kept)
		}
	}
}

func TestErrorsOfTheKeeperAreNotTheUsers(t *testing.T) {
	full := errors.New("disk full")
	k := &keeper{}
	p := newPolicy(t, policy.Config{}, k)
	if err := p.Set(t.Context(), policy.Block, "name:BOSS"); err != nil {
		t.Fatal(err)
	}
	before := p.Rules()
	k.err = full
	for what, err := range map[string]error{
		"Set":    p.Set(t.Context(), policy.Allow, "10.1.2.3"),
		"Remove": p.Remove(t.Context(), policy.Block, "name:BOSS"),
	} {
		if !errors.Is(err, full) || errors.Is(err, policy.ErrInvalid) {
			t.Errorf("%s = %v, want the keeper's error", what, err)
		}
	}
	if diff := cmp.Diff(before, p.Rules()); diff != "" {
		t.Errorf("rules changed though they could not be kept (-before +after):\n%s", diff)
	}
	if _, err := policy.New(t.Context(), policy.Config{}, k); !errors.Is(err, full) {
		t.Errorf("New = %v, want the keeper's error", err)
	}
}

func TestRemove(t *testing.T) {
	p := newPolicy(t, policy.Config{Allow: []string{"10.1.0.0/16"}}, &keeper{})
	for match, want := range map[string]error{
		"10.9.9.9":    messngr.ErrNotFound,
		"10.1.0.0/16": messngr.ErrRefused, // stands in the configuration
		"10.0.0.0/24": messngr.ErrRefused, // the attached subnet
	} {
		if err := p.Remove(t.Context(), policy.Allow, match); !errors.Is(err, want) {
			t.Errorf("Remove(allow, %s) = %v, want %v", match, err, want)
		}
	}
	// The verdict is part of the rule.
	if err := p.Set(t.Context(), policy.Block, "10.9.9.9"); err != nil {
		t.Fatal(err)
	}
	if err := p.Remove(t.Context(), policy.Allow, "10.9.9.9"); !errors.Is(err, messngr.ErrNotFound) {
		t.Errorf("Remove(allow) of a block = %v, want ErrNotFound", err)
	}
}

func TestSetReplacesTheOppositeRule(t *testing.T) {
	k := &keeper{}
	p := newPolicy(t, policy.Config{}, k)
	addr := netip.MustParseAddr("10.9.9.9")
	for _, tt := range []struct {
		verdict policy.Verdict
		allowed bool
	}{{policy.Allow, true}, {policy.Block, false}, {policy.Allow, true}} {
		if err := p.Set(t.Context(), tt.verdict, "10.9.9.9"); err != nil {
			t.Fatal(err)
		}
		if got := p.Permit(addr) == nil; got != tt.allowed {
			t.Errorf("after %s: permitted = %v", tt.verdict, got)
		}
		if n := len(p.Rules()); n != 2 {
			t.Errorf("%d rules, want the subnet and one", n)
		}
	}
	if diff := cmp.Diff(map[string]string{"10.9.9.9/32": "allow"}, k.kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func TestRulesAreKeptOverARestart(t *testing.T) {
	k := &keeper{}
	p := newPolicy(t, policy.Config{}, k)
	for match, verdict := range map[string]policy.Verdict{
		"10.1.0.0/16": policy.Allow, "10.1.2.3": policy.Block, "name:boss": policy.Block,
	} {
		if err := p.Set(t.Context(), verdict, match); err != nil {
			t.Fatal(err)
		}
	}
	want := p.Rules()
	p = newPolicy(t, policy.Config{}, k)
	if diff := cmp.Diff(want, p.Rules()); diff != "" {
		t.Errorf("rules after the restart (-want +got):\n%s", diff)
	}
	if err := p.Permit(netip.MustParseAddr("10.1.2.3")); err == nil {
		t.Error("the kept block does not hold")
	}
	if err := p.Permit(netip.MustParseAddr("10.1.2.4")); err != nil {
		t.Errorf("the kept allow does not hold: %v", err)
	}
}

// A rule of another version of the program must neither open a door nor stop
// the service.
func TestKeptRulesThatNobodyUnderstandsMatchNobody(t *testing.T) {
	k := &keeper{kept: map[string]string{
		"10.1.0.0/16": "quarantine", "name:ALICE": "allow", "site:HQ": "allow", "10.2.0.0/16": "allow",
	}}
	p := newPolicy(t, policy.Config{}, k)
	if err := p.Permit(netip.MustParseAddr("10.1.0.1")); err == nil {
		t.Error("an unknown verdict lets messages in")
	}
	if err := p.Permit(netip.MustParseAddr("10.2.0.1")); err != nil {
		t.Errorf("a good rule beside unknown ones does not hold: %v", err)
	}
	if _, err := p.Judge(message("ALICE", "10.0.0.7")); err != nil {
		t.Errorf("an allowed name is blocked: %v", err)
	}
}

func TestRulesAreListedBlocksFirst(t *testing.T) {
	p := newPolicy(t, policy.Config{Allow: []string{"10.2.0.0/16"}, Block: []string{"name:Spam"}}, &keeper{})
	for _, match := range []string{"10.2.0.0/16", "10.1.0.0/16"} {
		if err := p.Set(t.Context(), policy.Allow, match); err != nil {
			t.Fatal(err)
		}
	}
	want := []policy.Rule{
		{Verdict: "block", Match: "name:SPAM", Source: "config"},
		{Verdict: "allow", Match: "10.0.0.0/24", Source: "attached"},
		{Verdict: "allow", Match: "10.1.0.0/16", Source: "set"},
		{Verdict: "allow", Match: "10.2.0.0/16", Source: "config"},
		{Verdict: "allow", Match: "10.2.0.0/16", Source: "set"},
	}
	if diff := cmp.Diff(want, p.Rules()); diff != "" {
		t.Errorf("Rules (-want +got):\n%s", diff)
	}
}

func TestSetAttachedReplacesTheSubnets(t *testing.T) {
	p := newPolicy(t, policy.Config{}, &keeper{})
	p.SetAttached([]netip.Prefix{netip.MustParsePrefix("192.168.7.9/24"), netip.MustParsePrefix("127.0.0.1/8")})
	for addr, want := range map[string]bool{"10.0.0.7": false, "192.168.7.200": true, "127.0.0.1": true} {
		if got := p.Permit(netip.MustParseAddr(addr)) == nil; got != want {
			t.Errorf("Permit(%s): permitted = %v, want %v", addr, got, want)
		}
	}
}

// What is kept and what holds must not drift apart when two administrators
// change the same rule at once.
func TestSetAndRemoveAtOnce(t *testing.T) {
	k := &keeper{}
	p := newPolicy(t, policy.Config{}, k)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			verdict := []policy.Verdict{policy.Allow, policy.Block}[i%2]
			if err := p.Set(t.Context(), verdict, "10.9.9.9"); err != nil {
				t.Error(err)
			}
			if err := p.Remove(t.Context(), verdict, "10.9.9.9"); err != nil && !errors.Is(err, messngr.ErrNotFound) {
				t.Error(err)
			}
			_ = p.Permit(netip.MustParseAddr("10.9.9.9"))
		})
	}
	all.Wait()
	want := map[string]string{}
	for _, r := range p.Rules() {
		if r.Source == policy.FromSet {
			want[r.Match] = string(r.Verdict)
		}
	}
	if diff := cmp.Diff(want, k.kept); diff != "" {
		t.Errorf("rules and what is kept (-rules +kept):\n%s", diff)
	}
}

func TestAllowedListsWhatLiesBeyondTheAttachedSubnets(t *testing.T) {
	cfg := policy.Config{Allow: []string{"10.2.3.4"}, Block: []string{"10.1.6.0/24", "name:SPAM"}}
	p := newPolicy(t, cfg, &keeper{kept: map[string]string{"site:HQ": "allow"}})
	if err := p.Set(t.Context(), policy.Allow, "10.1.0.0/16"); err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.2.3.4/32")}
	if got := p.Allowed(); !slices.Equal(got, want) {
		t.Errorf("Allowed = %v, want %v", got, want)
	}
}
