package router_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/names"
	"messngr/router"
	"messngr/store"
	"messngr/wire/netbios"
)

func state(s messngr.State) *messngr.State { return &s }

func TestSendAsSomebody(t *testing.T) {
	h := newHost(t, options{routes: allRoutes()})
	h.run(t)
	// Alice has another name, and the machine has one.
	carol := messngr.Principal{UID: 4010001, Login: `WARD\carol`}
	domainRoot := messngr.Principal{UID: 4010003, Login: `WARD\root`}
	h.sessions.accounts = []string{"root"}
	namesake := messngr.Principal{UID: 4010002, Login: `WARD\alice`}
	e := names.Entry{Name: "HELPDESK", Suffix: netbios.Messenger, Kind: names.Alias, User: "alice"}
	if err := h.names.Own(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who  messngr.Principal
		from string
		want string // claimed; "": refused
	}{
		{alice, "", "alice"},
		{alice, "ALICE", "ALICE"},
		{alice, "helpdesk", "helpdesk"},
		{alice, "BACKUP", ""}, // the machine's
		{alice, "PC17", ""},
		{alice, "bob", ""},
		{alice, "root", ""},
		{bob, "alice", ""},
		{bob, "HELPDESK", ""},
		{carol, "", "carol"}, // without the domain
		{carol, "Carol", "Carol"},
		{carol, `WARD\carol`, `WARD\carol`},
		{carol, "WARD", ""},
		{namesake, "", `WARD\alice`}, // Alice goes by that name
		{namesake, "alice", ""},
		{domainRoot, "", `WARD\root`}, // root is somebody of this host
		{domainRoot, "root", ""},
		{admin, "FS01", "FS01"},
		{admin, "", "root"},
	} {
		sent, err := h.Send(t.Context(), router.Request{Principal: tt.who, From: tt.from, To: []string{"PC18"}})
		if tt.want == "" {
			if !errors.Is(err, messngr.ErrRefused) {
				t.Errorf("%s as %q: %v, want ErrRefused", tt.who.Login, tt.from, err)
			}
			continue
		}
		want := messngr.From{Claimed: tt.want, Proven: tt.who.Login, Trust: messngr.Vouched}
		if err != nil || sent.Message.From != want || sent.Owner != tt.who.Login {
			t.Errorf("%s as %q: %+v of %s, %v; want %+v", tt.who.Login, tt.from, sent.Message.From, sent.Owner, err, want)
		}
	}
}

func TestSendKeepsItsBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{routes: allRoutes()})
		h.run(t)
		sent, err := h.Send(t.Context(), router.Request{
			Principal: alice, To: []string{"PC18", "alice"}, Message: messngr.Message{Text: "Lunch?"},
		})
		if err != nil || !sent.AllReached() {
			t.Fatalf("Send = %+v, %v", sent, err)
		}
		got, err := h.store.SentMessage(t.Context(), sent.Message.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, sent.Outgoing, addresses); diff != "" {
			t.Errorf("told (-stored +told):\n%s", diff)
		}
		if m := got.Message; m.To != "PC18,alice" || m.Text != "Lunch?" || !m.Time.Equal(time.Now()) || got.Owner != "alice" {
			t.Errorf("stored %+v of %s", m, got.Owner)
		}
		if n := h.Counters()["sent"]; n != 1 {
			t.Errorf("counted %d", n)
		}
	})
}

func TestSendThatCannotBeStored(t *testing.T) {
	s := accepts()
	h := newHost(t, options{routes: []router.Route{smb(s)}})
	h.run(t)
	h.store.on("Queue", fails)
	if _, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}}); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("Send = %v, want ErrUnavailable", err)
	}
	if len(s.calls()) != 0 {
		t.Error("it was sent without being stored")
	}
}

// Whoever is told that nothing was sent sends it again.
func TestSendWhoseOutcomeCannotBeRead(t *testing.T) {
	h := newHost(t, options{routes: []router.Route{smb(accepts())}})
	h.run(t)
	h.store.on("SentMessage", fails)
	_, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}})
	if code := messngr.Code(err); code != "uncertain" {
		t.Errorf("Send = %v, which is called %q; want uncertain", err, code)
	}
}

func TestSendBeforeTheServiceHasStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{routes: allRoutes()})
		if _, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}}); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("Send = %v, want ErrUnavailable", err)
		}
		var early sync.WaitGroup
		early.Go(func() {
			sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}})
			if err != nil || !sent.AllReached() {
				t.Errorf("Send = %+v, %v; want that it waits for the start", sent, err)
			}
		})
		time.Sleep(time.Second)
		h.run(t)
		early.Wait()
	})
}

// A message that was sent while the service started is not one that the last run
// left, and goes out once.
func TestSendWhileTheServiceStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{do: func(context.Context, messngr.Device, *messngr.Message) (messngr.Evidence, error) {
			time.Sleep(time.Second)
			return messngr.Evidence{State: messngr.Accepted}, nil
		}}
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		h.store.on("Pending", func() error { time.Sleep(time.Second); return nil })
		h.run(t)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}})
				if err != nil || !sent.AllReached() {
					t.Errorf("Send = %+v, %v", sent, err)
				}
			})
		}
		all.Wait()
		if n := len(s.calls()); n != 3 {
			t.Errorf("%d attempts for three messages", n)
		}
	})
}

