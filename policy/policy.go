// Package policy decides who may send what to this host, and how often: which
// networks are listened to, who is blocked, how many messages a source may hand
// over, how many of them may pop up, and which sender names deserve a warning.
package policy

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr"
)

// Config is the section [policy] of the configuration.
type Config struct {
	Allow    []string `toml:"allow" comment:"addresses and prefixes to listen to besides the subnets of the chosen interfaces"`
	Block    []string `toml:"block" comment:"addresses, prefixes, and sender names as \"name:BOSS\", to refuse"`
	Reserved []string `toml:"reserved" comment:"sender names that get a warning when nothing proves them"`

	TakePerSource  Limit `toml:"take_per_source" comment:"what one source may hand over; beyond it the sender is told to try later"`
	TakeInAll      Limit `toml:"take_in_all" comment:"what all sources together may hand over"`
	PopUpPerSource Limit `toml:"pop_up_per_source" comment:"what of it pops up; the rest goes to the inbox and is counted in one digest"`
	PopUpInAll     Limit `toml:"pop_up_in_all" comment:"the same for all sources together"`
}

// Defaults returns the configuration that is used where the file says nothing.
func Defaults() Config {
	return Config{
		Reserved: []string{
			"ADMIN", "ADMINISTRATOR", "ALERT", "ALERTER", "EVERYONE", "HELPDESK", "MESSENGER", "MESSNGR",
			"MICROSOFT", "ROOT", "SECURITY", "SERVICE", "SUPPORT", "SYSTEM", "WINDOWS",
		},
		TakePerSource:  Limit{Rate: 200, Burst: 2000},
		TakeInAll:      Limit{Rate: 2000, Burst: 10000},
		PopUpPerSource: Limit{Rate: 0.5, Burst: 10},
		PopUpInAll:     Limit{Rate: 2, Burst: 20},
	}
}

func (c *Config) check() error {
	for _, l := range []struct {
		key   string
		limit Limit
	}{
		{"take_per_source", c.TakePerSource},
		{"take_in_all", c.TakeInAll},
		{"pop_up_per_source", c.PopUpPerSource},
		{"pop_up_in_all", c.PopUpInAll},
	} {
		if err := l.limit.check(l.key); err != nil {
			return err
		}
	}
	return nil
}

// Keeper stores the rules that were set while the service ran.
type Keeper interface {
	// Settings returns all values of one kind by key.
	Settings(ctx context.Context, kind string) (map[string]string, error)
	// Set stores one value; Unset removes it and reports whether it was there.
	Set(ctx context.Context, kind, key, value string) error
	Unset(ctx context.Context, kind, key string) (bool, error)
}

// keeperKind is the kind of the policy's settings: match -> verdict.
const keeperKind = "policy"

// Policy judges received messages. Its methods may be called by several
// goroutines at once.
type Policy struct {
	keeper  Keeper
	keeping sync.Mutex // held to change what the keeper has and rules together

	mu           sync.RWMutex
	rules        []Rule
	allowed      []netip.Prefix
	blocked      []netip.Prefix
	blockedNames map[string]bool
	reserved     map[string]bool

	gauge   *gauge
	journal *journal
}

// New returns the policy of cfg with the rules that the keeper holds.
func New(ctx context.Context, cfg Config, keeper Keeper) (*Policy, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	p := &Policy{keeper: keeper, reserved: make(map[string]bool), gauge: newGauge(cfg), journal: newJournal()}
	p.Reserve(cfg.Reserved...)
	if err := p.configure(Allow, cfg.Allow); err != nil {
		return nil, err
	}
	if err := p.configure(Block, cfg.Block); err != nil {
		return nil, err
	}
	set, err := keeper.Settings(ctx, keeperKind)
	if err != nil {
		return nil, fmt.Errorf("read the kept rules: %w", err)
	}
	for match, verdict := range set {
		p.rules = append(p.rules, Rule{Verdict(verdict), match, FromSet})
	}
	p.compile()
	return p, nil
}

