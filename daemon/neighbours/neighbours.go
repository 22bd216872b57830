// Package neighbours finds out which machines are on the networks of this host, and
// who is at them, from everybody who knows something of it: the machines themselves,
// the browser service, and Samba.
package neighbours

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"messngr/carrier"
	"messngr/carrier/browser"
	"messngr/control"
	"messngr/wire/browse"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

const (
	// askTime bounds how long the network is asked who is there.
	askTime = 5 * time.Second
	// answerAge is how old an answer may be that is given again: everybody may ask, and
	// not everybody shall make the network busy.
	answerAge = 10 * time.Second
	// maxAsked is how many machines are asked for their names, and askedAtOnce how
	// many of them at once.
	maxAsked, askedAtOnce = 512, 32
)

// Browser is what is known from the browser service of the networks.
type Browser interface {
	// Heard lists the machines that have announced themselves.
	Heard() []browser.Machine
	// List asks the master browser for its list.
	List(ctx context.Context) (browser.List, error)
}

// Config says where to look.
type Config struct {
	Page      oem.Page
	Workgroup string // ours
	// Self describes this machine. It is called for every answer.
	Self    func() control.Machine
	Browser Browser
	// NMBD returns the list that Samba's nmbd keeps; nil if none runs here.
	NMBD     func() ([]browse.Record, error)
	Networks []carrier.NetBIOS
}

// Neighbours finds out who is on the networks. Its method may be called by several
// goroutines at once.
type Neighbours struct {
	cfg Config

	mu   sync.Mutex // held while the networks are asked
	at   time.Time
	last control.WhoList
}

// New returns Neighbours that know nothing yet.
func New(cfg Config) *Neighbours { return &Neighbours{cfg: cfg} }

// Ask lists the machines on the networks. With quick the machines themselves are
// not asked, which takes some seconds.
func (n *Neighbours) Ask(ctx context.Context, quick bool) control.WhoList {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.at) < answerAge {
		return n.last
	}
	s := &survey{page: n.cfg.Page, workgroup: n.cfg.Workgroup, machines: make(map[string]*control.Machine)}
	s.self(n.cfg.Self())
	s.announced(n.cfg.Browser.Heard())
	s.listed(n.cfg.Browser.List(ctx))
	if records, err := n.cfg.NMBD(); records != nil || err != nil {
		s.nmbd(records, err)
	}
	if !quick {
		s.askAll(ctx, n.cfg.Networks)
	}
	list := s.result()
	if !quick && ctx.Err() == nil {
		n.at, n.last = time.Now(), list
	}
	return list
}

// survey collects what is known of machines, from several sources.
type survey struct {
	page      oem.Page
	workgroup string // ours

	mu       sync.Mutex
	machines map[string]*control.Machine
	notes    []string
}

// machine returns the machine of that name. The caller holds mu, or is alone.
func (s *survey) machine(name, source string) *control.Machine {
	name = oem.CleanLine(name)
	m := s.machines[name]
	if m == nil {
		m = &control.Machine{Name: name, Users: []string{}, Carriers: []string{}, Takes: []string{}, Sources: []string{}}
		s.machines[name] = m
	}
	if !slices.Contains(m.Sources, source) {
		m.Sources = append(m.Sources, source)
	}
	return m
}

// found notes that a machine was heard of by this host itself.
func found(m *control.Machine, at time.Time) {
	if m.SeenAt == nil || m.SeenAt.Before(at) {
		m.SeenAt = &at
	}
	if !slices.Contains(m.Carriers, "nbt") {
		m.Carriers = append(m.Carriers, "nbt")
	}
}

func (s *survey) note(text string) { s.notes = append(s.notes, oem.CleanLine(text)) }

// self takes in this machine.
func (s *survey) self(m control.Machine) {
	m.Sources = []string{"self"}
	s.machines[m.Name] = &m
	found(&m, time.Now())
}

// announced takes in the machines that announce themselves.
func (s *survey) announced(list []browser.Machine) {
	for _, a := range list {
		m := s.machine(s.page.DecodeName([]byte(a.Name)), "announced")
		m.Workgroup = oem.CleanLine(s.page.DecodeName([]byte(a.Workgroup)))
		m.Address = a.Address.String()
		m.Master = m.Master || a.Master
		s.describe(m, a.Type, s.page.Decode([]byte(a.Comment)))
		found(m, a.Seen)
	}
}

func (s *survey) describe(m *control.Machine, t browse.ServerType, comment string) {
	if system := t.System(); system != "" {
		m.System = system
	}
	if comment = oem.CleanLine(comment); comment != "" {
		m.Comment = comment
	}
}

