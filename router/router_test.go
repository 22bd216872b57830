package router_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"messngr"
	"messngr/names"
	"messngr/policy"
	"messngr/router"
	"messngr/store"
	"messngr/store/memstore"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	admin = messngr.Principal{UID: 0, Login: "root", Admin: true}
	alice = messngr.Principal{UID: 1000, Login: "alice"}
	bob   = messngr.Principal{UID: 1001, Login: "bob"}
)

// host is a router with everything around it: PC17 in WORKGROUP, where Alice is
// logged on, with the alias BACKUP of the machine.
type host struct {
	*router.Router
	store    *shelf
	names    *names.Table
	policy   *policy.Policy
	sessions *people
	resolver *resolver
	cfg      router.Config
}

// options change what a host is made of.
type options struct {
	store  *shelf
	policy policy.Config
	routes []router.Route
	keep   store.Retention
	rights router.Rights
}

func newHost(t testing.TB, o options) *host {
	t.Helper()
	if o.store == nil {
		o.store = &shelf{Store: memstore.New()}
	}
	h := &host{store: o.store, sessions: &people{list: []string{"alice"}}, resolver: &resolver{dns: map[string]string{"self.local": "10.0.0.17"}}}
	log := slog.New(slog.DiscardHandler)
	h.names = names.New(oem.Page{}, nil, o.store, log)
	for _, e := range []names.Entry{
		{Name: "PC17", Suffix: netbios.Messenger, Kind: names.Computer},
		{Name: "WORKGROUP", Suffix: netbios.Workstation, Kind: names.Workgroup, Group: true},
		{Name: "ALICE", Suffix: netbios.Messenger, Kind: names.User, User: "alice"},
		{Name: "BACKUP", Suffix: netbios.Messenger, Kind: names.Alias},
	} {
		if err := h.names.Own(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	o.policy.Allow = append(o.policy.Allow, "10.0.0.0/8")
	var err error
	if h.policy, err = policy.New(t.Context(), o.policy, o.store); err != nil {
		t.Fatal(err)
	}
	h.cfg = router.Config{
		Store: o.store, Names: h.names, Policy: h.policy, Sessions: h.sessions, Resolver: h.resolver,
		Routes: o.routes, Log: log, Host: "PC17", Workgroup: "WORKGROUP", Retention: o.keep, Rights: o.rights,
	}
	h.Router = router.New(h.cfg)
	return h
}

// run runs the router until stop is called or the test ends.
func (h *host) run(t *testing.T) (stop func()) {
	t.Helper()
	return background(t, h.Run)
}

// show feeds d until stop is called or the test ends. It returns when all that
// was there before has been shown.
func (h *host) show(t *testing.T, d messngr.Display) (stop func()) {
	t.Helper()
	stop = background(t, func(ctx context.Context) error { return h.Show(ctx, "test", d) })
	synctest.Wait()
	return stop
}

// background runs job until stop is called or the test ends.
func background(t *testing.T, job func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- job(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("a job ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// inbox returns all received messages, oldest first.
func (h *host) inbox(t *testing.T) []store.Entry {
	t.Helper()
	entries, err := h.store.Store.Inbox(t.Context(), store.Query{Oldest: true, Limit: 10000})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// texts returns the texts of all received messages, oldest first.
func (h *host) texts(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, e := range h.inbox(t) {
		list = append(list, e.Message.Text)
	}
	return list
}

// accept hands over a message of an unverified sender to PC17.
func (h *host) accept(t *testing.T, text string) {
	t.Helper()
	if _, err := h.Accept(t.Context(), inbound(text)); err != nil {
		t.Fatal(err)
	}
}

// inbound is a message of an unverified sender to PC17, by SMB.
func inbound(text string) messngr.Inbound {
	return messngr.Inbound{
		Message: messngr.Message{
			Text: text, To: "PC17", Via: "smb",
			From: messngr.From{Claimed: "BOSS", Address: netip.MustParseAddr("10.0.0.7")},
		},
		To: []string{"PC17"},
	}
}

// shelf is a store in memory whose methods can fail or take their time.
type shelf struct {
	*memstore.Store
	mu     sync.Mutex
	before map[string]func() error // name of a method -> what happens first
}

func (s *shelf) on(method string, do func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before == nil {
		s.before = make(map[string]func() error)
	}
	s.before[method] = do
}

func (s *shelf) first(method string) error {
	s.mu.Lock()
	do := s.before[method]
	s.mu.Unlock()
	if do == nil {
		return nil
	}
	return do()
}

func (s *shelf) Take(ctx context.Context, in store.Incoming) (store.Entry, bool, error) {
	switch err := s.first("Take"); err {
	case nil:
		return s.Store.Take(ctx, in)
	case errNotKept:
		return store.Entry{}, false, nil
	default:
		return store.Entry{}, false, err
	}
}

func (s *shelf) Inbox(ctx context.Context, q store.Query) ([]store.Entry, error) {
	if err := s.first("Inbox"); err != nil {
		return nil, err
	}
	return s.Store.Inbox(ctx, q)
}

func (s *shelf) Mark(ctx context.Context, mark store.Mark, reader string, at time.Time, ids ...messngr.ID) (int, error) {
	if err := s.first("Mark"); err != nil {
		return 0, err
	}
	return s.Store.Mark(ctx, mark, reader, at, ids...)
}

func (s *shelf) Queue(ctx context.Context, out store.Outgoing) error {
	if err := s.first("Queue"); err != nil {
		return err
	}
	return s.Store.Queue(ctx, out)
}

func (s *shelf) SentMessage(ctx context.Context, id messngr.ID) (store.Outgoing, error) {
	if err := s.first("SentMessage"); err != nil {
		return store.Outgoing{}, err
	}
	return s.Store.SentMessage(ctx, id)
}

func (s *shelf) Begin(ctx context.Context, a store.Attempt) (int64, error) {
	if err := s.first("Begin"); err != nil {
		return 0, err
	}
	return s.Store.Begin(ctx, a)
}

func (s *shelf) Finish(ctx context.Context, a store.Attempt) error {
	if err := s.first("Finish"); err != nil {
		return err
	}
	return s.Store.Finish(ctx, a)
}

func (s *shelf) Pending(ctx context.Context) ([]store.Outgoing, error) {
	if err := s.first("Pending"); err != nil {
		return nil, err
	}
	return s.Store.Pending(ctx)
}

var errDisk = fmt.Errorf("disk full: %w", messngr.ErrUnavailable)

func fails() error { return errDisk }

// errNotKept makes Take succeed without keeping anything.
var errNotKept = errors.New("not kept")

// people says who is logged on, and who could be.
type people struct {
	list     []string
	accounts []string
	err      error
}

func (p *people) People(context.Context) ([]string, error) { return p.list, p.err }

func (p *people) Account(name string) (string, bool) {
	i := slices.IndexFunc(p.accounts, func(login string) bool { return strings.EqualFold(login, name) })
	if i < 0 {
		return "", false
	}
	return p.accounts[i], true
}

// resolver knows addresses of DNS names and of message names.
type resolver struct {
	dns, names map[string]string
	delay      time.Duration
	mu         sync.Mutex
	asked      []string
}

func (r *resolver) lookup(kind, name string, known map[string]string) (netip.Addr, error) {
	time.Sleep(r.delay)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, kind+" "+name)
	if addr, ok := known[name]; ok {
		return netip.MustParseAddr(addr), nil
	}
	return netip.Addr{}, errors.New("no such host")
}

func (r *resolver) IsOwn(addr netip.Addr) bool { return addr == netip.MustParseAddr("10.0.0.17") }

func (r *resolver) LookupAddr(_ context.Context, host string) (netip.Addr, error) {
	return r.lookup("dns", host, r.dns)
}

func (r *resolver) LookupName(_ context.Context, name string) (netip.Addr, error) {
	return r.lookup("name", name, r.names)
}

// sender is a transport that does what it is told.
type sender struct {
	do   func(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error)
	mu   sync.Mutex
	sent []sending
}

type sending struct {
	At   time.Time
	To   messngr.Device
	Text string
}

func (s *sender) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	s.mu.Lock()
	s.sent = append(s.sent, sending{time.Now(), to, m.Text})
	s.mu.Unlock()
	return s.do(ctx, to, m)
}

func (s *sender) calls() []sending {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// accepts takes everything.
func accepts() *sender {
	return &sender{do: func(context.Context, messngr.Device, *messngr.Message) (messngr.Evidence, error) {
		return messngr.Evidence{State: messngr.Accepted}, nil
	}}
}

// declines returns one error after the other, and the last one for ever.
func declines(errs ...error) *sender {
	var mu sync.Mutex
	return &sender{do: func(context.Context, messngr.Device, *messngr.Message) (messngr.Evidence, error) {
		mu.Lock()
		defer mu.Unlock()
		err := errs[0]
		if len(errs) > 1 {
			errs = errs[1:]
		}
		if err == nil {
			return messngr.Evidence{State: messngr.Accepted}, nil
		}
		return messngr.Evidence{}, err
	}}
}

func smb(s messngr.Sender) router.Route {
	return router.Route{Via: "smb", Sender: s, Best: messngr.Accepted}
}

func mailslot(s messngr.Sender) router.Route {
	return router.Route{Via: "mailslot", Sender: s, Group: true, Directed: true, Best: messngr.Sent}
}

func TestRunPrunes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{keep: store.Retention{Age: 90 * time.Minute}})
		h.accept(t, "old")
		h.run(t)
		time.Sleep(61 * time.Minute)
		h.accept(t, "new")
		time.Sleep(60 * time.Minute)
		if got := h.texts(t); !slices.Equal(got, []string{"new"}) {
			t.Errorf("the inbox holds %q, want only what is new", got)
		}
	})
}

// A flood is not kept until the hour is over.
func TestRunPrunesAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{keep: store.Retention{Count: 100}})
		h.run(t)
		for i := range 1000 {
			h.accept(t, fmt.Sprint(i))
			synctest.Wait()
			if n := len(h.inbox(t)); n > 110 {
				t.Fatalf("%d messages are kept, want 100 and a tenth", n)
			}
		}
	})
}

