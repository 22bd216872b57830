package wins_test

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
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier/wins"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

var (
	alice   = mustName("ALICE", netbios.Messenger)
	office  = mustName("OFFICE", netbios.Workstation)
	domain  = mustName("SALES", netbios.DomainControllers)
	primary = mustName("SALES", netbios.DomainMaster)
	browser = mustName("OFFICE", netbios.MasterBrowser)
)

func mustName(label string, suffix netbios.Suffix) netbios.Name {
	n, err := netbios.New(label, suffix)
	if err != nil {
		panic(err)
	}
	return n
}

// A keeper keeps settings in memory.
type keeper struct {
	mu     sync.Mutex
	values map[string]string
	fails  error
	calls  int
}

func (k *keeper) Settings(context.Context, string) (map[string]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.values), k.fails
}

func (k *keeper) Set(_ context.Context, kind, key, value string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails != nil {
		return k.fails
	}
	if kind != "wins" {
		return fmt.Errorf("kind %q", kind)
	}
	if k.values == nil {
		k.values = make(map[string]string)
	}
	k.values[key], k.calls = value, k.calls+1
	return nil
}

func (k *keeper) Unset(_ context.Context, _, key string) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails != nil {
		return false, k.fails
	}
	_, ok := k.values[key]
	delete(k.values, key)
	k.calls++
	return ok, nil
}

func (k *keeper) len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.values)
}

// changes counts what the keeper was told.
func (k *keeper) changes() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

// A desk is a server, and somebody who asks it for others.
type desk struct {
	*wins.Server
	t  *testing.T
	id uint16
}

func newDesk(t *testing.T, cfg wins.Config, k *keeper) *desk {
	t.Helper()
	if k == nil {
		k = &keeper{}
	}
	s, err := wins.New(t.Context(), cfg, k, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &desk{Server: s, t: t}
}

// run runs the server until the test ends or stop is called.
func (d *desk) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			d.t.Errorf("Run = %v, want nil", err)
		}
	})
	d.t.Cleanup(stop)
	return stop
}

type later = func(context.Context, wins.Ask) nbns.Packet

func at(addr string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(addr), 137) }

// request makes the packet by which the machine at addr claims a name.
func (d *desk) request(kind nbns.Kind, name netbios.Name, addr string, group bool) nbns.Packet {
	d.id++
	return nbns.Packet{
		ID: d.id, Kind: kind, Name: name, TTL: 300000 * time.Second,
		Addresses: []nbns.Address{{Addr: netip.MustParseAddr(addr), Group: group, Node: nbns.HNode}},
	}
}

// send hands a request over and gives the answer in words.
func (d *desk) send(p nbns.Packet, from string) (string, later) {
	d.t.Helper()
	reply, then, ok := d.Update(p, at(from))
	if !ok {
		return "nothing", then
	}
	if reply.ID != p.ID || reply.Name != p.Name || reply.Scope != p.Scope {
		d.t.Errorf("the reply %+v is not about %+v", reply, p)
	}
	if reply.Kind == nbns.Wait {
		if reply.Waiting != p.Kind || reply.TTL < 9*time.Second || then == nil {
			d.t.Errorf("waiting = %+v, want it to be about a %v and at least 9 s", reply, p.Kind)
		}
		return "wait", then
	}
	if then != nil {
		d.t.Errorf("an answer comes after %v", reply)
	}
	return reply.Rcode.String(), nil
}

// claims registers a unique name for the machine at addr.
func (d *desk) claims(name netbios.Name, addr string) (string, later) {
	d.t.Helper()
	return d.send(d.request(nbns.Registration, name, addr, false), addr)
}

// want says what should become of a claim.
func (d *desk) want(name netbios.Name, addr, want string) later {
	d.t.Helper()
	got, then := d.claims(name, addr)
	if got != want {
		d.t.Errorf("%v claimed by %s: %s, want %s", name, addr, got, want)
	}
	return then
}

