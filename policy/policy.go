// Package policy decides who may send what to this host, and how often: which
// networks are listened to, who is blocked, how many messages a source may hand
// over, how many of them may pop up, and which sender names deserve a warning.
package policy

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"messngr"
)

// Limit is a token bucket: Burst at once, and Rate a second in the long run.
// A Rate of 0 or less does not limit.
type Limit struct {
	Rate  float64 `toml:"rate" comment:"messages a second in the long run; 0: no limit"`
	Burst int     `toml:"burst" comment:"messages at once"`
}

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
			"ADMIN", "ADMINISTRATOR", "ALERT", "ALERTER", "HELPDESK", "MESSENGER", "MESSNGR",
			"MICROSOFT", "ROOT", "SECURITY", "SERVICE", "SUPPORT", "SYSTEM", "WINDOWS",
		},
		TakePerSource:  Limit{Rate: 200, Burst: 2000},
		TakeInAll:      Limit{Rate: 2000, Burst: 10000},
		PopUpPerSource: Limit{Rate: 0.5, Burst: 10},
		PopUpInAll:     Limit{Rate: 2, Burst: 20},
	}
}

// Verdict is what a rule says of whoever it matches.
type Verdict string

// The verdicts.
const (
	Allow Verdict = "allow"
	Block Verdict = "block"
)

// Origins of rules, as Rule.Source.
const (
	FromConfig   = "config"
	FromAttached = "attached"
	FromSet      = "set"
)

// Rule is one rule. A block outweighs every allow.
type Rule struct {
	Verdict Verdict
	// Match is a prefix in its canonical form, or "name:" and a sender's name
	// in upper case.
	Match string
	// Source is where it comes from; only rules FromSet can be removed.
	Source string
}

// Keeper stores the rules that were set while the service ran.
type Keeper interface {
	Settings(ctx context.Context, kind string) (map[string]string, error)
	Set(ctx context.Context, kind, key, value string) error
	Unset(ctx context.Context, kind, key string) (bool, error)
}

// keeperKind is the kind of the policy's settings: match -> verdict.
const keeperKind = "policy"

// Policy judges received messages. Its methods may be called by several
// goroutines at once.
type Policy struct {
	cfg    Config
	keeper Keeper

	mu       sync.RWMutex
	rules    []Rule
	allowed  []netip.Prefix
	blocked  []netip.Prefix
	names    map[string]bool // blocked sender names
	reserved map[string]bool

	gauge   gauge
	journal journal
}

// New returns the policy of cfg with the rules that the keeper holds.
func New(ctx context.Context, cfg Config, keeper Keeper) (*Policy, error) {
	p := &Policy{cfg: cfg, keeper: keeper, reserved: make(map[string]bool)}
	p.gauge = newGauge(cfg)
	p.journal = newJournal()
	for _, name := range cfg.Reserved {
		p.reserved[fold(name)] = true
	}
	for verdict, matches := range map[Verdict][]string{Allow: cfg.Allow, Block: cfg.Block} {
		for _, match := range matches {
			canonical, err := canonicalMatch(verdict, match)
			if err != nil {
				return nil, fmt.Errorf("[policy] %s: %w", verdict, err)
			}
			p.rules = append(p.rules, Rule{verdict, canonical, FromConfig})
		}
	}
	set, err := keeper.Settings(ctx, keeperKind)
	if err != nil {
		return nil, err
	}
	for match, verdict := range set {
		p.rules = append(p.rules, Rule{Verdict(verdict), match, FromSet})
	}
	p.compile()
	return p, nil
}

// Reserve adds names to those that get a warning, such as this machine's own.
func (p *Policy) Reserve(names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		p.reserved[fold(name)] = true
	}
}

// SetAttached replaces the rules for the subnets of the chosen interfaces.
func (p *Policy) SetAttached(subnets []netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = slices.DeleteFunc(p.rules, func(r Rule) bool { return r.Source == FromAttached })
	for _, subnet := range subnets {
		p.rules = append(p.rules, Rule{Allow, subnet.Masked().String(), FromAttached})
	}
	p.compile()
}

// Rules lists the rules: blocks first, then by match.
func (p *Policy) Rules() []Rule {
	p.mu.RLock()
	rules := slices.Clone(p.rules)
	p.mu.RUnlock()
	slices.SortFunc(rules, func(a, b Rule) int {
		if a.Verdict != b.Verdict {
			return -strings.Compare(string(a.Verdict), string(b.Verdict))
		}
		return strings.Compare(a.Match, b.Match)
	})
	return rules
}

// Set adds a rule and keeps it for the next start. The opposite rule for the
// same match, if one was set, is replaced.
func (p *Policy) Set(ctx context.Context, verdict Verdict, match string) error {
	canonical, err := canonicalMatch(verdict, match)
	if err != nil {
		return err
	}
	if err := p.keeper.Set(ctx, keeperKind, canonical, string(verdict)); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(canonical)
	p.rules = append(p.rules, Rule{verdict, canonical, FromSet})
	p.compile()
	return nil
}

// Remove takes back a rule that was Set; messngr.ErrNotFound if there is none.
func (p *Policy) Remove(ctx context.Context, verdict Verdict, match string) error {
	canonical, err := canonicalMatch(verdict, match)
	if err != nil {
		return err
	}
	p.mu.RLock()
	found := slices.Contains(p.rules, Rule{verdict, canonical, FromSet})
	p.mu.RUnlock()
	if !found {
		return fmt.Errorf("rule %s %s: %w", verdict, canonical, messngr.ErrNotFound)
	}
	if _, err := p.keeper.Unset(ctx, keeperKind, canonical); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(canonical)
	p.compile()
	return nil
}