func (p *Policy) configure(verdict Verdict, matches []string) error {
	for _, match := range matches {
		canonical, err := canonicalMatch(verdict, match)
		if err != nil {
			return fmt.Errorf("[policy] %s: %w", verdict, err)
		}
		p.rules = append(p.rules, Rule{verdict, canonical, FromConfig})
	}
	return nil
}

// Reserve adds names to those that get a warning, such as this machine's own.
func (p *Policy) Reserve(names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		p.reserved[fold(name)] = true
	}
}

// Reserved reports whether a sender's name gets a warning.
func (p *Policy) Reserved(name string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.reserved[fold(name)]
}

// Permit is the first gate: it says, before anything of a message is read,
// whether addr is listened to. The error is a messngr.ErrRefused.
func (p *Policy) Permit(addr netip.Addr) error {
	addr = bare(addr)
	p.mu.RLock()
	reason := p.judge(addr)
	p.mu.RUnlock()
	if reason == "" {
		return nil
	}
	return p.refuse(addr, "", reason)
}

// judge returns why nothing is taken from addr; "" if it may be. The caller
// holds mu.
func (p *Policy) judge(addr netip.Addr) string {
	contains := func(prefix netip.Prefix) bool { return prefix.Contains(addr) }
	switch {
	case slices.ContainsFunc(p.blocked, contains):
		return ReasonBlocked
	case !addr.IsValid() || addr.IsMulticast() || addr.IsUnspecified() || !slices.ContainsFunc(p.allowed, contains):
		return ReasonOffLink
	}
	return ""
}

// Refused notes for Refusals what a carrier did not take before anybody could ask
// the policy, such as a call whose sender did not prove to be there.
func (p *Policy) Refused(addr netip.Addr, reason string) { p.journal.refused(bare(addr), "", reason) }

func (p *Policy) refuse(addr netip.Addr, from, reason string) error {
	p.journal.refused(addr, from, reason)
	if reason == ReasonRate {
		return fmt.Errorf("%w: %s", messngr.ErrBusy, reason)
	}
	return fmt.Errorf("%w: %s", messngr.ErrRefused, reason)
}

// Judgement is what the policy says of one received message.
type Judgement struct {
	// Quiet: it does not pop up by itself, but is counted in a digest.
	Quiet bool
	// Warning is why the reader should be careful; "".
	Warning string
}

// Judge decides about one message that is about to be stored, and counts it. The
// error is a messngr.ErrRefused or messngr.ErrBusy. Messages of this host itself,
// without an address and vouched for, are never refused. Unverified ones without an
// address, as another program of this host hands over, are judged by all but that.
func (p *Policy) Judge(m *messngr.Message) (Judgement, error) {
	addr := bare(m.From.Address)
	if !addr.IsValid() && m.From.Trust >= messngr.Vouched {
		return Judgement{}, nil
	}
	name := fold(m.From.Claimed)
	p.mu.RLock()
	reason, reserved := "", p.reserved[name]
	if addr.IsValid() {
		reason = p.judge(addr)
	}
	if reason == "" && p.blockedNames[name] {
		reason = ReasonName
	}
	p.mu.RUnlock()
	if reason != "" {
		return Judgement{}, p.refuse(addr, m.From.Claimed, reason)
	}
	take, popUp := p.gauge.admit(addr, time.Now())
	if !take {
		return Judgement{}, p.refuse(addr, m.From.Claimed, ReasonRate)
	}
	j := Judgement{Quiet: !popUp}
	if reserved && m.From.Trust < messngr.Vouched {
		j.Warning = fmt.Sprintf("nothing proves that this is %s; the name is easy to forge", m.From.Claimed)
	}
	return j, nil
}

// Refusals lists what was refused since the start, by source and reason, the
// latest first. At most a few hundred sources are remembered.
func (p *Policy) Refusals() []Refusal { return p.journal.list() }