// joins registers a group name for the machine at addr.
func (d *desk) joins(name netbios.Name, addr, want string) later {
	d.t.Helper()
	got, then := d.send(d.request(nbns.Registration, name, addr, true), addr)
	if got != want {
		d.t.Errorf("group %v joined by %s: %s, want %s", name, addr, got, want)
	}
	return then
}

// releases gives a name up.
func (d *desk) releases(name netbios.Name, addr, from string) {
	d.t.Helper()
	if got, _ := d.send(d.request(nbns.Release, name, addr, false), from); got != "success" {
		d.t.Errorf("release of %v by %s: %s, want success for everybody", name, from, got)
	}
}

// decided ends a challenge to which the machines answer as told, and says how.
func decided(then later, told map[string][]string) string {
	return then(context.Background(), func(_ context.Context, at netip.Addr, _ netbios.Name, _ string) []netip.Addr {
		var addrs []netip.Addr
		for _, a := range told[at.String()] {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		return addrs
	}).Rcode.String()
}

// found gives the answer to a query in words.
func (d *desk) found(name netbios.Name, scope string) string {
	d.t.Helper()
	reply, ok := d.Query(nbns.Packet{ID: 7, Kind: nbns.Query, Name: name, Scope: scope}, netip.MustParseAddr("10.0.0.99"))
	if !ok || reply.ID != 7 || reply.Kind != nbns.QueryResponse || !reply.Server || reply.Name != name || reply.Scope != scope {
		d.t.Fatalf("answer to a query = %+v, %v", reply, ok)
	}
	if reply.Rcode != nbns.RcodeOK {
		return reply.Rcode.String()
	}
	var list []string
	for _, a := range reply.Addresses {
		text := a.Addr.String()
		if a.Group {
			text += " group"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func (d *desk) wantFound(name netbios.Name, want string) {
	d.t.Helper()
	if got := d.found(name, ""); got != want {
		d.t.Errorf("%v is at %q, want %q", name, got, want)
	}
}

const nobody = "no such name"

func TestOneOwner(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.wantFound(alice, nobody)
	d.want(alice, "10.0.0.1", "success")
	d.want(alice, "10.0.0.1", "success")
	d.wantFound(alice, "10.0.0.1")

	then := d.want(alice, "10.0.0.2", "wait")
	if got := decided(then, map[string][]string{"10.0.0.1": {"10.0.0.1"}}); got != nbns.RcodeActive.String() {
		t.Errorf("while the owner is there: %s", got)
	}
	d.wantFound(alice, "10.0.0.1")

	then = d.want(alice, "10.0.0.2", "wait")
	if got := decided(then, nil); got != "success" {
		t.Errorf("while the owner is gone: %s", got)
	}
	d.wantFound(alice, "10.0.0.2")

	then = d.joins(alice, "10.0.0.3", "wait")
	if got := decided(then, map[string][]string{"10.0.0.2": {"10.0.0.2"}}); got != nbns.RcodeActive.String() {
		t.Errorf("as a group while the owner is there: %s", got)
	}
	then = d.joins(alice, "10.0.0.3", "wait")
	if got := decided(then, nil); got != "success" {
		t.Errorf("as a group while the owner is gone: %s", got)
	}
	d.wantFound(alice, "255.255.255.255 group")
}

// TestOneMachineOfManyAddresses: the owner itself says that another address is its own,
// and which ones it does not have any more.
func TestOneMachineOfManyAddresses(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.want(alice, "10.0.0.1", "success")
	then := d.want(alice, "10.0.1.1", "wait")
	if got := decided(then, map[string][]string{"10.0.0.1": {"10.0.0.1", "10.0.1.1"}}); got != "success" {
		t.Errorf("second address: %s", got)
	}
	d.wantFound(alice, "10.0.0.1, 10.0.1.1")
	then = d.want(alice, "10.0.2.1", "wait")
	if got := decided(then, map[string][]string{"10.0.1.1": {"10.0.1.1", "10.0.2.1"}}); got != "success" {
		t.Errorf("third address: %s", got)
	}
	d.wantFound(alice, "10.0.1.1, 10.0.2.1")
	d.releases(alice, "10.0.1.1", "10.0.2.1") // by another address of its own
	d.wantFound(alice, "10.0.2.1")
}

// TestOneMachineComesByAllAddressesAtOnce: that one address is accepted is no reason to
// refuse another one, nor to forget it.
func TestOneMachineComesByAllAddressesAtOnce(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.want(alice, "10.0.0.1", "success")
	second, third := d.want(alice, "10.0.1.1", "wait"), d.want(alice, "10.0.2.1", "wait")
	time.Sleep(time.Millisecond)
	if got := decided(second, map[string][]string{"10.0.0.1": {"10.0.0.1", "10.0.1.1"}}); got != "success" {
		t.Errorf("second address: %s", got)
	}
	if got := decided(third, map[string][]string{"10.0.0.1": {"10.0.0.1", "10.0.2.1"}}); got != "success" {
		t.Errorf("third address: %s", got)
	}
	d.wantFound(alice, "10.0.0.1, 10.0.1.1, 10.0.2.1")
}

// TestEveryKindOfRequestRegisters: what names the kinds have differs, what they mean not.
func TestEveryKindOfRequestRegisters(t *testing.T) {
	for _, kind := range []nbns.Kind{nbns.Registration, nbns.MultihomedRegistration, nbns.Overwrite, nbns.Refresh} {
		d := newDesk(t, wins.Defaults(), nil)
		if got, _ := d.send(d.request(kind, alice, "10.0.0.1", false), "10.0.0.1"); got != "success" {
			t.Errorf("%v of a free name: %s", kind, got)
		}
		d.wantFound(alice, "10.0.0.1")
		got, then := d.send(d.request(kind, alice, "10.0.0.2", false), "10.0.0.2")
		if got != "wait" {
			t.Fatalf("%v of another's name: %s, want wait", kind, got)
		}
		if got := decided(then, map[string][]string{"10.0.0.1": {"10.0.0.1"}}); got != nbns.RcodeActive.String() {
			t.Errorf("%v of another's name: %s", kind, got)
		}
	}
}

// TestRules has the claims that are refused, or granted for nothing.
func TestRules(t *testing.T) {
	tests := []struct {
		name  netbios.Name
		addr  string
		group bool
		want  string
		found string
	}{
		{netbios.Wildcard(), "10.0.0.1", false, "refused", nobody},
		{mustName("*SMBSERVER", netbios.FileServer), "10.0.0.1", false, "refused", nobody},
		{browser, "10.0.0.1", false, "success", nobody},
		{browser, "10.0.0.1", true, "success", nobody},
		{primary, "10.0.0.1", true, "refused", nobody},
		{primary, "10.0.0.1", false, "success", "10.0.0.1"},
		{domain, "10.0.0.1", false, "refused", nobody},
		{domain, "10.0.0.1", true, "success", "10.0.0.1 group"},
		{mustName("OFFICE", netbios.BrowserElection), "10.0.0.1", false, "refused", nobody},
		{mustName("OFFICE", netbios.BrowserElection), "10.0.0.1", true, "success", "255.255.255.255 group"},
		{alice, "0.0.0.0", false, "format error", nobody},
		{alice, "255.255.255.255", false, "format error", nobody},
		{alice, "224.0.0.1", false, "format error", nobody},
		{alice, "127.64.64.1", false, "success", "127.64.64.1"},
		{netbios.Name([]byte("               \x72")), "10.0.0.1", false, "success", "10.0.0.1"},
	}
	for _, tt := range tests {
		d := newDesk(t, wins.Defaults(), nil)
		if got, _ := d.send(d.request(nbns.Registration, tt.name, tt.addr, tt.group), "10.0.0.1"); got != tt.want {
			t.Errorf("%v at %s, group %v: %s, want %s", tt.name, tt.addr, tt.group, got, tt.want)
		}
		d.wantFound(tt.name, tt.found)
	}
	d := newDesk(t, wins.Defaults(), nil)
	p := d.request(nbns.Registration, alice, "10.0.0.1", false)
	p.Addresses = nil
	if got, _ := d.send(p, "10.0.0.1"); got != "format error" {
		t.Errorf("without an address: %s", got)
	}
}

// TestScopes: names of different scopes are different names, and so are small letters.
func TestScopes(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	long := strings.Repeat("x", 63) + "." + strings.Repeat("y", 63) + "." + strings.Repeat("z", 63) + "." + strings.Repeat("w", 45)
	for i, scope := range []string{"", "example", "EXAMPLE", long} {
		p := d.request(nbns.Registration, alice, fmt.Sprintf("10.0.0.%d", i+1), false)
		p.Scope = scope
		if got, _ := d.send(p, "10.0.0.1"); got != "success" {
			t.Errorf("scope %q: %s", scope, got)
		}
		if got, want := d.found(alice, scope), fmt.Sprintf("10.0.0.%d", i+1); got != want {
			t.Errorf("in scope %q at %s, want %s", scope, got, want)
		}
	}
	p := d.request(nbns.Registration, alice, "10.0.0.9", false)
	p.Scope = long + "w"
	if got, _ := d.send(p, "10.0.0.9"); got != "server failure" {
		t.Errorf("scope of 238 bytes: %s", got)
	}
}

func TestGroups(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.joins(office, "10.0.0.1", "success")
	d.joins(office, "10.0.0.2", "success")
	d.wantFound(office, "255.255.255.255 group")
	d.want(office, "10.0.0.3", nbns.RcodeActive.String())
	d.releases(office, "10.0.0.1", "10.0.0.1")
	d.wantFound(office, "255.255.255.255 group")

	for i := range 30 {
		d.joins(domain, fmt.Sprintf("10.0.0.%d", i+1), "success")
		time.Sleep(time.Millisecond)
	}
	d.joins(domain, "10.0.0.6", "success") // was the oldest
	d.joins(domain, "10.0.0.31", "success")
	members := strings.Split(d.found(domain, ""), ", ")
	if len(members) != 25 || slices.Contains(members, "10.0.0.7 group") || !slices.Contains(members, "10.0.0.6 group") {
		t.Errorf("members = %q, want the 25 that were heard of last", members)
	}
	d.want(primary, "10.0.0.20", "success")
	members = strings.Split(d.found(domain, ""), ", ")
	if len(members) != 25 || members[0] != "10.0.0.20 group" || slices.Contains(members[1:], members[0]) {
		t.Errorf("members = %q, want the primary controller first, and once", members)
	}
	d.releases(domain, "10.0.0.6", "10.0.0.8") // not its own
	d.releases(domain, "10.0.0.8", "10.0.0.8")
	members = strings.Split(d.found(domain, ""), ", ")
	if len(members) != 24 || slices.Contains(members, "10.0.0.8 group") {
		t.Errorf("members = %q, want all but the one that left", members)
	}
	d.want(domain, "10.0.0.1", "refused")
}

func TestRelease(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.releases(alice, "10.0.0.1", "10.0.0.1") // of a name that nobody has
	d.want(alice, "10.0.0.1", "success")
	d.releases(alice, "10.0.0.1", "10.0.0.66")
	d.wantFound(alice, "10.0.0.1")
	d.releases(alice, "10.0.0.1", "10.0.0.1")
	d.wantFound(alice, nobody)
	d.want(alice, "10.0.0.2", "success")
	p := d.request(nbns.Release, alice, "10.0.0.2", false)
	p.Addresses = nil
	d.send(p, "10.0.0.2")
	d.wantFound(alice, "10.0.0.2")
	if got := d.Names(); got != 1 {
		t.Errorf("%d names, want 1", got)
	}
}

// TestRepeatedWhileWaiting: a copy of the request gets no second answer, another
// request does.
func TestRepeatedWhileWaiting(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.want(alice, "10.0.0.1", "success")
	p := d.request(nbns.Registration, alice, "10.0.0.2", false)
	got, then := d.send(p, "10.0.0.2")
	if got != "wait" {
		t.Fatalf("first: %s", got)
	}
	if got, _ := d.send(p, "10.0.0.2"); got != "nothing" {
		t.Errorf("a copy: %s, want nothing", got)
	}
	if got := decided(then, nil); got != "success" {
		t.Errorf("decided: %s", got)
	}
	if got, _ := d.send(p, "10.0.0.2"); got != "success" {
		t.Errorf("a copy after the decision: %s", got)
	}
}

// TestTwoClaimants: of two who claim a name whose owner is gone, one gets it, in whatever
// order the answers come; and an owner who says at that time that it is there keeps it.
func TestTwoClaimants(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.want(alice, "10.0.0.1", "success")
	first, second := d.want(alice, "10.0.0.2", "wait"), d.want(alice, "10.0.0.3", "wait")
	if got := decided(second, nil); got != "success" {
		t.Errorf("who is decided first: %s", got)
	}
	if got := decided(first, nil); got != nbns.RcodeActive.String() {
		t.Errorf("who is decided later: %s", got)
	}
	d.wantFound(alice, "10.0.0.3")

	time.Sleep(time.Millisecond)
	then := d.want(alice, "10.0.0.4", "wait")
	time.Sleep(time.Millisecond)
	d.want(alice, "10.0.0.3", "success")
	if got := decided(then, nil); got != nbns.RcodeActive.String() {
		t.Errorf("when the owner was heard of meanwhile: %s", got)
	}
	then = d.want(alice, "10.0.0.4", "wait")
	d.releases(alice, "10.0.0.3", "10.0.0.3")
	if got := decided(then, nil); got != "success" {
		t.Errorf("when the owner gave it up meanwhile: %s", got)
	}
	d.wantFound(alice, "10.0.0.4")
}

func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := wins.Defaults()
		cfg.MinTTL, cfg.MaxTTL = 600, 3600
		d := newDesk(t, cfg, nil)
		stop := d.run()
		register := func(name netbios.Name, ttl, want time.Duration) {
			t.Helper()
			p := d.request(nbns.Registration, name, "10.0.0.1", false)
			p.TTL = ttl
			reply, _, _ := d.Update(p, at("10.0.0.1"))
			if reply.Rcode != nbns.RcodeOK || reply.TTL != want {
				t.Errorf("for %v asked: %v, %v, want %v", ttl, reply.Rcode, reply.TTL, want)
			}
		}
		bob, carol := mustName("BOB", netbios.Messenger), mustName("CAROL", netbios.Messenger)
		register(alice, time.Second, 10*time.Minute)
		register(bob, 20*time.Minute, 20*time.Minute)
		register(carol, 0, time.Hour)
		time.Sleep(10*time.Minute - time.Nanosecond)
		d.wantFound(alice, "10.0.0.1")
		time.Sleep(time.Nanosecond)
		d.wantFound(alice, nobody)
		d.want(alice, "10.0.0.2", "success") // nobody is asked
		time.Sleep(11 * time.Minute)
		d.wantFound(bob, nobody)
		d.wantFound(carol, "10.0.0.1")
		register(carol, 0, time.Hour)
		time.Sleep(55 * time.Minute)
		d.wantFound(carol, "10.0.0.1")
		time.Sleep(2 * time.Hour)
		if got := d.Names(); got != 0 {
			t.Errorf("%d names are remembered after the time of all is over", got)
		}
		stop()
	})
}

func TestMembersExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := wins.Defaults()
		cfg.MinTTL, cfg.MaxTTL = 600, 3600
		d := newDesk(t, cfg, nil)
		d.joins(domain, "10.0.0.1", "success")
		time.Sleep(30 * time.Minute)
		d.joins(domain, "10.0.0.2", "success")
		d.wantFound(domain, "10.0.0.1 group, 10.0.0.2 group")
		time.Sleep(31 * time.Minute)
		d.wantFound(domain, "10.0.0.2 group")
		d.want(primary, "10.0.0.1", "success")
		time.Sleep(59 * time.Minute)
		d.wantFound(domain, "10.0.0.1 group")
		time.Sleep(2 * time.Minute)
		d.wantFound(domain, nobody)
	})
}

