package nameservice

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier"
	"messngr/carrier/wins"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

var (
	seeds = flag.Uint64("seeds", 300, "how many histories TestModel plays")
	seed  = flag.Uint64("seed", 0, "the first history that TestModel plays")
)

// TestModel plays random histories of hosts, some of them on several networks, that claim,
// release, stop, fall dead and come back, on networks that lose, double and delay packets,
// with and without a name server, while a stranger forges demands. However bad it was, once the network
// is quiet every name that is wanted has exactly one owner, everybody else who wants
// it knows who that is, and nothing is left of names that nobody wants.
func TestModel(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 50)
	}
	for i := *seed; i < *seed+n; i++ {
		ok := t.Run(fmt.Sprint(i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newModel(t, i).play() })
		})
		if !ok {
			t.Fatalf("play it again with -run TestModel -seed %d -seeds 1 -v", i)
		}
	}
}

type model struct {
	t      *testing.T
	rng    *rand.Rand
	lan    *lan
	server *fakeWINS    // one that has claimants ask the owner
	small  *wins.Server // or ours, which asks itself
	cfg    Config
	at     []string // the addresses of the name server
	names  []netbios.Name
	hosts  []*modelHost
	lossy  bool
}

// A modelHost is one machine, and what its user wants.
type modelHost struct {
	prefixes []string // of eth0, eth1 and so on
	server   string   // the address of the name server that it was told
	*host
	wanted map[netbios.Name]bool
}

// addr returns the address of one of its interfaces.
func (h *modelHost) addr(i int) netip.Addr { return netip.MustParsePrefix(h.prefixes[i]).Addr() }

// has reports whether an address is one of its own.
func (h *modelHost) has(a netip.Addr) bool {
	return slices.ContainsFunc(h.prefixes, func(p string) bool { return netip.MustParsePrefix(p).Addr() == a })
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 2)), lan: newLAN(seed)}
	if m.lossy = m.rng.IntN(3) > 0; m.lossy {
		m.lan.Loss = m.rng.Float64() * 0.2
	}
	if m.rng.IntN(3) > 0 {
		m.lan.Twice = m.rng.Float64() * 0.3
	}
	slow := 1 + m.rng.Int64N(int64(100*time.Millisecond))
	m.lan.Delay = func(rng *rand.Rand) time.Duration { return time.Duration(rng.Int64N(slow)) }
	if m.rng.IntN(2) == 0 {
		m.serve()
		m.cfg.NodeType = []nbns.NodeType{nbns.PNode, nbns.MNode, nbns.HNode}[m.rng.IntN(3)]
		if m.rng.IntN(2) == 0 {
			m.cfg.Allow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		}
	}
	networks := 1 + m.rng.IntN(3)
	for i := range 1 + m.rng.IntN(3) {
		m.names = append(m.names, mustName(fmt.Sprintf("NAME%d", i), netbios.Messenger))
	}
	for i := range 2 + m.rng.IntN(4) {
		h := &modelHost{prefixes: []string{fmt.Sprintf("10.0.%d.%d/24", i%networks, i+1)}, wanted: make(map[netbios.Name]bool)}
		for n := i + 1; n < i+networks && m.rng.IntN(4) == 0; n++ {
			h.prefixes = append(h.prefixes, fmt.Sprintf("10.0.%d.%d/24", n%networks, i+1))
		}
		if len(m.at) > 0 {
			h.server = m.at[m.rng.IntN(len(m.at))]
		}
		m.hosts = append(m.hosts, h)
		m.startHost(h)
	}
	t.Cleanup(func() {
		for _, h := range m.hosts {
			h.stop()
		}
	})
	return m
}