func TestSendWaitsForTheState(t *testing.T) {
	hangs := &sender{do: func(ctx context.Context, _ messngr.Device, _ *messngr.Message) (messngr.Evidence, error) {
		<-ctx.Done()
		return messngr.Evidence{}, errors.Join(messngr.ErrUnavailable, ctx.Err())
	}}
	slow := func(best messngr.State) *sender {
		return &sender{do: func(context.Context, messngr.Device, *messngr.Message) (messngr.Evidence, error) {
			time.Sleep(2 * time.Second)
			return messngr.Evidence{State: best}, nil
		}}
	}
	tests := []struct {
		name    string
		route   router.Route
		want    *messngr.State
		wait    bool
		state   messngr.State
		reached bool
		after   time.Duration
	}{
		{"best of the route", smb(slow(messngr.Accepted)), nil, false, messngr.Accepted, true, 2 * time.Second},
		{"no receipt", router.Route{Via: "m", Sender: slow(messngr.Sent), Best: messngr.Sent}, nil, false, messngr.Sent, true, 2 * time.Second},
		{"less than the best", smb(slow(messngr.Sent)), nil, false, messngr.Sent, false, 2 * time.Second},
		{"less is wanted", smb(slow(messngr.Sent)), state(messngr.Sent), false, messngr.Sent, true, 2 * time.Second},
		{"nothing is wanted", smb(slow(messngr.Accepted)), state(messngr.Queued), false, messngr.Queued, true, 0},
		{"more than it can ever report", smb(slow(messngr.Accepted)), state(messngr.Displayed), false, messngr.Accepted, false, 2 * time.Second},
		{"a receipt may come", router.Route{Via: "s", Sender: slow(messngr.Delivered), Best: messngr.Delivered, Rich: true}, state(messngr.Displayed), false, messngr.Delivered, false, 10 * time.Second},
		{"refused", smb(declines(messngr.ErrRefused)), nil, false, messngr.Refused, false, 0},
		{"refused, nothing wanted", smb(declines(messngr.ErrRefused)), state(messngr.Queued), false, messngr.Queued, true, 0},
		{"hangs", smb(hangs), nil, false, messngr.Failed, false, 10 * time.Second},
		{"hangs, and may wait", smb(hangs), nil, true, messngr.Queued, false, 10 * time.Second},
		{"waits for a route", smb(declines(messngr.ErrUnavailable)), nil, true, messngr.Queued, false, 10 * time.Second},
		{"finds a route", smb(declines(messngr.ErrUnavailable, nil)), nil, true, messngr.Accepted, true, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t, options{routes: []router.Route{tt.route}})
				h.run(t)
				req := router.Request{Principal: alice, To: []string{"PC18"}, Want: tt.want, Wait: tt.wait}
				if tt.wait {
					req.Message.Expires = time.Now().Add(time.Hour)
				}
				begin := time.Now()
				sent, err := h.Send(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if got := sent.Recipients[0].State(); got != tt.state || sent.Reached[0] != tt.reached {
					t.Errorf("state %v, reached %v; want %v, %v", got, sent.Reached[0], tt.state, tt.reached)
				}
				if d := time.Since(begin); d != tt.after {
					t.Errorf("it took %v, want %v", d, tt.after)
				}
			})
		})
	}
}

// Evidence that comes later counts, also for the part of the message that is
// here already.
func TestSendWaitsForReceipts(t *testing.T) {
	for want, after := range map[messngr.State]time.Duration{
		messngr.Delivered: 0, messngr.Displayed: 3 * time.Second, messngr.Acknowledged: 5 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, options{})
			h.run(t)
			h.show(t, &display{do: func(ctx context.Context, _ *messngr.Message) error {
				time.Sleep(3*time.Second - 200*time.Millisecond) // and the mark takes some time
				return nil
			}})
			time.AfterFunc(5*time.Second, func() {
				for _, e := range h.inbox(t) {
					if n, err := h.Mark(t.Context(), alice, store.Acknowledged, e.Message.ID); n != 1 || err != nil {
						t.Errorf("Mark = %d, %v", n, err)
					}
				}
			})
			begin := time.Now()
			sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"alice"}, Want: &want})
			if err != nil || !sent.AllReached() || time.Since(begin) != after {
				t.Errorf("%s: %v, %v after %v; want it after %v", want, sent.Reached, err, time.Since(begin), after)
			}
		})
	}
}