func TestBounds(t *testing.T) {
	cfg := wins.Defaults()
	cfg.MaxNames = 16
	d := newDesk(t, cfg, nil)
	name := func(i int) netbios.Name { return mustName(fmt.Sprintf("NAME%d", i), netbios.Messenger) }
	d.want(name(0), "10.0.0.1", "success")
	d.want(name(1), "10.0.0.1", "success")
	d.want(name(2), "10.0.0.1", "server failure") // has an eighth already
	d.want(name(1), "10.0.0.1", "success")
	for i := range 14 {
		d.want(name(10+i), fmt.Sprintf("10.0.0.%d", 10+i), "success")
	}
	d.want(name(50), "10.0.0.50", "server failure")
	d.releases(name(1), "10.0.0.1", "10.0.0.1")
	d.want(name(50), "10.0.0.50", "success")

	var waiting []later
	for i := range 70 { // one machine cannot have all the places for those that wait
		got, then := d.claims(name(0), "10.0.3.1")
		switch {
		case i < 64 && got != "wait", i >= 64 && got != "server failure":
			t.Fatalf("claim %d of one machine: %s", i, got)
		case then != nil:
			waiting = append(waiting, then)
		}
	}
	for _, then := range waiting {
		decided(then, map[string][]string{"10.0.0.1": {"10.0.0.1"}})
	}
	waiting = nil
	for i := range 300 {
		got, then := d.claims(name(0), fmt.Sprintf("10.0.1.%d", i%250+1))
		switch {
		case i < 256 && got != "wait", i >= 256 && got != "server failure":
			t.Fatalf("claim %d of a name with an owner: %s", i, got)
		case then != nil:
			waiting = append(waiting, then)
		}
	}
	for _, then := range waiting {
		decided(then, map[string][]string{"10.0.0.1": {"10.0.0.1"}})
	}
	d.want(name(0), "10.0.2.1", "wait")
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := wins.Defaults()
		cfg.Rate, cfg.Burst = 10, 20
		d := newDesk(t, cfg, nil)
		d.run()
		query := func(from string) bool {
			_, ok := d.Query(nbns.Packet{Kind: nbns.Query, Name: alice}, netip.MustParseAddr(from))
			return ok
		}
		answered := 0
		for range 100 {
			if query("10.0.0.1") {
				answered++
			}
		}
		if answered != 20 {
			t.Errorf("%d of 100 questions at once answered, want 20", answered)
		}
		if got, _ := d.claims(alice, "10.0.0.1"); got != "nothing" {
			t.Errorf("a claim after too many questions: %s, want nothing", got)
		}
		if !query("10.0.0.2") {
			t.Error("another machine gets no answer")
		}
		time.Sleep(time.Second)
		d.want(alice, "10.0.0.1", "success")
	})
}

