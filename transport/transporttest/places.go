package transporttest

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
)

func testInbound(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		if _, err := alpha.send(t.Context(), toBeta(), "hello"); err != nil {
			t.Fatal(err)
		}
		got := beta.only(t)
		want := messngr.Inbound{
			Message: messngr.Message{
				From: messngr.From{Claimed: sender, Address: alpha.host.Addr()},
				To:   "BETA", Via: s.Kind.Name, Text: "hello",
			},
			To: []string{"BETA"},
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}),
			cmpopts.IgnoreFields(messngr.Inbound{}, "Origin", "Route")); diff != "" {
			t.Errorf("inbound (-want +got):\n%s", diff)
		}
		if len(got.Origin) > 255 {
			t.Errorf("origin has %d bytes, want at most 255", len(got.Origin))
		}
	})
}

func testAddress(t *testing.T, s Suite) {
	for name, to := range map[string]messngr.Device{
		"with its name": {Name: "BETA", Address: netip.MustParseAddr("10.77.0.2")},
		"alone":         {Address: netip.MustParseAddr("10.77.0.2")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alpha, beta := pair(t, s, take)
				ev, err := alpha.send(t.Context(), to, "hello")
				if err != nil {
					t.Fatal(err)
				}
				if ev.Address.Addr() != beta.host.Addr() {
					t.Errorf("went to %v, want %v", ev.Address, beta.host.Addr())
				}
				if got := beta.only(t); len(got.To) != 1 || got.To[0] != "BETA" || got.Group {
					t.Errorf("addressed to %q (group: %v), want BETA", got.To, got.Group)
				}
			})
		})
	}
}

func testGroup(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, s)
		machines := []*machine{n.add("ALPHA", take), n.add("BETA", take), n.add("GAMMA", take)}
		ev, err := machines[0].send(t.Context(), messngr.Device{Name: workgroup, Group: true}, "hello all")
		if err != nil || ev.State != s.Best {
			t.Errorf("evidence %+v, %v, want state %v", ev, err, s.Best)
		}
		for _, m := range machines {
			got := m.only(t)
			if !got.Group || len(got.To) != 1 || got.To[0] != workgroup || got.Message.Text != "hello all" {
				t.Errorf("%v got %q for %q (group: %v), want it for the group %s",
					m.host.Addr(), got.Message.Text, got.To, got.Group, workgroup)
			}
		}
	})
}

func testNoGroup(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		ev, err := alpha.send(t.Context(), messngr.Device{Name: workgroup, Group: true}, "hello all")
		if !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("evidence %+v, %v, want ErrUnavailable", ev, err)
		}
		if got := beta.inbox(); len(got) != 0 {
			t.Errorf("%d messages arrived, want none", len(got))
		}
	})
}

func testUnknown(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		for _, to := range []messngr.Device{{Name: "NOBODY"}, {Name: "A NAME THAT IS TOO LONG"}} {
			if _, err := alpha.send(t.Context(), to, "hello"); !errors.Is(err, messngr.ErrUnknownName) {
				t.Errorf("to %s: %v, want ErrUnknownName", to, err)
			}
		}
		// Whether a directed datagram finds its name, nobody learns.
		to := messngr.Device{Name: "NOBODY", Address: beta.host.Addr()}
		if _, err := alpha.send(t.Context(), to, "hello"); s.Answers && !errors.Is(err, messngr.ErrUnknownName) {
			t.Errorf("to %s at %v: %v, want ErrUnknownName", to, to.Address, err)
		}
		if got := beta.inbox(); len(got) != 0 {
			t.Errorf("%d messages arrived, want none", len(got))
		}
	})
}

func testOff(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		beta.stop()
		to := messngr.Device{Name: "BETA", Address: beta.host.Addr()}
		if ev, err := alpha.send(t.Context(), to, "hello"); s.Answers && !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("evidence %+v, %v, want ErrUnavailable", ev, err)
		}
		alpha.stop()
		if ev, err := alpha.send(t.Context(), to, "hello"); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("without a network: evidence %+v, %v, want ErrUnavailable", ev, err)
		}
	})
}
