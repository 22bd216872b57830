package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"messngr"
)

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

// ErrInvalid says that what somebody wrote is not a rule.
var ErrInvalid = errors.New("not a rule")

// Rules lists the rules: blocks first, then by match.
func (p *Policy) Rules() []Rule {
	p.mu.RLock()
	rules := slices.Clone(p.rules)
	p.mu.RUnlock()
	slices.SortFunc(rules, func(a, b Rule) int {
		return cmp.Or(-cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(a.Match, b.Match), cmp.Compare(a.Source, b.Source))
	})
	return rules
}

// Allowed lists what the rules allow besides the attached subnets.
func (p *Policy) Allowed() []netip.Prefix {
	var list []netip.Prefix
	for _, r := range p.Rules() {
		if r.Verdict != Allow || r.Source == FromAttached {
			continue
		}
		if prefix, err := netip.ParsePrefix(r.Match); err == nil {
			list = append(list, prefix)
		}
	}
	return list
}

// SetAttached replaces the rules for the subnets of the chosen interfaces.
func (p *Policy) SetAttached(subnets []netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = slices.DeleteFunc(p.rules, func(r Rule) bool { return r.Source == FromAttached })
	for _, subnet := range subnets {
		p.rules = append(p.rules, Rule{Allow, unmap(subnet).String(), FromAttached})
	}
	p.compile()
}

// Set adds a rule and keeps it for the next start. The opposite rule for the
// same match, if one was set, is replaced. The error is ErrInvalid if there is
// no such rule, else the keeper's.
func (p *Policy) Set(ctx context.Context, verdict Verdict, match string) error {
	canonical, err := canonicalMatch(verdict, match)
	if err != nil {
		return err
	}
	p.keeping.Lock()
	defer p.keeping.Unlock()
	if err := p.keeper.Set(ctx, keeperKind, canonical, string(verdict)); err != nil {
		return fmt.Errorf("keep the rule %s %s: %w", verdict, canonical, err)
	}
	p.replace(canonical, Rule{verdict, canonical, FromSet})
	return nil
}

// Remove takes back a rule that was Set. The error is ErrInvalid if it cannot be
// a rule, messngr.ErrNotFound if there is none, messngr.ErrRefused if it was not
// Set but stands in the configuration or comes with an interface, else the
// keeper's.
func (p *Policy) Remove(ctx context.Context, verdict Verdict, match string) error {
	canonical, err := canonicalMatch(verdict, match)
	if err != nil {
		return err
	}
	p.keeping.Lock()
	defer p.keeping.Unlock()
	if err := p.removable(verdict, canonical); err != nil {
		return err
	}
	if _, err := p.keeper.Unset(ctx, keeperKind, canonical); err != nil {
		return fmt.Errorf("forget the rule %s %s: %w", verdict, canonical, err)
	}
	p.replace(canonical)
	return nil
}

func (p *Policy) removable(verdict Verdict, canonical string) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	has := func(source string) bool { return slices.Contains(p.rules, Rule{verdict, canonical, source}) }
	switch {
	case has(FromSet):
		return nil
	case has(FromConfig):
		return fmt.Errorf("%w: the rule %s %s stands in the configuration file; change it there", messngr.ErrRefused, verdict, canonical)
	case has(FromAttached):
		return fmt.Errorf("%w: %s is the subnet of a chosen interface; block it instead", messngr.ErrRefused, canonical)
	}
	return fmt.Errorf("rule %s %s: %w", verdict, canonical, messngr.ErrNotFound)
}

// replace puts the rules in the place of the one that was Set for match.
func (p *Policy) replace(match string, rules ...Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = slices.DeleteFunc(p.rules, func(r Rule) bool { return r.Source == FromSet && r.Match == match })
	p.rules = append(p.rules, rules...)
	p.compile()
}

// compile turns the rules into what the judges read. The caller holds mu. A rule
// that cannot be read, kept by another version, matches nobody.
func (p *Policy) compile() {
	p.allowed, p.blocked, p.blockedNames = nil, nil, make(map[string]bool)
	for _, r := range p.rules {
		name, isName := strings.CutPrefix(r.Match, namePrefix)
		prefix, err := netip.ParsePrefix(r.Match)
		switch {
		case isName && r.Verdict == Block:
			p.blockedNames[name] = true
		case isName, err != nil:
		case r.Verdict == Block:
			p.blocked = append(p.blocked, prefix)
		case r.Verdict == Allow:
			p.allowed = append(p.allowed, prefix)
		}
	}
}

const namePrefix = "name:"

// canonicalMatch reads an address, a prefix, or "name:" and a name.
func canonicalMatch(verdict Verdict, match string) (string, error) {
	if verdict != Allow && verdict != Block {
		return "", fmt.Errorf("%w: unknown verdict %q, want %q or %q", ErrInvalid, string(verdict), Allow, Block)
	}
	match = strings.TrimSpace(match)
	if n := len(namePrefix); len(match) >= n && strings.EqualFold(match[:n], namePrefix) {
		name := fold(match[n:])
		switch {
		case verdict == Allow:
			return "", fmt.Errorf("%w: %q: a name proves nothing on these networks, so only addresses can be allowed", ErrInvalid, match)
		case name == "":
			return "", fmt.Errorf("%w: %q: the name is missing", ErrInvalid, match)
		}
		return namePrefix + name, nil
	}
	if prefix, err := netip.ParsePrefix(match); err == nil {
		return unmap(prefix).String(), nil
	}
	addr, err := netip.ParseAddr(match)
	if err != nil {
		return "", fmt.Errorf("%w: %q is neither an address nor a prefix such as 10.1.0.0/16 nor name:SENDER", ErrInvalid, match)
	}
	addr = bare(addr)
	return netip.PrefixFrom(addr, addr.BitLen()).String(), nil
}

// fold returns a sender's name as it is compared.
func fold(name string) string { return strings.ToUpper(strings.TrimSpace(name)) }

// bare returns the address as rules know it: IPv4 where it is IPv4 inside of
// IPv6, and without a zone.
func bare(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// unmap does the same for a prefix, and clears the bits behind it.
func unmap(prefix netip.Prefix) netip.Prefix {
	const mapped = 96 // bits in front of the IPv4 address (RFC 4291 2.5.5.2)
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= mapped {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-mapped)
	}
	return prefix.Masked()
}
