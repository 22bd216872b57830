package router_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/router"
	"messngr/store"
)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

var query store.Query

var addresses = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})

// allRoutes are those of a real host, which take everything.
func allRoutes() []router.Route {
	return []router.Route{smb(accepts()), mailslot(&sender{do: accepts().do})}
}

func TestSendExpandsRecipients(t *testing.T) {
	name := func(name string) messngr.Device { return messngr.Device{Name: name} }
	at := func(name, addr string) messngr.Device { return messngr.Device{Name: name, Address: ip(addr)} }
	group := func(name string) messngr.Device { return messngr.Device{Name: name, Group: true} }
	tests := []struct {
		to      string
		address string
		want    messngr.Device
		via     string // of the attempt
		lookups string
	}{
		{to: "pc18", want: name("PC18"), via: "smb"},
		{to: " Müller ", want: name("MÜLLER"), via: "smb"},
		{to: "pc18", address: "10.0.0.18", want: at("PC18", "10.0.0.18"), via: "smb"},
		{to: "pc17", want: name("PC17"), via: "local"},
		{to: "alice", want: name("ALICE"), via: "local"},
		{to: "pc17", address: "10.0.0.99", want: at("PC17", "10.0.0.99"), via: "smb"},
		{to: "10.0.0.18", want: at("", "10.0.0.18"), via: "smb"},
		{to: "::ffff:10.0.0.18", want: at("", "10.0.0.18"), via: "smb"},
		{to: "pc18.example.com", want: at("", "10.0.0.18"), via: "smb", lookups: "dns pc18.example.com"},
		{to: "john.doe", want: name("JOHN.DOE"), via: "smb", lookups: "dns john.doe"},
		{to: "john.doe", address: "10.0.0.18", want: at("JOHN.DOE", "10.0.0.18"), via: "smb"},
		{to: "*", want: group("WORKGROUP"), via: "mailslot"},
		{to: "Everyone", want: group("WORKGROUP"), via: "mailslot"},
		{to: "/DOMAIN", want: group("WORKGROUP"), via: "mailslot"},
		{to: "/domain:sales", want: group("SALES"), via: "mailslot"},
		{to: "alice@10.0.0.18", want: at("ALICE", "10.0.0.18"), via: "smb"},
		{to: "alice@pc18", want: at("ALICE", "10.0.0.18"), via: "smb", lookups: "name PC18"},
		{to: "john.doe@pc18", want: at("JOHN.DOE", "10.0.0.18"), via: "smb", lookups: "name PC18"},
		{to: "alice@fs01", want: at("ALICE", "10.0.0.1"), via: "smb", lookups: "name FS01,dns fs01"},
		{to: "alice@pc18.example.com", want: at("ALICE", "10.0.0.18"), via: "smb", lookups: "dns pc18.example.com"},
		{to: "alice@pc18", address: "10.0.0.7", want: at("ALICE", "10.0.0.7"), via: "smb"},
		{to: "alice@localhost", want: name("ALICE"), via: "local"},
		{to: "alice@127.0.0.1", want: name("ALICE"), via: "local"},
		{to: "alice@pc17", want: name("ALICE"), via: "local"},
	}
	for _, tt := range tests {
		t.Run(tt.to, func(t *testing.T) {
			h := newHost(t, options{routes: allRoutes()})
			h.resolver.dns = map[string]string{"pc18.example.com": "10.0.0.18", "fs01": "10.0.0.1"}
			h.resolver.names = map[string]string{"PC18": "10.0.0.18"}
			h.run(t)
			req := router.Request{Principal: admin, To: []string{tt.to}}
			if tt.address != "" {
				req.Address = ip(tt.address)
			}
			sent, err := h.Send(t.Context(), req)
			if err != nil || len(sent.Recipients) != 1 {
				t.Fatalf("Send = %+v, %v", sent, err)
			}
			got := sent.Recipients[0]
			if diff := cmp.Diff(tt.want, got.Device, addresses); diff != "" {
				t.Errorf("device (-want +got):\n%s", diff)
			}
			if got.To != strings.TrimSpace(tt.to) || len(got.Attempts) != 1 || got.Attempts[0].Via != tt.via {
				t.Errorf("got %+v, want one attempt by %s", got, tt.via)
			}
			if asked := strings.Join(h.resolver.asked, ","); asked != tt.lookups {
				t.Errorf("looked up %q, want %q", asked, tt.lookups)
			}
		})
	}
}