func TestRunFailsIfTheOutboxCannotBeRead(t *testing.T) {
	h := newHost(t, options{})
	h.store.on("Pending", fails)
	if err := h.Run(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("Run = %v, want the store's error", err)
	}
	if _, err := h.Send(t.Context(), router.Request{Principal: admin, To: []string{"PC17"}}); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("Send after the end of Run = %v, want ErrUnavailable", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	h := newHost(t, options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Run(ctx); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		for _, text := range []string{"one", "two", "three"} {
			h.accept(t, text)
		}
		texts := func(q store.Query) (list []string, last int64) {
			entries, err := h.Await(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				list, last = append(list, e.Message.Text), e.Seq
			}
			return list, last
		}
		got, last := texts(store.Query{Limit: 2})
		if !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("Await = %q, want the oldest two", got)
		}
		got, last = texts(store.Query{After: last})
		if !slices.Equal(got, []string{"three"}) {
			t.Errorf("Await = %q, want the rest", got)
		}
		time.AfterFunc(time.Hour, func() { h.accept(t, "four") })
		begin := time.Now()
		if got, _ = texts(store.Query{After: last}); !slices.Equal(got, []string{"four"}) || time.Since(begin) != time.Hour {
			t.Errorf("Await = %q after %v, want the new one when it comes", got, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if entries, err := h.Await(ctx, store.Query{After: 99}); err != nil || entries != nil {
			t.Errorf("Await = %v, %v at the end of the context, want nothing", entries, err)
		}
		h.store.on("Inbox", fails)
		if _, err := h.Await(t.Context(), store.Query{}); !errors.Is(err, errDisk) {
			t.Errorf("Await = %v, want the store's error", err)
		}
	})
}

func TestAwaitSeesOnlyWhatTheQuerySelects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		go func() {
			h.accept(t, "for everybody")
			in := inbound("for Alice")
			in.To = []string{"ALICE"}
			if _, err := h.Accept(t.Context(), in); err != nil {
				t.Error(err)
			}
		}()
		entries, err := h.Await(t.Context(), store.Query{Audiences: []string{"alice"}})
		if err != nil || len(entries) != 1 || entries[0].Message.Text != "for Alice" {
			t.Errorf("Await = %v, %v; want what is for Alice", entries, err)
		}
	})
}

