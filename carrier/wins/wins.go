// Package wins is a small name server (WINS) for a site whose machines cannot hear
// each other's broadcasts. It decides what becomes of each request and remembers who
// has which name; the name service of the carrier hands it requests and sends its
// answers (RFC 1001 11, RFC 1002 5.1.4, MS-NBTE 3.2).
package wins

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// Config is the section [wins] of the configuration.
type Config struct {
	Serve    bool     `toml:"serve" comment:"be the name server (WINS) of a site: machines that cannot hear each other's broadcasts find each other here"`
	Networks []string `toml:"networks" comment:"networks whose machines are served, besides those of the chosen interfaces"`
	MinTTL   int      `toml:"min_ttl_seconds" comment:"how long a name is kept at least after its owner was heard of"`
	MaxTTL   int      `toml:"max_ttl_seconds" comment:"how long it is kept at most"`
	MaxNames int      `toml:"max_names" comment:"how many names there may be; a single machine may have an eighth of them"`
	Rate     float64  `toml:"rate" comment:"requests a second that one machine may make in the long run; 0: no limit"`
	Burst    int      `toml:"burst" comment:"requests that it may make at once"`
	Static   []string `toml:"static" comment:"names that nobody else can have and that never expire, as lines of an LMHOSTS file: [\"10.0.0.9 PRINTER\"]"`
}

// Defaults returns the configuration that is used where the file says nothing. The
// lifetimes are those of Samba.
func Defaults() Config {
	return Config{MinTTL: 6 * 3600, MaxTTL: 6 * 24 * 3600, MaxNames: 20000, Rate: 500, Burst: 5000}
}

// A Keeper holds what has to outlive a restart.
type Keeper interface {
	// Settings returns all values of one kind by key.
	Settings(ctx context.Context, kind string) (map[string]string, error)
	// Set stores one value; Unset removes it and reports whether it was there.
	Set(ctx context.Context, kind, key, value string) error
	Unset(ctx context.Context, kind, key string) (bool, error)
}

// A Server is the name server. Its methods may be called by several goroutines at once.
type Server struct {
	networks       []netip.Prefix
	minTTL, maxTTL time.Duration
	maxNames       int
	keeper         Keeper
	log            *slog.Logger
	limits         *limits

	mu      sync.RWMutex
	records map[key]*record
	owned   map[netip.Addr]int // how many names were registered by each machine
	pending map[claimant]bool  // whose claims wait for the answer of an owner
	changed map[key]struct{}   // what the keeper does not have yet
	news    chan struct{}      // capacity 1: there are changes
}

// A claimant is one request that is not decided yet.
type claimant struct {
	from netip.AddrPort
	id   uint16
}

// New returns a server that knows what cfg and the keeper say. It refuses networks,
// lifetimes, limits and static names that make no sense.
func New(ctx context.Context, cfg Config, keeper Keeper, log *slog.Logger) (*Server, error) {
	s := &Server{
		minTTL: time.Duration(cfg.MinTTL) * time.Second, maxTTL: time.Duration(cfg.MaxTTL) * time.Second,
		maxNames: cfg.MaxNames, keeper: keeper, log: log, limits: newLimits(cfg.Rate, cfg.Burst),
		records: make(map[key]*record), owned: make(map[netip.Addr]int),
		pending: make(map[claimant]bool), changed: make(map[key]struct{}), news: make(chan struct{}, 1),
	}
	switch {
	case cfg.MinTTL < 1 || cfg.MaxTTL < cfg.MinTTL:
		return nil, fmt.Errorf("[wins] min_ttl_seconds %d, max_ttl_seconds %d: want at least 1, and not less", cfg.MinTTL, cfg.MaxTTL)
	case cfg.MaxNames < 1:
		return nil, fmt.Errorf("[wins] max_names %d: want at least 1", cfg.MaxNames)
	case cfg.Rate < 0 || cfg.Rate > 0 && cfg.Burst < 1:
		return nil, fmt.Errorf("[wins] rate %v, burst %d: want none, or at least one at once", cfg.Rate, cfg.Burst)
	}
	for _, text := range cfg.Networks {
		network, err := netip.ParsePrefix(text)
		if err != nil || !network.Addr().Is4() {
			return nil, fmt.Errorf("[wins] networks %q: want an IPv4 prefix, such as 10.1.0.0/16", text)
		}
		s.networks = append(s.networks, network)
	}
	if err := s.load(ctx); err != nil {
		return nil, fmt.Errorf("wins: %w", err)
	}
	if err := s.addStatic(cfg.Static); err != nil {
		return nil, err
	}
	return s, nil
}