// Whoever cannot be found does not keep the message from the others.
func TestSendToSomebodyWhoCannotBeFound(t *testing.T) {
	h := newHost(t, options{routes: allRoutes()})
	h.run(t)
	sent, err := h.Send(t.Context(), router.Request{Principal: admin, To: []string{"alice@pc99", "PC18", "a-long-name.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{false, true, false}, sent.Reached); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
	}
	for _, i := range []int{0, 2} {
		to := &sent.Recipients[i]
		if to.State() != messngr.Failed || to.Attempts[0].Code != "unknown_name" || !strings.Contains(to.Attempts[0].Failure, "no such host") {
			t.Errorf("%s: %v because of %+v, want that it was not found", to.To, to.State(), to.Attempts)
		}
	}
}

func TestSendLooksUpRecipientsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{routes: allRoutes()})
		h.run(t)
		h.resolver.delay = 2 * time.Second
		begin := time.Now()
		_, err := h.Send(t.Context(), router.Request{Principal: admin, To: []string{"a.example.com", "b.example.com", "c.example.com"}})
		if d := time.Since(begin); err != nil || d != 2*time.Second {
			t.Errorf("Send = %v after %v, want three lookups at the same time", err, d)
		}
	})
}

func TestSendToUsers(t *testing.T) {
	send := func(t *testing.T, h *host) (router.Sent, error) {
		h.run(t)
		return h.Send(t.Context(), router.Request{Principal: admin, To: []string{"/users"}})
	}
	t.Run("all", func(t *testing.T) {
		h := newHost(t, options{routes: allRoutes()})
		h.sessions.list = []string{"alice", "carol", "10.0.0.18", "somebody-with-a-long-name"}
		sent, err := send(t, h)
		if err != nil || !sent.AllReached() {
			t.Errorf("Send = %+v, %v", sent, err)
		}
		var got []string
		for _, to := range sent.Recipients {
			got = append(got, to.To+" "+to.Device.String()+" "+to.Attempts[0].Via)
		}
		want := []string{
			"alice ALICE local", "carol CAROL smb", "10.0.0.18 10.0.0.18 smb",
			"somebody-with-a-long-name somebody-with-a-long-name local", // no message name, but a person
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("recipients (-want +got):\n%s", diff)
		}
		var audiences []string
		for _, e := range h.inbox(t) {
			audiences = append(audiences, e.Message.Audience)
		}
		slices.Sort(audiences)
		if diff := cmp.Diff([]string{"alice", "somebody-with-a-long-name"}, audiences); diff != "" {
			t.Errorf("stored for (-want +got):\n%s", diff)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		h := newHost(t, options{routes: allRoutes()})
		h.sessions.list = nil
		sent, err := send(t, h)
		if err != nil || sent.AllReached() || !strings.Contains(sent.Recipients[0].Attempts[0].Failure, "nobody has an open session") {
			t.Errorf("Send = %+v, %v; want that nobody is there", sent, err)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		h := newHost(t, options{routes: allRoutes()})
		h.sessions.err = errors.New("no logind")
		if _, err := send(t, h); !errors.Is(err, messngr.ErrUnavailable) || !errors.Is(err, h.sessions.err) {
			t.Errorf("Send = %v, want that the sessions cannot be listed", err)
		}
	})
	t.Run("too many", func(t *testing.T) {
		h := newHost(t, options{routes: allRoutes()})
		h.sessions.list = strings.Split(strings.Repeat("alice,", 1001), ",")[:1001]
		var misuse *router.Misuse
		if _, err := send(t, h); !errors.As(err, &misuse) {
			t.Errorf("Send = %v, want a Misuse", err)
		}
	})
}

func TestOnlyAdministratorsSendToMany(t *testing.T) {
	h := newHost(t, options{routes: allRoutes()})
	h.run(t)
	for _, to := range []string{"*", "everyone", "/domain", "/domain:WORKGROUP", "/users"} {
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
