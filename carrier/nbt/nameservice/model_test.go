package nameservice

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
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

// TestModel plays random histories of hosts that claim, release, stop, fall dead and
// come back, on networks that lose, double and delay packets, with and without a
// name server, while a stranger forges demands. However bad it was, once the network
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
	names  []netbios.Name
	hosts  []*modelHost
	lossy  bool
}

// A modelHost is one machine, and what its user wants.
type modelHost struct {
	prefix string
	*host
	wanted map[netbios.Name]bool
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 2)), lan: newLAN(seed)}
	if m.lossy = m.rng.IntN(3) > 0; m.lossy {
		m.lan.Loss = m.rng.Float64() * 0.2
	}
	m.lan.Twice = m.rng.Float64() * 0.3
	slow := 1 + m.rng.Int64N(int64(100*time.Millisecond))
	m.lan.Delay = func(rng *rand.Rand) time.Duration { return time.Duration(rng.Int64N(slow)) }
	networks := 1
	if m.rng.IntN(2) == 0 {
		m.serve()
		m.cfg = servedBy("10.0.9.9")
		m.cfg.NodeType = []nbns.NodeType{nbns.PNode, nbns.MNode, nbns.HNode}[m.rng.IntN(3)]
		m.cfg.Allow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		networks = 1 + m.rng.IntN(2)
	}
	for i := range 1 + m.rng.IntN(3) {
		m.names = append(m.names, mustName(fmt.Sprintf("NAME%d", i), netbios.Messenger))
	}
	for i := range 2 + m.rng.IntN(4) {
		h := &modelHost{prefix: fmt.Sprintf("10.0.%d.%d/24", i%networks, i+1), wanted: make(map[netbios.Name]bool)}
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
	if m.rng.IntN(2) == 0 {
		m.server = newWINS(m.t, m.lan, "10.0.9.9")
		m.server.challenges = true
		m.server.ttl = 20 * time.Minute
		return
	}
	m.small = smallWINS(m.t, wins.Config{MinTTL: 20 * 60, MaxTTL: 20 * 60, Networks: []string{"10.0.0.0/8"}})
	m.lan.start(m.t, Config{Server: m.small}, "10.0.9.9/24")
}

func (m *model) startHost(h *modelHost) {
	h.host = m.lan.boot(m.t, m.cfg, h.prefix)
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
		if !m.lossy && m.server == nil {
			m.checkSafety()
		}
	}
	m.lan.Lock()
	m.lan.Loss, m.lan.Twice, m.lan.Delay = 0, 0, nil
	m.lan.Unlock()
	time.Sleep(45 * time.Minute)
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
		dead := netip.MustParsePrefix(h.prefix).Addr()
		m.lan.Lock()
		m.lan.Apart = func(a, b netip.Addr) bool { return a == dead || b == dead }
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
		p := netip.MustParsePrefix(h.prefix)
		b := p.Addr().As4()
		b[3] ^= 128
		h.prefix = netip.PrefixFrom(netip.AddrFrom4(b), p.Bits()).String()
		h.use(h.prefix)
		synctest.Wait()
	default:
		m.forge(h, name)
	}
}

// forge lets a stranger deny a name.
func (m *model) forge(h *modelHost, name netbios.Name) {
	to := netip.AddrPortFrom(netip.MustParsePrefix(h.prefix).Addr(), 137)
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
// it is about.)
func (m *model) checkSafety() {
	owner := map[string]string{}
	for _, h := range m.hosts {
		for _, e := range h.Names() {
			where := e.Name.String() + " in " + m.network(h)
			if e.State != carrier.Owned {
				continue
			}
			if other := owner[where]; other != "" {
				m.t.Errorf("%s is owned by %s and %s at once", where, other, h.prefix)
			}
			owner[where] = h.prefix
		}
	}
}

func (m *model) served() bool { return m.server != nil || m.small != nil }

// network names the part of the lan in which a name has one owner.
func (m *model) network(h *modelHost) string {
	if m.served() {
		return "all"
	}
	return h.prefix[:strings.LastIndex(h.prefix, ".")]
}

// check holds the quiet network against what the users want.
func (m *model) check() {
	for _, name := range m.names {
		networks := map[string][]*modelHost{} // who wants the name where only one can have it
		for _, h := range m.hosts {
			if !h.wanted[name] {
				continue
			}
			networks[m.network(h)] = append(networks[m.network(h)], h)
		}
		for network, claimants := range networks {
			m.checkOwner(name, network, claimants)
		}
	}
	for _, h := range m.hosts {
		for _, e := range h.Names() {
			if !h.wanted[e.Name] {
				m.t.Errorf("%s holds on to %v, which nobody wants there: %v", h.prefix, e.Name, e.State)
			}
		}
	}
}

func (m *model) checkOwner(name netbios.Name, network string, claimants []*modelHost) {
	var owner []netip.Addr
	for _, h := range claimants {
		if owners(name, h.Service) == 1 {
			owner = append(owner, netip.MustParsePrefix(h.prefix).Addr())
		}
	}
	if len(owner) != 1 {
		m.t.Errorf("%v has the owners %v in network %s, want one", name, owner, network)
		return
	}
	for _, h := range claimants {
		i := slices.IndexFunc(h.Names(), func(e carrier.NameEntry) bool { return e.Name == name })
		if i < 0 {
			m.t.Errorf("%s lost sight of %v", h.prefix, name)
			continue
		}
		e := h.Names()[i]
		if e.State != carrier.Owned && (e.State != carrier.Conflict || e.Owner != owner[0]) {
			m.t.Errorf("%s thinks %v is %v of %v, want a conflict with %v", h.prefix, name, e.State, e.Owner, owner[0])
		}
	}
}
