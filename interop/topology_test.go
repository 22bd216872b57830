//go:build linux

package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
)

// ownWINS makes our program the name server of all subnets of a lab. Names are refreshed every two seconds, so that a
// test sees it.
const ownWINS = `[wins]
serve = true
networks = ["10.0.0.0/8"]
min_ttl_seconds = 4
max_ttl_seconds = 4
`

// nameServers start a name server in a host.
var nameServers = map[string]func(ctx context.Context, t *testing.T, h *lab.Host){
	"ours": func(ctx context.Context, t *testing.T, h *lab.Host) { serve(ctx, t, h, ownWINS) },
	"nmbd": func(ctx context.Context, t *testing.T, h *lab.Host) {
		peer(ctx, t, h, samba.Options{WINSSupport: true, Lines: []string{"min wins ttl = 10", "max wins ttl = 20"}}, nmbd)
	},
	"samba": func(ctx context.Context, t *testing.T, h *lab.Host) {
		labtest.Need(t, samba.OtherPrograms()...)
		peer(ctx, t, h, samba.Options{WINSSupport: true, Lines: samba.OtherLines()}, (*samba.Samba).Other)
	},
}

// subnets is a lab of some subnets with a router between them.
func subnets(t *testing.T, n int) []*lab.Subnet {
	t.Helper()
	l := labtest.New(t, samba.Programs()...)
	var all []*lab.Subnet
	for i := range n {
		all = append(all, labtest.Subnet(t, l, fmt.Sprintf("10.%d.0.0/24", 77+i)))
	}
	return all
}

// route puts the router between subnets, whose hosts are all there.
func route(t *testing.T, all []*lab.Subnet) *lab.Host {
	t.Helper()
	router, err := all[0].Lab().Router(all...)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// called finds in what a refused sender is told where the machine is.
var called = regexp.MustCompile(` at ([0-9.]+):139`)

// place returns where our program finds a machine, to which it sends a message that nobody need take.
func place(ctx context.Context, p *program.Program, name string) (netip.Addr, error) {
	outcomes, _, err := p.Send(ctx, "where are you?", "--via", "smb", name)
	if err != nil || len(outcomes) != 1 {
		return netip.Addr{}, fmt.Errorf("%+v: %w", outcomes, err)
	}
	at := outcomes[0].Address
	if found := called.FindStringSubmatch(outcomes[0].Error); found != nil {
		at = found[1]
	}
	addr, err := netip.ParseAddr(at)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%s does not find %s: %s", p.Name(), name, outcomes[0].Error)
	}
	return addr, nil
}