func (p *Policy) remove(match string) {
	p.rules = slices.DeleteFunc(p.rules, func(r Rule) bool { return r.Source == FromSet && r.Match == match })
}

// compile turns the rules into what Permit reads. The caller holds mu.
func (p *Policy) compile() {
	p.allowed, p.blocked, p.names = nil, nil, make(map[string]bool)
	for _, r := range p.rules {
		if name, ok := strings.CutPrefix(r.Match, namePrefix); ok {
			p.names[name] = true
			continue
		}
		prefix, err := netip.ParsePrefix(r.Match)
		switch {
		case err != nil: // a rule kept by another version: it matches nobody
		case r.Verdict == Block:
			p.blocked = append(p.blocked, prefix)
		default:
			p.allowed = append(p.allowed, prefix)
		}
	}
}

const namePrefix = "name:"

// canonicalMatch reads an address, a prefix, or "name:" and a name.
func canonicalMatch(verdict Verdict, match string) (string, error) {
	if verdict != Allow && verdict != Block {
		return "", fmt.Errorf("unknown verdict %q, want %q or %q", string(verdict), Allow, Block)
	}
	if name, ok := strings.CutPrefix(match, namePrefix); ok {
		switch {
		case verdict == Allow:
			return "", fmt.Errorf("%q: a name proves nothing on these networks, so only addresses can be allowed", match)
		case fold(name) == "":
			return "", fmt.Errorf("%q: the name is missing", match)
		}
		return namePrefix + fold(name), nil
	}
	if prefix, err := netip.ParsePrefix(match); err == nil {
		return prefix.Masked().String(), nil
	}
	addr, err := netip.ParseAddr(match)
	if err != nil {
		return "", fmt.Errorf("%q is neither an address nor a prefix such as 10.1.0.0/16 nor name:SENDER", match)
	}
	addr = addr.Unmap().WithZone("")
	return netip.PrefixFrom(addr, addr.BitLen()).String(), nil
}

func fold(name string) string { return strings.ToUpper(strings.TrimSpace(name)) }

// Permit is the first gate: it says, before anything of a message is read,
// whether addr is listened to. The error is a messngr.ErrRefused.
func (p *Policy) Permit(addr netip.Addr) error {
	reason := p.judge(addr.Unmap().WithZone(""))
	if reason == "" {
		return nil
	}
	p.journal.refused(addr, "", reason)
	return fmt.Errorf("%w: %s", messngr.ErrRefused, reason)
}

// The reasons of refusals, as status shows them.
const (
	ReasonOffLink = "not on an attached subnet or the allow-list"
	ReasonBlocked = "blocked"
	ReasonName    = "sender name blocked"
	ReasonRate    = "too many messages"
)

func (p *Policy) judge(addr netip.Addr) string {
	contains := func(prefix netip.Prefix) bool { return prefix.Contains(addr) }
	p.mu.RLock()
	defer p.mu.RUnlock()
	switch {
	case slices.ContainsFunc(p.blocked, contains):
		return ReasonBlocked
	case !addr.IsValid() || addr.IsMulticast() || addr.IsUnspecified() || !slices.ContainsFunc(p.allowed, contains):
		return ReasonOffLink
	}
	return ""
}

// Judgement is what the policy says of one received message.
type Judgement struct {
	// Quiet: it does not pop up by itself, but is counted in a digest.
	Quiet bool
	// Warning is why the reader should be careful; "".
	Warning string
}

// Judge decides about one message that is about to be stored. The error is a
// messngr.ErrRefused or messngr.ErrBusy. Messages of this host itself, without
// an address, are never refused.
func (p *Policy) Judge(m *messngr.Message) (Judgement, error) {
	var j Judgement
	addr := m.From.Address.Unmap().WithZone("")
	if !addr.IsValid() {
		return j, nil
	}
	if reason := p.judge(addr); reason != "" {
		p.journal.refused(addr, m.From.Claimed, reason)
		return j, fmt.Errorf("%w: %s", messngr.ErrRefused, reason)
	}
	p.mu.RLock()
	blocked, reserved := p.names[fold(m.From.Claimed)], p.reserved[fold(m.From.Claimed)]
	p.mu.RUnlock()
	if blocked {
		p.journal.refused(addr, m.From.Claimed, ReasonName)
		return j, fmt.Errorf("%w: %s", messngr.ErrRefused, ReasonName)
	}
	now := time.Now()
	if !p.gauge.take(addr, now) {
		p.journal.refused(addr, m.From.Claimed, ReasonRate)
		return j, fmt.Errorf("%w: %s", messngr.ErrBusy, ReasonRate)
	}
	if reserved && m.From.Trust == messngr.Unverified {
		j.Warning = fmt.Sprintf("nothing proves that this is %s; the name is easy to forge", m.From.Claimed)
	}
	j.Quiet = !p.gauge.popUp(addr, now)
	return j, nil
}

// Refusals lists what was refused since the start, by source and reason, the
// latest first. At most a few hundred sources are remembered.
func (p *Policy) Refusals() []Refusal { return p.journal.list() }

func newLimiter(l Limit) *rate.Limiter {
	if l.Rate <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(l.Rate), l.Burst)
}