func TestStatic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		old := newDesk(t, wins.Defaults(), k)
		printer := mustName("PRINTER", netbios.Messenger)
		stop := old.run()
		old.want(printer, "10.0.0.66", "success")
		stop()

		cfg := wins.Defaults()
		cfg.Static = []string{
			"10.0.0.9 PRINTER", `10.0.0.8 "ALICE          \0x03"`, "10.0.0.7 DC1 #DOM:SALES", "10.0.0.6 DC2 #DOM:SALES",
			"10.0.0.5 ROUTER #MH", "10.0.1.5 ROUTER #MH",
		}
		d := newDesk(t, cfg, k)
		d.run()
		d.wantFound(printer, "10.0.0.9")
		d.wantFound(printer.WithSuffix(netbios.Workstation), "10.0.0.9")
		d.wantFound(alice, "10.0.0.8")
		d.wantFound(alice.WithSuffix(netbios.Workstation), nobody)
		d.wantFound(domain, "10.0.0.7 group, 10.0.0.6 group")
		d.wantFound(mustName("ROUTER", netbios.FileServer), "10.0.0.5, 10.0.1.5")

		d.want(alice, "10.0.0.66", nbns.RcodeActive.String())
		d.want(alice, "10.0.0.8", "success")
		d.joins(alice, "10.0.0.66", nbns.RcodeActive.String())
		d.releases(alice, "10.0.0.8", "10.0.0.8")
		d.wantFound(alice, "10.0.0.8")
		d.joins(domain, "10.0.0.20", "success")
		d.releases(domain, "10.0.0.7", "10.0.0.7")
		d.wantFound(domain, "10.0.0.7 group, 10.0.0.6 group, 10.0.0.20 group")
		time.Sleep(30 * 24 * time.Hour)
		d.wantFound(alice, "10.0.0.8")
		d.wantFound(domain, "10.0.0.7 group, 10.0.0.6 group")
		if got := k.len(); got != 0 {
			t.Errorf("%d names are kept, want none: the configuration has the static ones", got)
		}
	})
}

func TestNamesOutliveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		d := newDesk(t, wins.Defaults(), k)
		stop := d.run()
		d.want(alice, "10.0.0.1", "success")
		d.joins(office, "10.0.0.1", "success")
		d.joins(domain, "10.0.0.1", "success")
		d.joins(domain, "10.0.0.2", "success")
		scoped := d.request(nbns.Registration, alice, "10.0.0.3", false)
		scoped.Scope = "a.b"
		d.send(scoped, "10.0.0.3")
		gone := mustName("GONE", netbios.Messenger)
		d.want(gone, "10.0.0.1", "success")
		time.Sleep(2 * time.Second)
		d.releases(gone, "10.0.0.1", "10.0.0.1")
		stop()
		k.values["nonsense"], k.values["00"] = "{}", "{}"
		k.values[strings.Repeat("41", 16)] = `{"kind":0,"owners":[]}`
		k.values[strings.Repeat("42", 16)] = `{"kind":`

		time.Sleep(10 * 24 * time.Hour) // longer than any lifetime
		d = newDesk(t, wins.Defaults(), k)
		if got := d.Names(); got != 4 {
			t.Errorf("%d names after a restart, want 4", got)
		}
		d.wantFound(alice, "10.0.0.1")
		d.wantFound(office, "255.255.255.255 group")
		if got := d.found(domain, ""); got != "10.0.0.1 group, 10.0.0.2 group" {
			t.Errorf("members = %q", got)
		}
		if got := d.found(alice, "a.b"); got != "10.0.0.3" {
			t.Errorf("in its scope %q", got)
		}
		d.want(alice, "10.0.0.2", "wait")
		time.Sleep(6 * time.Hour) // what nobody has refreshed by now is over
		d.wantFound(alice, nobody)
	})
}