// serve starts a name server of one kind or the other.
func (m *model) serve() {
	m.at = []string{"10.0.9.9"}
	if m.rng.IntN(2) == 0 {
		m.server = newWINS(m.t, m.lan, "10.0.9.9")
		m.server.challenges = true
		m.server.ttl = 20 * time.Minute
		return
	}
	m.small = smallWINS(m.t, wins.Config{MinTTL: 20 * 60, MaxTTL: 20 * 60, Networks: []string{"10.0.0.0/8"}})
	m.at = append(m.at, "10.0.8.9")
	m.lan.start(m.t, Config{Server: m.small}, "10.0.9.9/24", "10.0.8.9/24")
}

func (m *model) startHost(h *modelHost) {
	cfg := m.cfg
	if h.server != "" {
		cfg.WINS = []netip.Addr{addr(h.server)}
	}
	h.host = m.lan.boot(m.t, cfg, h.prefixes...)
	for n := range h.wanted {
		go h.Claim(context.Background(), n, false)
	}
	synctest.Wait()
}

func (m *model) play() {
	for range 5 + m.rng.IntN(25) {
		m.step()
		pauses := []time.Duration{0, 10 * time.Millisecond, 500 * time.Millisecond, 5 * time.Second, time.Minute}
		if p := pauses[m.rng.IntN(len(pauses))]; p > 0 {
			time.Sleep(time.Duration(m.rng.Int64N(int64(p))))
		}
		if !m.lossy && m.server == nil && (m.small == nil || m.lan.Twice == 0) {
			m.checkSafety()
		}
	}
	m.lan.Lock()
	m.lan.Loss, m.lan.Twice, m.lan.Delay = 0, 0, nil
	m.lan.Unlock()
	time.Sleep(45 * time.Minute)
	for m.claiming() { // a name in conflict is tried again now and then
		time.Sleep(10 * time.Second)
	}
	m.check()
	for _, h := range m.hosts {
		h.stop()
	}
	if m.small != nil && m.small.Names() > 0 {
		m.t.Errorf("%d names are still at the name server after all hosts stopped", m.small.Names())
	}
	if m.server != nil {
		for name := range m.server.records {
			if owners := m.server.owners(name); len(owners) > 0 {
				m.t.Errorf("%v is still at the name server after all hosts stopped: %v", name, owners)
			}
		}
	}
}

// step does one random thing.
func (m *model) step() {
	h := m.hosts[m.rng.IntN(len(m.hosts))]
	name := m.names[m.rng.IntN(len(m.names))]
	switch m.rng.IntN(11) {
	case 0, 1, 2, 3:
		h.wanted[name] = true
		c := h.Service
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
			defer cancel()
			c.Claim(ctx, name, false)
		}()
		synctest.Wait()
	case 4, 5:
		delete(h.wanted, name)
		c := h.Service
		go c.Release(context.Background(), name)
		synctest.Wait()
	case 6:
		h.stop()
		m.startHost(h)
	case 7: // falls dead: nothing that it says at its end is heard
		prefixes := slices.Clone(h.prefixes)
		dead := &modelHost{prefixes: prefixes}
		m.lan.Lock()
		m.lan.Apart = func(a, b netip.Addr) bool { return dead.has(a) || dead.has(b) }
		m.lan.Unlock()
		h.stop()
		if m.rng.IntN(2) == 0 {
			time.Sleep(time.Duration(m.rng.Int64N(int64(time.Minute))))
		}
		m.lan.Lock()
		m.lan.Apart = nil
		m.lan.Unlock()
		m.startHost(h)
	case 8: // gets another address in the same network
		i := m.rng.IntN(len(h.prefixes))
		p := netip.MustParsePrefix(h.prefixes[i])
		b := p.Addr().As4()
		b[3] ^= 128
		h.prefixes[i] = netip.PrefixFrom(netip.AddrFrom4(b), p.Bits()).String()
		h.use(h.prefixes...)
		synctest.Wait()
	default:
		m.forge(h, name)
	}
}

