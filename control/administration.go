package control

import (
	"context"
	"fmt"
	"net/http"

	"messngr"
	"messngr/names"
	"messngr/policy"
	"messngr/wire/netbios"
)

func (s *Service) nameList(context.Context, messngr.Principal, *http.Request) (any, error) {
	return NameList{Names: NamesOf(s.Names)}, nil
}

// NamesOf describes the names of a table.
func NamesOf(table *names.Table) []Name {
	list := []Name{}
	for _, e := range table.List() {
		list = append(list, nameOf(e))
	}
	return list
}

func nameOf(e names.Entry) Name {
	n := Name{
		Name: e.Name, Suffix: int(e.Suffix), Group: e.Group, Kind: e.Kind.String(), User: e.User,
		Persist: e.Persist, State: "registered", Places: []NamePlace{},
	}
	rank := map[string]int{"registered": 0, "claiming": 1, "released": 2, "conflict": 3}
	for _, p := range e.Places {
		place := NamePlace{Carrier: p.Carrier, Interface: p.Interface, State: p.State}
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

// nameAdd claims a name. Somebody who does not administer the service gets it
// for the own messages; the machine's names are the administrators' business.
func (s *Service) nameAdd(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	var req NameRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	e := names.Entry{Name: req.Name, Suffix: netbios.Messenger, Kind: names.Alias, User: req.User, Persist: req.Persist}
	if !who.Admin {
		if req.User != "" && req.User != who.Login {
			return nil, fmt.Errorf("%w: only root and members of the group messngr may add names for others", messngr.ErrRefused)
		}
		e.User = who.Login
	}
	canonical, err := s.Names.Canonical(req.Name)
	if err != nil {
		return nil, bad("%v", err)
	}
	if err := s.Names.Add(ctx, e); err != nil {
		return nil, err
	}
	for _, e := range s.Names.List() {
		if e.Name == canonical && e.Suffix == netbios.Messenger {
			return nameOf(e), nil
		}
	}
	return nil, messngr.ErrNotFound
}

func (s *Service) nameRemove(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	name := r.PathValue("name")
	if e, ok := s.Names.Lookup(name, false); ok && !who.Admin && (e.User == "" || e.User != who.Login) {
		return nil, errForbidden
	}
	if _, err := s.Names.Canonical(name); err != nil {
		return nil, bad("%v", err)
	}
	return nil, s.Names.Remove(ctx, name)
}

func (s *Service) ruleList(context.Context, messngr.Principal, *http.Request) (any, error) {
	answer := RuleList{Rules: []Rule{}}
	for _, r := range s.Policy.Rules() {
		answer.Rules = append(answer.Rules, Rule{Verdict: string(r.Verdict), Match: r.Match, Source: r.Source})
	}
	return answer, nil
}

func (s *Service) ruleSet(ctx context.Context, _ messngr.Principal, r *http.Request) (any, error) {
	var req RuleRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	if err := s.Policy.Set(ctx, policy.Verdict(req.Verdict), req.Match); err != nil {
		return nil, ruleError(err)
	}
	return nil, nil
}

func (s *Service) ruleRemove(ctx context.Context, _ messngr.Principal, r *http.Request) (any, error) {
	q := r.URL.Query()
	if err := s.Policy.Remove(ctx, policy.Verdict(q.Get("verdict")), q.Get("match")); err != nil {
		return nil, ruleError(err)
	}
	return nil, nil
}

// ruleError makes errors of the rule itself the client's.
func ruleError(err error) error {
	if messngr.Code(err) == "internal" {
		return bad("%v", err)
	}
	return err
}