// TestKeepingIsPutOff: a keeper that fails gets everything later, and refreshes that
// change little cost it nothing.
func TestKeepingIsPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		d := newDesk(t, wins.Defaults(), k)
		d.run()
		k.mu.Lock()
		k.fails = errors.New("disk full")
		k.mu.Unlock()
		for i := range 200 {
			d.want(mustName(fmt.Sprintf("NAME%d", i), netbios.Messenger), "10.0.0.1", "success")
		}
		time.Sleep(5 * time.Second)
		k.mu.Lock()
		k.fails = nil
		k.mu.Unlock()
		time.Sleep(2 * time.Second)
		if got := k.len(); got != 200 {
			t.Errorf("%d names kept, want 200", got)
		}
		for range 10 {
			time.Sleep(10 * time.Minute)
			for i := range 200 {
				d.want(mustName(fmt.Sprintf("NAME%d", i), netbios.Messenger), "10.0.0.1", "success")
			}
		}
		time.Sleep(2 * time.Second)
		if got := k.changes(); got != 200 {
			t.Errorf("%d changes kept, want 200: the refreshes are not worth it", got)
		}
		time.Sleep(3 * time.Hour)
		d.want(mustName("NAME0", netbios.Messenger), "10.0.0.1", "success")
		time.Sleep(2 * time.Second)
		if got := k.changes(); got != 201 {
			t.Errorf("%d changes kept, want 201", got)
		}
	})
}