// forge lets a stranger deny a name.
func (m *model) forge(h *modelHost, name netbios.Name) {
	to := netip.AddrPortFrom(h.addr(m.rng.IntN(len(h.prefixes))), 137)
	p := []nbns.Packet{
		{Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeConflict, Name: name, Addresses: []nbns.Address{{Addr: netip.IPv4Unspecified()}}},
		{Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeActive, Name: name},
		{Kind: nbns.Release, Broadcast: true, Name: name, Addresses: []nbns.Address{{Addr: to.Addr()}}},
		{Kind: nbns.Overwrite, Broadcast: true, Name: name, Addresses: []nbns.Address{{Addr: addr("10.0.0.66")}}},
	}[m.rng.IntN(4)]
	forge(m.t, m.lan, "10.0.0.66:137", p, to.String())
}

// checkSafety: where no packet is lost, there never are two owners, not for a moment.
// (Where claimants ask the owner there may be: a challenge can overtake the answer that
// it is about. At our name server there may be for seconds: a copy of a release can come
// after the claim that followed it.)
func (m *model) checkSafety() {
	owner := map[string]*modelHost{}
	for _, h := range m.hosts {
		for _, e := range h.Names() {
			where := e.Name.String() + " in " + m.network(h, e.Interface)
			if e.State != carrier.Owned {
				continue
			}
			if other := owner[where]; other != nil && other != h {
				m.t.Errorf("%s is owned by %s and %s at once", where, other.prefixes, h.prefixes)
			}
			owner[where] = h
		}
	}
}

// claiming reports whether a name is just being claimed somewhere.
func (m *model) claiming() bool {
	return slices.ContainsFunc(m.hosts, func(h *modelHost) bool {
		return slices.ContainsFunc(h.Names(), func(e carrier.NameEntry) bool { return e.State == carrier.Claiming })
	})
}

func (m *model) served() bool { return m.server != nil || m.small != nil }

// network names the part of the lan in which a name that is claimed on an interface has
// one owner.
func (m *model) network(h *modelHost, iface string) string {
	if m.served() {
		return "all"
	}
	var i int
	fmt.Sscanf(iface, "eth%d", &i)
	return netip.MustParsePrefix(h.prefixes[i]).Masked().String()
}

// A stand is how a name that a host wants stands on one of its interfaces.
type stand struct {
	*modelHost
	carrier.NameEntry
}

// check holds the quiet network against what the users want.
func (m *model) check() {
	networks := map[string][]stand{} // by name and network, where only one can have it
	for _, h := range m.hosts {
		seen := map[netbios.Name]int{}
		for _, e := range h.Names() {
			seen[e.Name]++
			if !h.wanted[e.Name] {
				m.t.Errorf("%s holds on to %v, which nobody wants there: %v", h.prefixes, e.Name, e.State)
			}
			where := e.Name.String() + " in " + m.network(h, e.Interface)
			networks[where] = append(networks[where], stand{h, e})
		}
		for name := range h.wanted {
			if seen[name] != len(h.prefixes) {
				m.t.Errorf("%s has %v on %d interfaces, want all", h.prefixes, name, seen[name])
			}
		}
	}
	for where, claimants := range networks {
		m.checkOwner(where, claimants)
	}
}

func (m *model) checkOwner(where string, claimants []stand) {
	i := slices.IndexFunc(claimants, func(s stand) bool { return s.State == carrier.Owned })
	if i < 0 {
		m.t.Errorf("%s has no owner, want one", where)
		return
	}
	owner := claimants[i].modelHost
	for _, s := range claimants {
		switch {
		case s.modelHost == owner && s.State != carrier.Owned:
			m.t.Errorf("%s is of %s, but not on %s: %v of %v", where, owner.prefixes, s.Interface, s.State, s.Owner)
		case s.modelHost != owner && (s.State != carrier.Conflict || !owner.has(s.Owner)):
			m.t.Errorf("%s thinks %s is %v of %v, want a conflict with %s", s.prefixes, where, s.State, s.Owner, owner.prefixes)
		}
	}
}