func TestCounters(t *testing.T) {
	h := newHost(t, options{policy: policy.Config{TakePerSource: policy.Limit{Rate: 1e-6, Burst: 4}}})
	h.accept(t, "one")
	in := inbound("origin")
	in.Origin = "smb/1"
	for range 2 {
		_, _ = h.Accept(t.Context(), in)
	}
	h.Pause()
	_, _ = h.Accept(t.Context(), inbound("paused"))
	h.Continue()
	in = inbound("nobody")
	in.To = []string{"NOBODY"}
	_, _ = h.Accept(t.Context(), in)
	h.store.on("Take", fails)
	_, _ = h.Accept(t.Context(), inbound("failed"))
	_, _ = h.Accept(t.Context(), inbound("busy"))
	want := map[string]int64{
		"taken": 2, "copies": 0, "repeated": 1, "refused": 1, "busy": 1, "unknown_name": 1, "failed": 1,
		"shown": 0, "digests": 0, "sent": 0,
	}
	for name, n := range h.Counters() {
		if n != want[name] {
			t.Errorf("counter %s = %d, want %d", name, n, want[name])
		}
	}
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

var query store.Query

var addresses = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})

// allRoutes are those of a real host, which take everything.
func allRoutes() []router.Route {
	return []router.Route{smb(accepts()), mailslot(&sender{do: accepts().do})}
}