// wantPlace waits until our program finds the name where it is.
func wantPlace(ctx context.Context, t *testing.T, p *program.Program, name string, want netip.Addr) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := lab.Until(ctx, func() error {
		got, err := place(ctx, p, name)
		if err == nil && got != want {
			says(ctx, p, "nbtstat", "-R")
			err = fmt.Errorf("%s finds %s at %v, want %v", p.Name(), name, got, want)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// atServer waits until a name server answers that a name is at an address; an invalid one is nowhere.
func atServer(ctx context.Context, t *testing.T, asker *samba.Samba, server netip.Addr, name string, want netip.Addr) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var list []netip.Addr
	if want.IsValid() {
		list = append(list, want)
	}
	var got []netip.Addr
	if err := lab.Until(ctx, func() error {
		got, _ = asker.Lookup(ctx, name, "--recursion", "-U", server.String())
		if !slices.Equal(got, list) {
			return errors.New("not yet")
		}
		return nil
	}); err != nil {
		t.Errorf("the name server at %v has %s at %v, want %v", server, name, got, list)
	}
}

// add claims a name and returns who has it otherwise.
func add(ctx context.Context, p *program.Program, name string) (owned bool, said string) {
	out, err := says(ctx, p, "name", "add", name)
	return err == nil, out
}

// asking is Samba's client in a host, which may be one of ours.
func asking(t *testing.T, h *lab.Host) *samba.Samba {
	t.Helper()
	s, err := samba.New(h, samba.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Machines in one, two and three subnets find each other by a name server, whoever's it is, and no name has two owners.
func TestSites(t *testing.T) {
	t.Parallel()
	for server, short := range map[string]int{"ours": 3, "nmbd": 3, "samba": 2} {
		for n := 1; n <= 3; n++ {
			if n != short && server != "ours" && !*soak {
				continue
			}
			t.Run(fmt.Sprintf("%s in one of %d", server, n), func(t *testing.T) {
				t.Parallel()
				testSite(t, nameServers[server], n)
			})
		}
	}
}

func testSite(t *testing.T, start func(context.Context, *testing.T, *lab.Host), n int) {
	ctx := labtest.Context(t, 3*time.Minute)
	all := subnets(t, n)
	first, last := all[0], all[n-1]
	middle := all[n/2]
	hosts := slices.Concat(labtest.Hosts(t, first, "alpha"), labtest.Hosts(t, middle, "wins"), labtest.Hosts(t, last, "omega", "theirs", "asker"))
	alpha, server, omega, theirs := hosts[0], hosts[1], hosts[2], hosts[3]
	if n > 1 {
		route(t, all)
	}
	start(ctx, t, server)
	wins := server.Addr()
	peer(ctx, t, theirs, samba.Options{WINS: wins}, (*samba.Samba).StartNMBD)
	asker := asking(t, hosts[4])
	one, _ := serve(ctx, t, alpha, "", "--wins", wins.String())
	two, _ := serve(ctx, t, omega, "", "--wins", wins.String())
	atServer(ctx, t, asker, wins, "ALPHA#03", alpha.Addr())
	atServer(ctx, t, asker, wins, "THEIRS#20", theirs.Addr())

	wantPlace(ctx, t, one, "OMEGA", omega.Addr())
	wantPlace(ctx, t, one, "THEIRS", theirs.Addr())
	wantPlace(ctx, t, two, "ALPHA", alpha.Addr())
	if ok, out := add(ctx, one, "BACKUP"); !ok {
		t.Errorf("name add BACKUP: %s", out)
	}
	atServer(ctx, t, asker, wins, "BACKUP#03", alpha.Addr())
	for name, owner := range map[string]netip.Addr{"BACKUP": alpha.Addr(), "THEIRS": theirs.Addr()} {
		if ok, out := add(ctx, two, name); ok || !strings.Contains(out, owner.String()) {
			t.Errorf("name add %s: got %q, want that %v has it", name, out, owner)
		}
	}
	if out, err := says(ctx, one, "name", "remove", "BACKUP"); err != nil {
		t.Errorf("name remove BACKUP: %v: %s", err, out)
	}
	atServer(ctx, t, asker, wins, "BACKUP#03", netip.Addr{})
	if ok, out := add(ctx, two, "BACKUP"); !ok {
		t.Errorf("name add BACKUP after its release: %s", out)
	}
}

// A name server that comes back after a crash knows what it knew, and while it is away another one serves.
func TestNameServerIsLost(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 4*time.Minute)
	all := subnets(t, 2)
	near, far := labtest.Hosts(t, all[0], "alpha", "first", "asker"), labtest.Hosts(t, all[1], "omega", "second")
	route(t, all)
	one, two := near[1].Addr(), far[1].Addr()
	server, running := serve(ctx, t, near[1], ownWINS)
	nameServers["nmbd"](ctx, t, far[1])
	asker := asking(t, near[2])
	list := []string{"--wins", one.String(), "--wins", two.String()}
	alpha, _ := serve(ctx, t, near[0], "", list...)
	omega, stopped := serve(ctx, t, far[0], "", list...)
	atServer(ctx, t, asker, one, "ALPHA#03", near[0].Addr())
	atServer(ctx, t, asker, one, "OMEGA#03", far[0].Addr())
	if err := stopped.Stop(); err != nil {
		t.Error(err)
	}
	atServer(ctx, t, asker, one, "OMEGA#03", netip.Addr{})
	time.Sleep(2 * time.Second) // what a server has learned is kept within one

	running.Kill()
	if _, err := omega.Serve(ctx, "", list...); err != nil {
		t.Fatal(err)
	}
	atServer(ctx, t, asker, two, "OMEGA#03", far[0].Addr())
	atServer(ctx, t, asker, two, "ALPHA#03", near[0].Addr()) // refreshed, and so moved
	if ok, out := add(ctx, alpha, "EXTRA"); !ok {
		t.Errorf("name add EXTRA while the first name server is gone: %s", out)
	}
	wantPlace(ctx, t, alpha, "OMEGA", far[0].Addr())

	if _, err := server.Serve(ctx, ownWINS); err != nil {
		t.Fatal(err)
	}
	got, err := asker.Lookup(ctx, "ALPHA#03", "--recursion", "-U", one.String())
	if err != nil || !slices.Equal(got, []netip.Addr{near[0].Addr()}) {
		t.Errorf("right after its start the name server has ALPHA at %v, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 100*time.Second) // machines try a better server every minute
	defer cancel()
	if err := lab.Until(ctx, func() error {
		_, err := asker.Lookup(ctx, "EXTRA#03", "--recursion", "-U", one.String())
		return err
	}); err != nil {
		t.Errorf("EXTRA did not return to the first name server: %v", err)
	}
}

// Two networks that were apart grow together: of two owners of a name one stays, and the other one knows who that is.
func TestPartitionHeals(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 3*time.Minute)
	hosts := lan(t, "alpha", "beta", "gamma")
	asker := asking(t, hosts[2])
	cable, err := hosts[1].Cable(lab.Faults{Loss: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := serve(ctx, t, hosts[0], "")
	two, _ := serve(ctx, t, hosts[1], "")
	for _, p := range []*program.Program{one, two} {
		if ok, out := add(ctx, p, "SHARED"); !ok {
			t.Fatalf("name add SHARED at %s while apart: %s", p.Name(), out)
		}
	}
	time.Sleep(6 * time.Second) // past the check that follows a claim at once: the next one is half a minute later
	cable.Set(lab.Faults{})
	oneOwner(ctx, t, time.Minute, "SHARED", one, two)
	got, err := asker.Lookup(ctx, "SHARED#03")
	if err != nil || len(got) != 1 {
		t.Errorf("SHARED is at %v, %v, want one place", got, err)
	}
}

// oneOwner waits until one of some machines that want a name has it, and the others say that it is in conflict and whose
// it is.
func oneOwner(ctx context.Context, t *testing.T, limit time.Duration, name string, all ...*program.Program) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := lab.Until(ctx, func() error {
		var owner netip.Addr
		told := make(map[*program.Program]string)
		for _, p := range all {
			state, who, err := p.NameState(ctx, name)
			if err != nil {
				return err
			}
			if state == "registered" && owner.IsValid() {
				return fmt.Errorf("%s has two owners", name)
			}
			if state == "registered" {
				owner = p.Host().Addr()
			} else {
				told[p] = who
			}
		}
		for p, who := range told {
			if who != owner.String() {
				return fmt.Errorf("%s thinks that %s is %q's, and it is %v's", p.Name(), name, who, owner)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A machine whose address changes is found at the new one, by broadcast and by the name server.
func TestAddressChange(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 2*time.Minute)
	all := subnets(t, 2)
	near, far := labtest.Hosts(t, all[0], "alpha", "asker"), labtest.Hosts(t, all[1], "wins")
	route(t, all)
	wins := far[0].Addr()
	nameServers["ours"](ctx, t, far[0])
	asker := asking(t, near[1])
	serve(ctx, t, near[0], "", "--wins", wins.String())
	atServer(ctx, t, asker, wins, "ALPHA#03", near[0].Addr())
	owners(ctx, t, asker, "ALPHA#03", near[0].Addr())
	moved := netip.MustParseAddr("10.77.0.177")
	for _, line := range []string{
		"address add 10.77.0.177/24 brd 10.77.0.255 dev eth0", "address del " + near[0].Prefix().String() + " dev eth0",
		"address replace 10.77.0.177/24 brd 10.77.0.255 dev eth0", "route replace default via 10.77.0.254",
	} {
		if err := near[0].Run(exec.CommandContext(ctx, "ip", strings.Fields(line)...)); err != nil {
			t.Fatalf("ip %s: %v", line, err)
		}
	}
	owners(ctx, t, asker, "ALPHA#03", moved)
	atServer(ctx, t, asker, wins, "ALPHA#03", moved)
}

// Of two machines that claim a name at the same instant one gets it, and the other one is told whose it is.
func TestTwoClaimants(t *testing.T) {
	t.Parallel()
	rounds := 10
	if *soak {
		rounds = 200
	}
	for _, way := range []string{"broadcast", "name server"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			ctx := labtest.Context(t, time.Minute+time.Duration(rounds)*10*time.Second)
			all := subnets(t, 2)
			near, far := labtest.Hosts(t, all[0], "alpha", "beta"), labtest.Hosts(t, all[1], "omega", "wins")
			route(t, all)
			rivals, args := near, []string(nil)
			if way == "name server" {
				nameServers["ours"](ctx, t, far[1])
				rivals, args = []*lab.Host{near[0], far[0]}, []string{"--wins", far[1].Addr().String()}
			}
			one, _ := serve(ctx, t, rivals[0], "", args...)
			two, _ := serve(ctx, t, rivals[1], "", args...)
			for round := range rounds {
				atOnce(ctx, t, fmt.Sprintf("SHARED%d", round), one, two)
			}
		})
	}
}

// atOnce has two machines claim a name at the same instant.
func atOnce(ctx context.Context, t *testing.T, name string, one, two *program.Program) {
	t.Helper()
	var got [2]bool
	var said [2]string
	var claims sync.WaitGroup
	for i, p := range []*program.Program{one, two} {
		claims.Go(func() { got[i], said[i] = add(ctx, p, name) })
	}
	claims.Wait()
	for i, p := range []*program.Program{two, one} {
		if got[i] == got[1-i] {
			t.Errorf("%s: the claimants are told %q and %q, want one owner", name, said[0], said[1])
			return
		}
		if !got[1-i] && !strings.Contains(said[1-i], "10.") {
			t.Errorf("%s: who does not get it is told %q, want whose it is: %s", name, said[1-i], p.Name())
		}
	}
}

// On a network that loses a fifth of all frames, doubles some and lets them overtake each other, everybody has a name, is
// found, and no name has two owners for long.
func TestBadCables(t *testing.T) {
	t.Parallel()
	machines, shared := 6, 3
	if *soak {
		machines, shared = 40, 20
	}
	for _, way := range []string{"broadcast", "name server"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			ctx := labtest.Context(t, 5*time.Minute)
			var names []string
			for i := range machines {
				names = append(names, fmt.Sprintf("host%d", i))
			}
			hosts := lan(t, append(names, "wins")...)
			for i, h := range hosts {
				if _, err := h.Cable(lab.Faults{Loss: 0.2, Twice: 0.2, Jitter: 50 * time.Millisecond}, uint64(i)); err != nil {
					t.Fatal(err)
				}
			}
			var args []string
			if way == "name server" {
				nameServers["ours"](ctx, t, hosts[machines])
				args = []string{"--wins", hosts[machines].Addr().String()}
			}
			all := make([]*program.Program, machines)
			var starts sync.WaitGroup
			for i, h := range hosts[:machines] {
				all[i] = install(t, h)
				starts.Go(func() {
					if _, err := all[i].Serve(ctx, "", args...); err != nil {
						t.Error(err)
					} else if err := all[i].Registered(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			starts.Wait()
			var trials sync.WaitGroup
			for i, p := range all {
				next := (i + 1) % machines
				trials.Go(func() { wantPlace(ctx, t, p, all[next].Name(), hosts[next].Addr()) })
			}
			trials.Wait()
			for i := range shared {
				name := fmt.Sprintf("SHARED%d", i)
				rivals := []*program.Program{all[2*i], all[2*i+1]}
				trials.Go(func() {
					var claims sync.WaitGroup
					for _, p := range rivals {
						claims.Go(func() { add(ctx, p, name) })
					}
					claims.Wait()
					wantOneOf(ctx, t, 90*time.Second, name, rivals...)
				})
			}
			trials.Wait()
		})
	}
}

// wantOneOf waits until exactly one of the machines has a name that some of them gave up when they did not get it.
func wantOneOf(ctx context.Context, t *testing.T, limit time.Duration, name string, all ...*program.Program) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := lab.Until(ctx, func() error {
		owned := 0
		for _, p := range all {
			if state, _, err := p.NameState(ctx, name); err == nil && state == "registered" {
				owned++
			}
		}
		if owned != 1 {
			return fmt.Errorf("%s has %d owners, want 1", name, owned)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// Among many nmbd we are one more: everybody is found by everybody, and nobody loses a name.
func TestAmongNMBD(t *testing.T) {
	t.Parallel()
	machines := 7
	if *soak {
		machines = 49
	}
	for _, way := range []string{"broadcast", "name server"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			ctx := labtest.Context(t, 6*time.Minute)
			names := []string{"ours", "wins"}
			for i := range machines {
				names = append(names, fmt.Sprintf("samba%d", i))
			}
			hosts := lan(t, names...)
			options, args := samba.Options{Lines: []string{"local master = no"}}, []string(nil)
			if way == "name server" {
				nameServers["ours"](ctx, t, hosts[1])
				options.WINS, args = hosts[1].Addr(), []string{"--wins", hosts[1].Addr().String()}
			}
			var theirs []*samba.Samba
			for _, h := range hosts[2:] {
				theirs = append(theirs, peer(ctx, t, h, options, (*samba.Samba).StartNMBD))
			}
			ours, _ := serve(ctx, t, hosts[0], "", args...)
			for i, s := range theirs {
				wantPlace(ctx, t, ours, strings.ToUpper(names[2+i]), hosts[2+i].Addr())
				if way == "broadcast" {
					owners(ctx, t, s, "OURS#03", hosts[0].Addr())
				} else {
					atServer(ctx, t, s, hosts[1].Addr(), "OURS#03", hosts[0].Addr())
				}
			}
			for _, i := range []int{0, machines - 1} {
				if ok, out := add(ctx, ours, strings.ToUpper(names[2+i])); ok || !strings.Contains(out, hosts[2+i].Addr().String()) {
					t.Errorf("name add %s: got %q, want that it is taken", names[2+i], out)
				}
			}
			if err := ours.Registered(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// Samba's other name server and we respect each other's names, without a name server between us and with ours.
func TestSambasOtherNameServer(t *testing.T) {
	t.Parallel()
	labtest.Need(t, samba.OtherPrograms()...)
	for _, way := range []string{"broadcast", "name server"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			ctx := labtest.Context(t, 2*time.Minute)
			hosts := lan(t, "alpha", "beta", "gamma", "wins")
			watch(ctx, t, hosts[0])
			options, args := samba.Options{Lines: samba.OtherLines()}, []string(nil)
			if way == "name server" {
				watch(ctx, t, hosts[3])
				nameServers["ours"](ctx, t, hosts[3])
				options.WINS, args = hosts[3].Addr(), []string{"--wins", hosts[3].Addr().String()}
			}
			asker := asking(t, hosts[2])
			peer(ctx, t, hosts[1], options, (*samba.Samba).Other)
			ours, _ := serve(ctx, t, hosts[0], "", args...)
			wantPlace(ctx, t, ours, "BETA", hosts[1].Addr())
			owners(ctx, t, asker, "ALPHA#03", hosts[0].Addr())
			if way == "name server" {
				atServer(ctx, t, asker, hosts[3].Addr(), "BETA#20", hosts[1].Addr())
			}
			if ok, out := add(ctx, ours, "BETA"); ok || !strings.Contains(out, hosts[1].Addr().String()) {
				t.Errorf("name add BETA: got %q, want that it is taken", out)
			}
		})
	}
}

// Samba's own tests of name servers pass against us, as a node and as the name server.
func TestSambasOwnTests(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "smbtorture")
	ctx := labtest.Context(t, 3*time.Minute)
	hosts := lan(t, "alpha", "beta")
	watch(ctx, t, hosts[0])
	serve(ctx, t, hosts[0], "[nbt]\nfile_server = true\n[wins]\nserve = true\nrate = 0\n")
	asker := asking(t, hosts[1])
	owners(ctx, t, asker, "ALPHA#20", hosts[0].Addr())
	for _, test := range []string{"nbt.register", "nbt.wins.wins"} {
		if out, err := asker.Torture(ctx, "ALPHA", test); err != nil {
			t.Errorf("smbtorture %s: %v:\n%s", test, err, out)
		}
	}
	if *soak {
		if out, err := asker.Torture(ctx, "ALPHA", "nbt.bench.namequery", "nbt.bench-wins.wins"); err != nil || !strings.Contains(out, "(0 failures)") {
			t.Errorf("smbtorture's load: %v:\n%s", err, out)
		}
	}
}