// Whoever asked may hang up; the message goes on.
func TestSendGoesOnForSomebodyWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{do: func(ctx context.Context, _ messngr.Device, _ *messngr.Message) (messngr.Evidence, error) {
			select {
			case <-ctx.Done():
				return messngr.Evidence{}, messngr.ErrUnavailable
			case <-time.After(5 * time.Second):
				return messngr.Evidence{State: messngr.Accepted}, nil
			}
		}}
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		h.run(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		sent, err := h.Send(ctx, router.Request{Principal: alice, To: []string{"PC18"}})
		if err != nil || time.Since(begin) != time.Second || sent.AllReached() {
			t.Errorf("Send = %+v, %v after %v; want it to end with its context", sent, err, time.Since(begin))
		}
		time.Sleep(5 * time.Second)
		out, err := h.store.SentMessage(t.Context(), sent.Message.ID)
		if err != nil || out.Recipients[0].State() != messngr.Accepted {
			t.Errorf("the message is %v, %v; want it accepted", out.Recipients[0].State(), err)
		}
	})
}

func TestSendChoosesRoutes(t *testing.T) {
	for _, tt := range []struct{ to, via, want string }{
		{"PC18", "", "smb"},
		{"PC18", "smb", "smb"},
		{"PC18", "mailslot", "mailslot"}, // directed, because it was asked for
		{"everyone", "", "mailslot"},
		{"everyone", "smb", ""},
		{"everyone", "local", "local"}, // where no such name is
		{"PC17", "", "local"},
		{"PC17", "smb", "smb"},
		{"PC18", "local", "local"},
		{"10.0.0.18", "local", "local"},
	} {
		h := newHost(t, options{routes: allRoutes()})
		h.run(t)
		sent, err := h.Send(t.Context(), router.Request{Principal: admin, To: []string{tt.to}, Via: tt.via})
		if err != nil || len(sent.Recipients[0].Attempts) != 1 {
			t.Fatalf("%s by %q: %+v, %v", tt.to, tt.via, sent, err)
		}
		if a := sent.Recipients[0].Attempts[0]; a.Via != tt.want {
			t.Errorf("%s by %q: %+v, want %q", tt.to, tt.via, a, tt.want)
		}
	}
}

// A route that shows messages to more people than others is tried only if it is asked for.
func TestRoutesThatAreAskedFor(t *testing.T) {
	asked := accepts()
	routes := []router.Route{smb(declines(messngr.ErrUnavailable)), {Via: "rwall", Sender: asked, Asked: true, Best: messngr.Accepted}}
	h := newHost(t, options{routes: routes})
	h.run(t)
	for via, want := range map[string]string{"": "smb", "rwall": "rwall"} {
		sent, err := h.Send(t.Context(), router.Request{Principal: admin, To: []string{"PC18"}, Via: via})
		if err != nil || len(sent.Recipients[0].Attempts) != 1 {
			t.Fatalf("by %q: %+v, %v", via, sent, err)
		}
		if a := sent.Recipients[0].Attempts[0]; a.Via != want {
			t.Errorf("by %q: %+v, want %q", via, a, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	h := newHost(t, options{routes: allRoutes()})
	if diff := cmp.Diff([]string{"local", "smb", "mailslot"}, h.Routes()); diff != "" {
		t.Errorf("Routes (-want +got):\n%s", diff)
	}
}

// The same message goes by as many routes as its recipients need. Whoever cannot be found
// does not keep it from the others.
func TestSendToManyKinds(t *testing.T) {
	h := newHost(t, options{routes: allRoutes()})
	h.resolver.dns = map[string]string{"pc18.example.com": "10.0.0.18"}
	h.sessions.list = []string{"alice", "10.0.0.19", "somebody-with-a-long-name"}
	h.run(t)
	sent, err := h.Send(t.Context(), router.Request{
		Principal: admin, To: []string{"pc18", "pc17", "10.0.0.18", "pc18.example.com", "*", "alice@pc99", "alice@localhost", "/users"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range sent.Recipients {
		to := &sent.Recipients[i]
		got = append(got, fmt.Sprintf("%s: %v by %q", to.To, to.State(), to.Attempts[0].Via))
	}
	want := []string{
		`pc18: accepted by "smb"`, `pc17: delivered by "local"`, `10.0.0.18: accepted by "smb"`, `pc18.example.com: accepted by "smb"`,
		`*: accepted by "mailslot"`, `alice@pc99: failed by ""`, `alice@localhost: delivered by "local"`,
		`alice: delivered by "local"`, `10.0.0.19: accepted by "smb"`, `somebody-with-a-long-name: delivered by "local"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	if lost := sent.Recipients[5].Attempts[0]; lost.Code != "unknown_name" || !strings.Contains(lost.Failure, "no such host") {
		t.Errorf("it failed because of %+v, want that it was not found", lost)
	}
}

func TestOnlyAdministratorsSendToMany(t *testing.T) {
	h := newHost(t, options{routes: allRoutes()})
	h.run(t)
	for _, to := range []string{"*", "/users"} {
		_, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18", to}})
		if !errors.Is(err, messngr.ErrRefused) {
			t.Errorf("Send to %s = %v, want ErrRefused", to, err)
		}
	}
	// To write to everybody who is logged in here is anybody's right.
	if _, err := h.Send(t.Context(), router.Request{Principal: alice, Wall: true}); err != nil {
		t.Errorf("wall = %v", err)
	}
	if sent, err := h.store.Sent(t.Context(), query); err != nil || len(sent) != 1 {
		t.Errorf("stored %v, %v; want the last one alone", sent, err)
	}
}
