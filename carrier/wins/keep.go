package wins

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"messngr/wire/lmhosts"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

const (
	// keeperKind is the kind of the server's settings: name and scope -> record.
	keeperKind = "wins"
	// keepersAtOnce is how many changes are handed over at the same time, so that the
	// keeper can make one piece of work of them.
	keepersAtOnce = 64
)

// A keptRecord is a record as the keeper has it, in JSON.
type keptRecord struct {
	Kind   kind        `json:"kind"`
	By     netip.Addr  `json:"by"`
	Owners []keptOwner `json:"owners"`
}

type keptOwner struct {
	Addr    netip.Addr    `json:"addr"`
	Node    nbns.NodeType `json:"node"`
	Expires int64         `json:"expires"` // seconds since 1970
}

// text returns the key as the keeper has it: everything in hexadecimal digits, since names
// and scopes may hold any bytes.
func (k key) text() string {
	return hex.EncodeToString(append(k.name[:], k.scope...))
}

func parseKey(text string) (key, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) < len(netbios.Name{}) {
		return key{}, fmt.Errorf("%q is no name", text)
	}
	return key{netbios.Name(b[:len(netbios.Name{})]), string(b[len(netbios.Name{}):])}, nil
}

// load takes in what the keeper has. While the server was down nobody could refresh a
// name, so each of them gets the least lifetime once more.
func (s *Server) load(ctx context.Context) error {
	kept, err := s.keeper.Settings(ctx, keeperKind)
	if err != nil {
		return err
	}
	grace := time.Now().Add(s.minTTL)
	for text, value := range kept {
		k, err := parseKey(text)
		var record keptRecord
		if err == nil {
			err = json.Unmarshal([]byte(value), &record)
		}
		if err == nil && len(record.Owners) == 0 {
			err = fmt.Errorf("%v has no owners", k.name)
		}
		if err != nil {
			s.log.Warn("name of the name server left out", "error", err)
			continue
		}
		s.restore(k, record, grace)
	}
	return nil
}

func (s *Server) restore(k key, kept keptRecord, grace time.Time) {
	r := &record{kind: kept.Kind, by: kept.By}
	for _, o := range kept.Owners {
		expires := time.Unix(o.Expires, 0)
		if expires.After(r.kept) {
			r.kept = expires
		}
		if expires.Before(grace) {
			expires = grace
		}
		r.add(owner{o.Addr, o.Node, expires})
	}
	s.records[k] = r
	s.owned[r.by]++
}

// change notes that the keeper does not have a name as it is. The caller holds mu.
func (s *Server) change(k key) {
	s.changed[k] = struct{}{}
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// keep hands over what has changed since it was called last. What the keeper does not
// take is tried again the next time.
func (s *Server) keep(ctx context.Context) error {
	s.mu.Lock()
	changed := s.changed
	s.changed = make(map[key]struct{})
	s.mu.Unlock()
	var all errgroup.Group
	all.SetLimit(keepersAtOnce)
	for k := range changed {
		all.Go(func() error {
			err := s.keepOne(ctx, k)
			if err != nil {
				s.mu.Lock()
				s.change(k)
				s.mu.Unlock()
			}
			return err
		})
	}
	return all.Wait()
}

func (s *Server) keepOne(ctx context.Context, k key) error {
	s.mu.Lock()
	kept := keptRecord{}
	if r := s.records[k]; r != nil {
		kept.Kind, kept.By, r.kept = r.kind, r.by, r.expires()
		for _, o := range r.owners {
			if !o.static() {
				kept.Owners = append(kept.Owners, keptOwner{o.addr, o.node, o.expires.Unix()})
			}
		}
	}
	s.mu.Unlock()
	if len(kept.Owners) == 0 {
		_, err := s.keeper.Unset(ctx, keeperKind, k.text())
		return err
	}
	value, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return s.keeper.Set(ctx, keeperKind, k.text(), string(value))
}

// addStatic takes in the names that the administrator gives to machines.
func (s *Server) addStatic(lines []string) error {
	items, problems := lmhosts.Parse([]byte(strings.Join(lines, "\n")))
	if len(problems) > 0 {
		return fmt.Errorf("[wins] static: %w", problems[0])
	}
	for _, item := range items {
		e := item.Entry
		if len(item.Include) > 0 {
			return fmt.Errorf("[wins] static: %q: files are not read here", item.Include[0])
		}
		names := []netbios.Name{e.Name}
		if !e.Exact {
			names = append(names, e.Name.WithSuffix(netbios.Messenger), e.Name.WithSuffix(netbios.FileServer))
		}
		for _, name := range names {
			s.give(name, unique, e.Addr)
		}
		if e.Domain != (netbios.Name{}) {
			s.give(e.Domain, internet, e.Addr)
		}
	}
	return nil
}

// give makes the machine at addr an owner of the name for good. Whoever registered it
// while it was not static has lost it.
func (s *Server) give(name netbios.Name, kind kind, addr netip.Addr) {
	k := key{name: name}
	r := s.records[k]
	if r == nil || r.kind != kind || kind == unique && !r.static() {
		if r != nil {
			s.remove(k)
		}
		r = &record{kind: kind}
		s.records[k] = r
	}
	r.prune(func(o owner) bool { return o.addr == addr })
	r.add(owner{addr: addr, node: nbns.PNode})
}