func TestServes(t *testing.T) {
	cfg := wins.Defaults()
	cfg.Networks = []string{"10.1.0.0/16", "192.168.3.0/24"}
	d := newDesk(t, cfg, nil)
	for addr, want := range map[string]bool{"10.1.2.3": true, "192.168.3.255": true, "10.2.0.1": false, "192.168.4.1": false} {
		if got := d.Serves(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Serves(%s) = %v, want %v", addr, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*wins.Config){
		"no least lifetime":      func(c *wins.Config) { c.MinTTL = 0 },
		"lifetimes reversed":     func(c *wins.Config) { c.MaxTTL = c.MinTTL - 1 },
		"no names":               func(c *wins.Config) { c.MaxNames = 0 },
		"negative rate":          func(c *wins.Config) { c.Rate = -1 },
		"rate without burst":     func(c *wins.Config) { c.Burst = 0 },
		"network":                func(c *wins.Config) { c.Networks = []string{"10.0.0.0"} },
		"IPv6 network":           func(c *wins.Config) { c.Networks = []string{"fe80::/64"} },
		"static nonsense":        func(c *wins.Config) { c.Static = []string{"PRINTER 10.0.0.9"} },
		"static name, in a file": func(c *wins.Config) { c.Static = []string{"#INCLUDE /etc/lmhosts"} },
	} {
		cfg := wins.Defaults()
		change(&cfg)
		if _, err := wins.New(t.Context(), cfg, &keeper{}, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	broken := errors.New("broken")
	if _, err := wins.New(t.Context(), wins.Defaults(), &keeper{fails: broken}, slog.New(slog.DiscardHandler)); !errors.Is(err, broken) {
		t.Errorf("New = %v, want the keeper's error", err)
	}
}

// TestRunTellsWhatWasNotKept: the end of the service is the last chance to say so.
func TestRunTellsWhatWasNotKept(t *testing.T) {
	k := &keeper{}
	d := newDesk(t, wins.Defaults(), k)
	d.want(alice, "10.0.0.1", "success")
	broken := errors.New("broken")
	k.fails = broken
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ctx); !errors.Is(err, broken) {
		t.Errorf("Run = %v, want the keeper's error", err)
	}
}

func TestQueriesAllocateNothing(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	d.want(alice, "10.0.0.1", "success")
	d.wantFound(alice, "10.0.0.1")
	from := netip.MustParseAddr("10.0.0.2")
	if allocs := testing.AllocsPerRun(100, func() { d.Query(nbns.Packet{Kind: nbns.Query, Name: alice}, from) }); allocs != 0 {
		t.Errorf("%v allocations for a query, want none", allocs)
	}
}

// TestDescriptionOfAnswers: what goes back with a grant and with a refusal.
func TestDescriptionOfAnswers(t *testing.T) {
	d := newDesk(t, wins.Defaults(), nil)
	p := d.request(nbns.MultihomedRegistration, alice, "10.0.0.1", false)
	got, _, _ := d.Update(p, at("10.0.0.1"))
	want := nbns.Packet{
		ID: p.ID, Kind: nbns.RegistrationResponse, Name: alice, TTL: 300000 * time.Second, Addresses: p.Addresses,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("grant (-want +got):\n%s", diff)
	}
	p = d.request(nbns.Release, alice, "10.0.0.1", false)
	got, _, _ = d.Update(p, at("10.0.0.1"))
	want = nbns.Packet{ID: p.ID, Kind: nbns.ReleaseResponse, Name: alice, Addresses: p.Addresses}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
}