// listed takes in the list of the master browser.
func (s *survey) listed(l browser.List, err error) {
	who := l.Address.String()
	if l.Master != "" {
		name := s.page.DecodeName([]byte(l.Master))
		who = name + " (" + who + ")"
		m := s.machine(name, "list")
		m.Master, m.Workgroup, m.Address = true, s.workgroup, l.Address.String()
	}
	switch {
	case errors.Is(err, browser.ErrNoMaster):
		s.note("no master browser was found: without one only machines are known that announce themselves, every 12 minutes")
	case err != nil:
		s.note("the master browser " + who + " does not hand out its list: " + err.Error())
	case l.Available > len(l.Entries):
		s.note("the master browser " + who + " has more machines than it lists")
	}
	for _, e := range l.Entries {
		m := s.machine(s.page.DecodeName([]byte(e.Name)), "list")
		m.Workgroup = s.workgroup
		m.Master = m.Master || e.Type&browse.MasterBrowser != 0
		s.describe(m, e.Type, s.page.Decode([]byte(e.Comment)))
	}
}

// nmbd takes in the list of the nmbd of this host.
func (s *survey) nmbd(records []browse.Record, err error) {
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.note(err.Error())
		}
		return
	}
	for _, r := range records {
		if r.Type&browse.Workgroups != 0 {
			continue
		}
		m := s.machine(r.Name, "nmbd")
		m.Workgroup = oem.CleanLine(r.Workgroup)
		m.Master = m.Master || r.Type&browse.MasterBrowser != 0
		s.describe(m, r.Type, r.Comment)
	}
}

// askAll asks the machines for their names, so far as there is time.
func (s *survey) askAll(ctx context.Context, networks []carrier.NetBIOS) {
	var asked sync.WaitGroup
	slots := make(chan struct{}, askedAtOnce)
	all := s.sorted()
	for _, m := range all[:min(len(all), maxAsked)] {
		if slices.Contains(m.Sources, "self") {
			continue
		}
		asked.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for _, n := range networks {
				if addr, entries, ok := s.ask(ctx, n, m.Name, m.Address); ok {
					s.answered(m.Name, addr, entries)
					return
				}
			}
		})
	}
	asked.Wait()
	if len(all) > maxAsked {
		s.note("there are too many machines to ask all of them")
	}
}

// ask asks one machine, at its address if that is known.
func (s *survey) ask(ctx context.Context, n carrier.NetBIOS, name, address string) (netip.Addr, []carrier.NameEntry, bool) {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		label, err := s.page.EncodeName(name)
		if err != nil {
			return addr, nil, false
		}
		called, err := netbios.Exact(string(label), netbios.Workstation)
		if err != nil {
			return addr, nil, false
		}
		addrs, err := n.Resolve(ctx, called)
		if err != nil || len(addrs) == 0 {
			return addr, nil, false
		}
		addr = addrs[0]
	}
	entries, err := n.Status(ctx, addr)
	return addr, entries, err == nil
}

// answered takes in the names that a machine tells.
func (s *survey) answered(name string, addr netip.Addr, entries []carrier.NameEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.machine(name, "answered")
	m.Address = addr.String()
	found(m, time.Now())
	for _, e := range entries {
		label := oem.CleanLine(s.page.DecodeName([]byte(e.Name.Label())))
		switch {
		case e.State == carrier.Conflict:
		case e.Group && e.Name.Suffix() == netbios.Workstation:
			m.Workgroup = label
		case !e.Group && e.Name.Suffix() == netbios.Messenger && strings.EqualFold(label, name):
			m.Takes = append(m.Takes, "smb")
		case !e.Group && e.Name.Suffix() == netbios.Messenger:
			m.Users = append(m.Users, label)
		}
	}
	if len(m.Takes) > 0 && m.Workgroup == s.workgroup {
		m.Takes = append(m.Takes, "mailslot")
	}
}

// sorted lists copies of the machines, by workgroup, ours first, and name.
func (s *survey) sorted() []control.Machine {
	var list []control.Machine
	for _, m := range s.machines {
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b control.Machine) int {
		if a.Workgroup != b.Workgroup {
			if a.Workgroup == s.workgroup || b.Workgroup != s.workgroup && a.Workgroup < b.Workgroup {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

func (s *survey) result() control.WhoList {
	list := control.WhoList{Machines: s.sorted(), Notes: s.notes}
	if list.Notes == nil {
		list.Notes = []string{}
	}
	return list
}