// Serves reports whether the machine at addr is served although it is on no network of
// this host.
func (s *Server) Serves(addr netip.Addr) bool {
	return slices.ContainsFunc(s.networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

const (
	// keepInterval is how long changes are collected before they go to the keeper.
	keepInterval = time.Second
	// sweepInterval is how often expired names are looked for.
	sweepInterval = time.Minute
	// endTime is how long the last changes may take at the end.
	endTime = 5 * time.Second
)

// Run keeps what changes and forgets what expires, until ctx ends. It returns nil when
// the last change is kept.
func (s *Server) Run(ctx context.Context) error {
	sweep := time.NewTicker(sweepInterval)
	defer sweep.Stop()
	var due <-chan time.Time
	failing := false // said once
	for {
		select {
		case <-s.news:
			if due == nil {
				due = time.After(keepInterval)
			}
		case <-due:
			due = nil
			err := s.keep(ctx)
			if err != nil && !failing && ctx.Err() == nil {
				s.log.Warn("names of the name server are not kept", "error", err)
			}
			failing = err != nil
		case <-sweep.C:
			s.sweep(time.Now())
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
			defer cancel()
			if err := s.keep(last); err != nil {
				return fmt.Errorf("wins: names not kept: %w", err)
			}
			return nil
		}
	}
}

// An Ask asks the machine at an address for its addresses under a name. None means that
// it does not have the name, or does not answer.
type Ask = func(ctx context.Context, at netip.Addr, name netbios.Name, scope string) []netip.Addr

// Query answers the question who has a name. It reports false if the machine that asks
// has asked too much.
func (s *Server) Query(p nbns.Packet, from netip.Addr) (nbns.Packet, bool) {
	now := time.Now()
	if !s.limits.allow(from, now) {
		return nbns.Packet{}, false
	}
	reply := nbns.Packet{ID: p.ID, Kind: nbns.QueryResponse, Server: true, Name: p.Name, Scope: p.Scope, TTL: s.minTTL}
	reply.Addresses = s.find(key{p.Name, p.Scope}, now)
	if len(reply.Addresses) == 0 {
		reply.Rcode, reply.TTL = nbns.RcodeName, 0
	}
	return reply, true
}

// Update answers a registration, refresh or release. If it returns a function, the reply
// only says that the answer takes time: the function asks the present owners, which
// takes some seconds, and returns the answer; it must be called in any case. Update
// reports false if there is no answer, because the machine has asked too much, or only
// repeats what is under way.
func (s *Server) Update(p nbns.Packet, from netip.AddrPort) (reply nbns.Packet, later func(context.Context, Ask) nbns.Packet, ok bool) {
	now := time.Now()
	if !s.limits.allow(from.Addr(), now) {
		return nbns.Packet{}, nil, false
	}
	if p.Kind == nbns.Release {
		s.release(p, from.Addr(), now)
		return s.answer(p, nbns.RcodeOK), nil, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[claimant{from, p.ID}] {
		return nbns.Packet{}, nil, false
	}
	rcode, rival := s.register(p, from.Addr(), now)
	switch {
	case rival == nil:
		return s.answer(p, rcode), nil, true
	case s.crowded(from.Addr()):
		return s.answer(p, nbns.RcodeServer), nil, true
	}
	s.pending[claimant{from, p.ID}] = true
	c := &challenge{server: s, request: p, from: from, record: rival, began: now}
	for _, o := range rival.owners {
		c.owners = append(c.owners, o.addr)
	}
	wait := nbns.Packet{ID: p.ID, Kind: nbns.Wait, Name: p.Name, Scope: p.Scope, TTL: waitTime, Waiting: p.Kind}
	return wait, c.run, true
}

// answer makes the response to a registration, refresh or release.
func (s *Server) answer(p nbns.Packet, rcode nbns.Rcode) nbns.Packet {
	reply := nbns.Packet{
		ID: p.ID, Kind: nbns.RegistrationResponse, Rcode: rcode, Name: p.Name, Scope: p.Scope, Addresses: p.Addresses,
	}
	switch {
	case p.Kind == nbns.Release:
		reply.Kind = nbns.ReleaseResponse
	case rcode == nbns.RcodeOK:
		reply.TTL = s.lifetime(p.TTL)
	}
	return reply
}

// Names returns how many names are registered.
func (s *Server) Names() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.records)
}
