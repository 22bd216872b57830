package mailslot_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/transport/mailslot"
	"messngr/wire/netbios"
	"messngr/wire/smb"
)

// network is a NetBIOS network with hand-made answers; what it lacks is not asked.
type network struct {
	carrier.NetBIOS
	take  func(carrier.Datagram)
	names []carrier.NameEntry
	addrs []netip.Addr
	fail  error // of everything
	sent  []string
	last  []byte
}

func (n *network) HandleDatagrams(take func(carrier.Datagram)) { n.take = take }

func (n *network) Status(context.Context, netip.Addr) ([]carrier.NameEntry, error) {
	return n.names, n.fail
}

func (n *network) Resolve(context.Context, netbios.Name) ([]netip.Addr, error) {
	return n.addrs, n.fail
}

func (n *network) SendDatagram(_ context.Context, addr netip.Addr, to, from netbios.Name, data []byte) error {
	if n.fail != nil {
		return n.fail
	}
	n.sent = append(n.sent, fmt.Sprintf("%s to %s at %v", from, to, addr))
	n.last = data
	return nil
}

func nameOf(t testing.TB, label string, suffix netbios.Suffix) netbios.Name {
	t.Helper()
	n, err := netbios.New(label, suffix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var source = netip.MustParseAddrPort("10.77.0.1:138")

// receiver is the transport of the machine BETA on two networks, and what it got.
type receiver struct {
	networks [2]*network
	mu       sync.Mutex
	got      []messngr.Inbound
	block    chan struct{} // closed, or what holds up the store
}

func receive(t *testing.T, adjust func(*transport.Env)) *receiver {
	t.Helper()
	r := &receiver{networks: [2]*network{{}, {}}, block: make(chan struct{})}
	close(r.block)
	env := transport.Env{NetBIOS: []carrier.NetBIOS{r.networks[0], r.networks[1]}, Host: "BETA", Workgroup: "LAB"}
	if adjust != nil {
		adjust(&env)
	}
	part, err := mailslot.New(env, *mailslot.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		_ = part.Receive(ctx, func(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
			<-r.block
			r.mu.Lock()
			defer r.mu.Unlock()
			r.got = append(r.got, in)
			return nil, messngr.ErrRefused
		})
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return r
}

func (r *receiver) inbox() []messngr.Inbound {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// write is what a datagram carries that writes data to the Messenger service's mailslot.
func write(t testing.TB, data string) []byte {
	t.Helper()
	b, err := smb.MailslotWrite{Name: `\MAILSLOT\MESSNGR`, Priority: 1, Data: []byte(data)}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// datagram is what everybody in the workgroup gets.
func datagram(t testing.TB, data string) carrier.Datagram {
	return carrier.Datagram{
		To: nameOf(t, "LAB", netbios.Workstation), From: nameOf(t, "ALPHA", netbios.Messenger), Group: true,
		Source: source, Interface: "eth0", Data: write(t, data),
	}
}

func TestInbound(t *testing.T) {
	direct := func(name netbios.Name) func(*carrier.Datagram) {
		return func(d *carrier.Datagram) { d.To, d.Group = name, false }
	}
	message := func(claimed, to, text string) messngr.Message {
		return messngr.Message{
			From: messngr.From{Claimed: claimed, Address: source.Addr()}, To: to, Via: "mailslot", Text: text,
		}
	}
	tests := []struct {
		name   string
		data   string
		adjust func(*carrier.Datagram)
		want   messngr.Inbound
	}{
		{"to the workgroup", "ALICE\x00LAB\x00hi\x00", nil,
			messngr.Inbound{Message: message("ALICE", "LAB", "hi"), To: []string{"LAB"}, Group: true}},
		{"to another group of ours", "ALICE\x00*\x00hi\x00", func(d *carrier.Datagram) { d.To = nameOf(t, "OTHER", netbios.Workstation) },
			messngr.Inbound{Message: message("ALICE", "*", "hi"), To: []string{"OTHER"}, Group: true}},
		{"to everybody", "ALICE\x00*\x00hi\x00", func(d *carrier.Datagram) { d.To = netbios.Wildcard() },
			messngr.Inbound{Message: message("ALICE", "*", "hi"), To: []string{"LAB"}, Group: true}},
		{"to a user", "ALICE\x00bob\x00hi\x00", direct(nameOf(t, "BOB", netbios.Messenger)),
			messngr.Inbound{Message: message("ALICE", "bob", "hi"), To: []string{"BOB"}}},
		{"to the machine", "ALICE\x00BETA\x00hi\x00", direct(nameOf(t, "BETA", netbios.Workstation)),
			messngr.Inbound{Message: message("ALICE", "BETA", "hi"), To: []string{"BETA"}}},
		{"umlauts and line breaks", "M\x9aller\x00LAB\x00\x84\x14\x94\r\n\x81\x00", nil,
			messngr.Inbound{Message: message("MÜller", "LAB", "ä\nö\nü"), To: []string{"LAB"}, Group: true}},
		{"no end", "ALICE\x00LAB\x00hi", nil,
			messngr.Inbound{Message: message("ALICE", "LAB", "hi"), To: []string{"LAB"}, Group: true}},
		{"nobody", "\x00\x00hi\x00", nil,
			messngr.Inbound{Message: message("ALPHA", "", "hi"), To: []string{"LAB"}, Group: true}},
		{"controls", "A\x1b[1m\x00LAB\x00\x1b]0;x\x07\x00", nil,
			messngr.Inbound{Message: message("A^[[1m", "LAB", "^[]0;x^G"), To: []string{"LAB"}, Group: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				d := datagram(t, tt.data)
				if tt.adjust != nil {
					tt.adjust(&d)
				}
				r.networks[1].take(d)
				tt.want.Route = "1/eth0"
				if diff := cmp.Diff([]messngr.Inbound{tt.want}, r.inbox(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					t.Errorf("inbound (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		routes := make(map[string]bool)
		for _, n := range r.networks {
			for _, iface := range []string{"eth0", "eth1"} {
				d := datagram(t, "ALICE\x00LAB\x00hi\x00")
				d.Interface = iface
				n.take(d)
			}
		}
		for _, in := range r.inbox() {
			routes[in.Route] = true
		}
		if len(routes) != 4 {
			t.Errorf("copies over two networks with two interfaces have the routes %v, want four", routes)
		}
	})
}

func TestWhatIsNoMessage(t *testing.T) {
	const good = "ALICE\x00LAB\x00hi\x00"
	browser := must(smb.MailslotWrite{Name: `\MAILSLOT\BROWSE`, Data: []byte(good)}.Append(nil))
	tests := []struct {
		name   string
		adjust func(*carrier.Datagram)
	}{
		{"nothing", func(d *carrier.Datagram) { d.Data = nil }},
		{"no SMB", func(d *carrier.Datagram) { d.Data = []byte(good) }},
		{"a session's message", func(d *carrier.Datagram) { d.Data = must(smb.Single{Text: []byte(good)}.Append(nil, smb.Header{})) }},
		{"another mailslot", func(d *carrier.Datagram) { d.Data = browser }},
		{"only a sender", func(d *carrier.Datagram) { d.Data = write(t, "ALICE\x00LAB") }},
		{"to the browsers", func(d *carrier.Datagram) { d.To = nameOf(t, "LAB", netbios.BrowserElection) }},
		{"to the server", func(d *carrier.Datagram) { d.To, d.Group = nameOf(t, "BETA", netbios.FileServer), false }},
		{"from a stranger", func(d *carrier.Datagram) { d.Source = netip.MustParseAddrPort("192.0.2.1:138") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, func(env *transport.Env) {
					env.Permit = func(addr netip.Addr) error {
						if addr == source.Addr() {
							return nil
						}
						return messngr.ErrRefused
					}
				})
				d := datagram(t, good)
				tt.adjust(&d)
				r.networks[0].take(d)
				r.networks[0].take(datagram(t, "ALICE\x00LAB\x00afterwards\x00"))
				if got := r.inbox(); len(got) != 1 || got[0].Message.Text != "afterwards" {
					t.Errorf("got %+v, want only what came afterwards", got)
				}
			})
		})
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// The oldest clients broadcast the message of a session in a datagram (SMB 0xD1).
func TestBroadcastWithoutMailslot(t *testing.T) {
	for name, tt := range map[string]struct {
		sent     smb.Single
		to, text string
	}{
		"to everybody":      {smb.Single{Broadcast: true, From: []byte("ALICE"), Text: []byte("hi\x14all")}, "*", "hi\nall"},
		"with a recipient":  {smb.Single{Broadcast: true, From: []byte("ALICE"), To: []byte("LAB"), Text: []byte("hi\x00")}, "LAB", "hi"},
		"text of no length": {smb.Single{Broadcast: true, From: []byte("ALICE")}, "*", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				d := datagram(t, "")
				d.To, d.Data = netbios.Wildcard(), must(tt.sent.Append(nil, smb.Header{}))
				r.networks[0].take(d)
				want := messngr.Inbound{
					Message: messngr.Message{
						From: messngr.From{Claimed: "ALICE", Address: source.Addr()}, To: tt.to, Via: "mailslot", Text: tt.text,
					},
					To: []string{"LAB"}, Group: true, Route: "0/eth0",
				}
				if diff := cmp.Diff([]messngr.Inbound{want}, r.inbox(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					t.Errorf("inbound (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSmallAndCapitalLettersOfTheMailslot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		d := datagram(t, "")
		d.Data = must(smb.MailslotWrite{Name: `\mailslot\Messngr`, Data: []byte("A\x00B\x00hi\x00")}.Append(nil))
		r.networks[0].take(d)
		if got := r.inbox(); len(got) != 1 {
			t.Errorf("%d messages, want 1", len(got))
		}
	})
}

func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		r := receive(t, func(env *transport.Env) { env.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		r.block = make(chan struct{})
		synctest.Wait()
		const sent = 5000
		for i := range sent {
			r.networks[0].take(datagram(t, fmt.Sprintf("A\x00LAB\x00%d\x00", i)))
		}
		other := datagram(t, "B\x00LAB\x00from another source\x00")
		other.Source = netip.MustParseAddrPort("10.77.0.2:138")
		r.networks[0].take(other)
		time.Sleep(time.Second)
		close(r.block)
		got := r.inbox()
		inOrder, others := 0, 0
		for _, in := range got {
			switch {
			case in.Message.From.Claimed == "B":
				others++
			case in.Message.Text == fmt.Sprint(inOrder):
				inOrder++
			}
		}
		if others != 1 {
			t.Error("the flood of one source kept out another one")
		}
		if inOrder < 2048 || inOrder != len(got)-1 || inOrder >= sent {
			t.Errorf("%d of %d messages arrived in order, %d in all; want the first 2048 or so", inOrder, sent, len(got))
		}
		if n := strings.Count(log.String(), "datagrams lost"); n < 1 || n > 13 {
			t.Errorf("%d lines about lost datagrams, want a few:\n%s", n, log.String())
		}
	})
}

// FuzzDatagram takes in any datagram: it hands over one message or none.
func FuzzDatagram(f *testing.F) {
	f.Add(write(f, "ALICE\x00LAB\x00hi\x00"))
	f.Add(write(f, "\x00\x00\x14\x1b\x00\x00"))
	f.Add([]byte("\xffSMB\x25"))
	f.Add(must(smb.Single{Broadcast: true, From: []byte("ALICE"), Text: []byte("hi")}.Append(nil, smb.Header{})))
	n := &network{}
	part, err := mailslot.New(transport.Env{NetBIOS: []carrier.NetBIOS{n}, Workgroup: "LAB"}, *mailslot.DefaultConfig())
	if err != nil {
		f.Fatal(err)
	}
	handed := make(chan messngr.Inbound)
	ctx, cancel := context.WithCancel(context.Background())
	f.Cleanup(cancel)
	go func() {
		_ = part.Receive(ctx, func(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
			handed <- in
			return nil, nil
		})
	}()
	f.Fuzz(func(t *testing.T, b []byte) {
		d := datagram(t, "LAST\x00LAB\x00\x00")
		last := d
		d.Data = b
		n.take(d)
		n.take(last)
		in := <-handed
		if in.Message.From.Claimed == "LAST" && in.Message.Text == "" {
			return // nothing came of it
		}
		if strings.ContainsAny(in.Message.Text, "\x00\x1b\r\x14") || strings.ContainsAny(in.Message.From.Claimed+in.Message.To, "\n\x1b") {
			t.Errorf("unsafe message %+v", in.Message)
		}
		if in = <-handed; in.Message.From.Claimed != "LAST" {
			t.Errorf("two messages of one datagram: %+v", in.Message)
		}
	})
}

func TestConfig(t *testing.T) {
	for _, n := range []int{0, 31, 425} {
		if _, err := mailslot.New(transport.Env{}, mailslot.Config{MaxText: n}); err == nil {
			t.Errorf("accepted a limit of %d bytes", n)
		}
	}
	if _, err := mailslot.Kind().New(transport.Env{}, "text"); err == nil {
		t.Error("accepted a configuration of another type")
	}
	if _, err := mailslot.Kind().New(transport.Env{}, mailslot.DefaultConfig()); err != nil {
		t.Error(err)
	}
}
