package server

import (
	"context"
	"fmt"
	"strings"

	"messngr"
	"messngr/control"
	"messngr/names"
	"messngr/policy"
	"messngr/wire/netbios"
)

// status tells how the service is, and how many messages the asker has.
func (s *Service) status(ctx context.Context, who messngr.Principal, _ nothing) (control.Status, error) {
	st := s.Status(ctx)
	var err error
	st.Total, st.Unread, err = s.Store.Counts(ctx, who.Audiences(), who.Login)
	return st, err
}

// service pauses, continues or stops the service.
func (s *Service) service(_ context.Context, _ messngr.Principal, in control.ServiceRequest) (nothing, error) {
	switch in.Action {
	case "pause":
		s.Router.Pause()
	case "continue":
		s.Router.Continue()
	case "stop":
		s.Stop() // Serve ends when this has been answered
	default:
		return nothing{}, bad("unknown action %q, want pause, continue or stop", in.Action)
	}
	return nothing{}, nil
}

// nameList returns the message names of this host.
func (s *Service) nameList(context.Context, messngr.Principal, nothing) (control.NameList, error) {
	return control.NameList{Names: NamesOf(s.Names)}, nil
}

// NamesOf describes the names of a table.
func NamesOf(table *names.Table) []control.Name {
	list := []control.Name{}
	for _, e := range table.List() {
		list = append(list, nameOf(e))
	}
	return list
}

func nameOf(e names.Entry) control.Name {
	n := control.Name{
		Name: e.Name, Suffix: int(e.Suffix), Group: e.Group, Kind: e.Kind.String(), User: e.User,
		Persist: e.Persist, State: "registered", Places: []control.NamePlace{},
	}
	rank := map[string]int{"registered": 0, "claiming": 1, "released": 2, "conflict": 3}
	for _, p := range e.Places {
		place := control.NamePlace{Carrier: p.Carrier, Interface: p.Interface, State: p.State}
		if p.Owner.IsValid() {
			place.Owner = p.Owner.String()
		}
		if rank[p.State] > rank[n.State] {
			n.State, n.Owner = p.State, place.Owner
		}
		n.Places = append(n.Places, place)
	}
	return n
}

// nameAdd claims a name, and answers when it is ours or somebody else's. Somebody
// who does not administer the service gets it for the own messages; the machine's
// names, and those that other people could be known by, are the administrators'
// business.
func (s *Service) nameAdd(ctx context.Context, who messngr.Principal, in control.NameRequest) (control.Name, error) {
	e := names.Entry{Name: in.Name, Suffix: netbios.Messenger, Kind: names.Alias, User: in.User, Persist: in.Persist}
	canonical, err := s.Names.Canonical(in.Name)
	if err != nil {
		return control.Name{}, err
	}
	if !who.Admin {
		if err := s.mayClaim(who, in.User, canonical); err != nil {
			return control.Name{}, err
		}
		e.User = who.Login
	}
	if err := s.Names.Add(ctx, e); err != nil {
		return control.Name{}, err
	}
	for _, e := range s.Names.List() {
		if e.Name == canonical && e.Suffix == netbios.Messenger {
			return nameOf(e), nil
		}
	}
	return control.Name{}, fmt.Errorf("%s: %w", canonical, messngr.ErrNotFound) // removed again already
}

// mayClaim says why somebody who does not administer the service may not have a
// name. Who has a name may also send under it.
func (s *Service) mayClaim(who messngr.Principal, owner, name string) error {
	if owner != "" && owner != who.Login {
		return fmt.Errorf("%w: only root and members of the group messngr may add names for others", messngr.ErrRefused)
	}
	if s.Policy.Reserved(name) || !strings.EqualFold(name, who.Login) && s.isOther(who, name) {
		return fmt.Errorf("%w: only root and members of the group messngr may add the name %s", messngr.ErrRefused, name)
	}
	mine := 0
	for _, e := range s.Names.List() {
		if e.Kind == names.Alias && e.User == who.Login {
			mine++
		}
	}
	if mine >= s.MaxNames {
		return fmt.Errorf("%w: %s has %d, which is as many as one person may add", names.ErrTooMany, who.Login, mine)
	}
	return nil
}

// firstPerson is the least user id of people; programs have those below. It is
// 1000 on Linux and FreeBSD, and 501 on macOS.
const firstPerson = 500

// isOther reports whether a name is the login name of another person on this host, as
// far as that can be found out. Somebody of a domain may be called as somebody here is.
func (s *Service) isOther(who messngr.Principal, name string) bool {
	for _, login := range []string{strings.ToLower(name), name} {
		if a, err := s.Accounts.ByName(login); err == nil && a.UID != who.UID && (a.UID == 0 || a.UID >= firstPerson) {
			return true
		}
	}
	return false
}

// nameRef names a name in a path.
type nameRef struct {
	Name string `path:"name"`
}

// nameRemove gives up a name that was added, or that is the asker's.
func (s *Service) nameRemove(ctx context.Context, who messngr.Principal, in nameRef) (nothing, error) {
	if e, ok := s.Names.Lookup(in.Name, false); ok && !who.Admin && e.User != who.Login {
		return nothing{}, errForbidden
	}
	return nothing{}, s.Names.Remove(ctx, in.Name)
}

// ruleList returns the rules for received messages.
func (s *Service) ruleList(context.Context, messngr.Principal, nothing) (control.RuleList, error) {
	answer := control.RuleList{Rules: []control.Rule{}}
	for _, r := range s.Policy.Rules() {
		answer.Rules = append(answer.Rules, control.Rule{Verdict: string(r.Verdict), Match: r.Match, Source: r.Source})
	}
	return answer, nil
}

// ruleSet adds a rule. The opposite rule for the same match, if one was added, is
// replaced.
func (s *Service) ruleSet(ctx context.Context, _ messngr.Principal, in control.RuleRequest) (nothing, error) {
	return nothing{}, s.Policy.Set(ctx, policy.Verdict(in.Verdict), in.Match)
}

// ruleRemove removes a rule that was added while the service ran.
func (s *Service) ruleRemove(ctx context.Context, _ messngr.Principal, in control.RuleRequest) (nothing, error) {
	return nothing{}, s.Policy.Remove(ctx, policy.Verdict(in.Verdict), in.Match)
}
