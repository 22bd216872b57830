//go:build linux

package interop_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
)

// Samba to Samba: proves the lab, before anything of ours is judged in it.
func TestSambaAlone(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	version, err := samba.Version(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Samba %s", version)
	alpha := peer(ctx, t, hosts[0], samba.Options{})
	beta := peer(ctx, t, hosts[1], samba.Options{MinProtocol: "NT1"}, smbd, nmbd)
	if err := alpha.Send(ctx, "BETA", "alice", "by address\n", "-I", hosts[1].Addr().String()); err != nil {
		t.Fatal(err)
	}
	if err := alpha.Send(ctx, "BETA", "alice", "by name\nüber zwei Zeilen\n"); err != nil {
		t.Fatal(err)
	}
	got, err := beta.Received(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []samba.Message{
		{From: "alice", Text: "by address\n", Address: "10.77.0.1"},
		{From: "alice", Text: "by name\nüber zwei Zeilen\n", Address: "10.77.0.1"},
	} {
		if got[i] != want {
			t.Errorf("message %d: got %+q, want %+q", i, got[i], want)
		}
	}
}

// A Samba with its default settings refuses messages: the harness must see that through smbclient's exit code 0.
func TestSambaAloneRefuses(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	alpha := peer(ctx, t, hosts[0], samba.Options{})
	beta := peer(ctx, t, hosts[1], samba.Options{}, smbd)
	if err := alpha.Send(ctx, "BETA", "alice", "hello\n", "-I", hosts[1].Addr().String()); err == nil {
		t.Error("smbclient reported no failure")
	}
	if n, err := beta.Quiet(time.Second); n != 0 || err != nil {
		t.Errorf("%d messages arrived, %v", n, err)
	}
}

// site is a network with our program on ALPHA and a Samba on BETA that find each other in one way.
type site struct {
	ours    *program.Program
	theirs  *samba.Samba
	address []string // what smbclient needs to know beside the name
	at      []string // and what our send needs
}

// sites are the ways in which two machines find each other. page is the code page of both.
var sites = map[string]func(ctx context.Context, t *testing.T, page string) site{
	"address": func(ctx context.Context, t *testing.T, page string) site {
		hosts := lan(t, "alpha", "beta")
		watch(ctx, t, hosts[0])
		ours, _ := serve(ctx, t, hosts[0], codePage(page))
		theirs := peer(ctx, t, hosts[1], options(page), smbd)
		return site{ours, theirs, []string{"-I", hosts[0].Addr().String()}, []string{"--at", hosts[1].Addr().String()}}
	},
	"broadcast": func(ctx context.Context, t *testing.T, page string) site {
		hosts := lan(t, "alpha", "beta")
		watch(ctx, t, hosts[0])
		ours, _ := serve(ctx, t, hosts[0], codePage(page))
		return site{ours: ours, theirs: peer(ctx, t, hosts[1], options(page), smbd, nmbd)}
	},
	// With a router between them no broadcast helps.
	"WINS": func(ctx context.Context, t *testing.T, page string) site {
		l := labtest.New(t, append(samba.Programs(), "tcpdump", "tshark")...)
		near, far := labtest.Subnet(t, l, "10.77.0.0/24"), labtest.Subnet(t, l, "10.78.0.0/24")
		here, there := labtest.Hosts(t, near, "alpha", "wins"), labtest.Hosts(t, far, "beta")
		if _, err := l.Router(near, far); err != nil {
			t.Fatal(err)
		}
		watch(ctx, t, here[0])
		peer(ctx, t, here[1], samba.Options{WINSSupport: true}, nmbd)
		wins := here[1].Addr()
		ours, _ := serve(ctx, t, here[0], codePage(page), "--wins", wins.String())
		if out, stderr, err := here[0].Output(ctx, ours.Path(), "policy", "allow", far.Prefix().String()); err != nil {
			t.Fatalf("policy allow: %v: %s%s", err, out, stderr)
		}
		o := options(page)
		o.WINS = wins
		theirs := peer(ctx, t, there[0], o, smbd, (*samba.Samba).StartNMBD)
		registered(ctx, t, theirs, wins, "ALPHA", here[0].Addr())
		registered(ctx, t, theirs, wins, "BETA", there[0].Addr())
		return site{ours: ours, theirs: theirs, address: []string{"-R", "wins"}}
	},
}

// registered waits until the WINS server knows a messenger name.
func registered(ctx context.Context, t *testing.T, s *samba.Samba, wins netip.Addr, name string, addr netip.Addr) {
	t.Helper()
	var found []netip.Addr
	if err := lab.Until(ctx, func() (err error) {
		found, err = s.Lookup(ctx, name+"#03", "--recursion", "-U", wins.String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found, []netip.Addr{addr}) {
		t.Fatalf("WINS has %s<03> at %v, want %v", name, found, addr)
	}
}

func codePage(page string) string {
	if page == "" {
		return ""
	}
	return "code_page = \"" + page + "\"\n"
}

func options(page string) samba.Options {
	o := samba.Options{MinProtocol: "NT1"}
	if page != "" {
		o.Lines = []string{"dos charset = CP" + page}
	}
	return o
}

// Everything that smbclient can say arrives as it was typed, whatever the code page: what a page lacks smbclient sends
// as UTF-8.
func TestFromSamba(t *testing.T) {
	t.Parallel()
	for way, build := range sites {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			ctx := labtest.Context(t, 2*time.Minute)
			s := build(ctx, t, "")
			for i, test := range texts {
				if err := s.theirs.Send(ctx, "ALPHA", "alice", test.text, s.address...); err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				got, err := s.ours.Received(ctx, i+1)
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				m := got[i]
				if !same(m.Text, test.text) {
					t.Errorf("%s: got %q, want %q", test.name, first(m.Text), first(test.text))
				}
				if m.From != "alice" || m.To != "ALPHA" || m.Via != "smb" || m.Trust != "unverified" ||
					m.Address != s.theirs.Host().Addr().String() || m.Level == "" || m.ID == "" ||
					time.Since(m.ReceivedAt).Abs() > time.Minute {
					t.Errorf("%s: got %+v", test.name, m)
				}
			}
		})
	}
}

// Everything that the code page of both sides can say arrives at Samba as it was typed.
func TestToSamba(t *testing.T) {
	t.Parallel()
	for way, build := range sites {
		for _, page := range []string{"", "858", "866"} {
			if way != "address" && page != "" {
				continue // how a machine is found does not change its code page
			}
			t.Run(way+page, func(t *testing.T) {
				t.Parallel()
				ctx := labtest.Context(t, 2*time.Minute)
				s := build(ctx, t, page)
				var sent []string
				for _, test := range slices.Concat(texts, longTexts) {
					if test.page != "" && test.page != page && (page != "" || test.page != "850") {
						continue
					}
					outcomes, code, err := s.ours.Send(ctx, test.text, append(s.at, "--as", "alice", "BETA")...)
					if err != nil {
						t.Fatalf("%s: %v", test.name, err)
					}
					want := program.Outcome{To: "BETA", State: "accepted", Via: "smb", Address: s.theirs.Host().Addr().String()}
					if code != 0 || len(outcomes) != 1 || outcomes[0] != want {
						t.Errorf("%s: got %+v, exit code %d, want %+v", test.name, outcomes, code, want)
						continue
					}
					sent = append(sent, test.text)
				}
				got, err := s.theirs.Received(ctx, len(sent))
				if err != nil {
					t.Fatal(err)
				}
				for i, want := range sent {
					if !same(got[i].Text, want) || got[i].From != "alice" {
						t.Errorf("got %q from %s, want %q", first(got[i].Text), got[i].From, first(want))
					}
				}
			})
		}
	}
}

// longTexts are longer than smbclient can send.
var longTexts = []struct{ name, text, page string }{
	{"64,000 bytes", numbered(64_000), ""},
}

func TestWrongNameFromSamba(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	s := sites["address"](ctx, t, "")
	if err := s.theirs.Send(ctx, "NOSUCH", "alice", "hello\n", s.address...); err == nil {
		t.Error("smbclient is told that a message to a name that is not ours arrived")
	}
	if err := s.theirs.Send(ctx, "ALPHA", "alice", "good\n", s.address...); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	got, err := s.ours.Received(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !same(got[0].Text, "good") {
		t.Errorf("got %+v, want the good one alone", got)
	}
}

func TestWrongNameToSamba(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	s := sites["broadcast"](ctx, t, "")
	began := time.Now()
	outcomes, code, err := s.ours.Send(ctx, "hello", "NOSUCH,BETA")
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != 2 || code != 1 {
		t.Fatalf("got %+v, exit code %d", outcomes, code)
	}
	if o := outcomes[0]; o.To != "NOSUCH" || o.State != "failed" || o.Error == "" {
		t.Errorf("got %+v", o)
	}
	if o := outcomes[1]; o.To != "BETA" || o.State != "accepted" {
		t.Errorf("got %+v", o)
	}
	// Three questions, 250 ms apart, and time to hear the answer to the last.
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to find that nobody has the name", took)
	}
}

// A Samba of today refuses messages by hanging up. Whoever sends must learn what to change, and nothing is tried twice
// without end.
func TestToSambaWithDefaults(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	watch(ctx, t, hosts[0])
	ours, _ := serve(ctx, t, hosts[0], "")
	theirs := peer(ctx, t, hosts[1], samba.Options{}, smbd)
	outcomes, code, err := ours.Send(ctx, "hello", "--at", hosts[1].Addr().String(), "BETA")
	if err != nil {
		t.Fatal(err)
	}
	if code != 1 || len(outcomes) != 1 || outcomes[0].State != "failed" || !strings.Contains(outcomes[0].Error, "server min protocol") {
		t.Errorf("got %+v, exit code %d", outcomes, code)
	}
	_, stderr, err := hosts[0].Output(ctx, ours.Path(), "send", "--at", hosts[1].Addr().String(), "BETA", "hello")
	if err == nil || !strings.Contains(stderr, "server min protocol") {
		t.Errorf("a person is told %q, which does not name the setting", stderr)
	}
	if n, err := theirs.Quiet(time.Second); n != 0 || err != nil {
		t.Errorf("%d messages arrived, %v", n, err)
	}
}
