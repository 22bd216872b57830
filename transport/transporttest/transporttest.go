// Package transporttest is what every transport that runs on a NetBIOS network has to
// pass. It lets two machines with the transport talk to each other over a network in
// memory, in the time of testing/synctest: nothing waits, and a goroutine that is left
// over fails the test.
package transporttest

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"messngr"
	"messngr/carrier"
	"messngr/carrier/memlan"
	"messngr/transport"
	"messngr/wire/netbios"
)

// Suite says what a transport promises.
type Suite struct {
	Kind transport.Kind
	// Best is the state that a message reaches which was taken.
	Best messngr.State
	// Limit is the longest text in bytes that goes at once, with the default
	// configuration.
	Limit int
	// Answers says that the sender learns whether its message was taken.
	Answers bool
	// Groups says that messages can be sent to a workgroup.
	Groups bool
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	tests := []struct {
		name string
		run  func(*testing.T, Suite)
		skip bool
	}{
		{"round trip", testRoundTrip, false},
		{"what the receiver is told", testInbound, false},
		{"to an address", testAddress, false},
		{"to a group", testGroup, !s.Groups},
		{"no groups", testNoGroup, s.Groups},
		{"lossy", testLossy, false},
		{"clean text", testClean, false},
		{"too long", testTooLong, false},
		{"unknown name", testUnknown, false},
		{"machine that is off", testOff, false},
		{"not taken", testNotTaken, false},
		{"answered when stored", testAnsweredWhenStored, !s.Answers},
		{"one waits for the store", testOthersGoOn, false},
		{"many at once", testMany, false},
		{"sending is called off", testCancel, false},
		{"called off before the answer", testCancelLate, !s.Answers},
		{"stopped while storing", testStopWhileStoring, !s.Answers},
		{"stopped at rest", testStop, false},
	}
	for _, tt := range tests {
		if tt.skip {
			continue
		}
		t.Run(tt.name, func(t *testing.T) { tt.run(t, s) })
	}
}

// The workgroup of all machines, and who sends.
const (
	workgroup = "WORKGROUP"
	sender    = "ALICE"
)

// network is a LAN on which machines run the transport.
type network struct {
	t     *testing.T
	suite Suite
	lan   *memlan.LAN
	hosts byte
}

func newNetwork(t *testing.T, s Suite) *network {
	return &network{t: t, suite: s, lan: memlan.New(memlan.Faults{})}
}

// machine is one host with the transport.
type machine struct {
	host *memlan.Host
	part any
	// stopReceiving ends Receive and waits for that; stop ends everything.
	stopReceiving, stop func()

	mu  sync.Mutex
	got []messngr.Inbound
}

// accepts is what becomes of a message that a machine got.
type accepts func(ctx context.Context, in messngr.Inbound) error

func take(context.Context, messngr.Inbound) error { return nil }

// add switches a machine on.
func (n *network) add(name string, accept accepts) *machine {
	n.t.Helper()
	n.hosts++
	m := &machine{host: n.lan.Host(netip.AddrFrom4([4]byte{10, 77, 0, n.hosts}))}
	part, err := n.suite.Kind.New(transport.Env{
		NetBIOS: []carrier.NetBIOS{m.host}, Host: name, Workgroup: workgroup,
		Local: func(s string) bool { return s == name },
	}, n.config())
	if err != nil {
		n.t.Fatal(err)
	}
	m.part = part
	ctx, cancel := context.WithCancel(context.WithoutCancel(n.t.Context()))
	receiving, stopReceiving := context.WithCancel(ctx)
	var running, receiver sync.WaitGroup
	running.Go(func() {
		if err := m.host.Run(ctx); err != nil {
			n.t.Errorf("Run: %v", err)
		}
	})
	receiver.Go(func() {
		err := part.(messngr.Receiver).Receive(receiving, func(ctx context.Context, in messngr.Inbound) (messngr.Results, error) {
			m.mu.Lock()
			m.got = append(m.got, in)
			m.mu.Unlock()
			err := accept(ctx, in)
			return messngr.Results{{To: in.To[0], Err: err}}, err
		})
		if err != nil {
			n.t.Errorf("Receive: %v, want nil at the end", err)
		}
	})
	m.stopReceiving = func() { stopReceiving(); receiver.Wait() }
	m.stop = func() { cancel(); receiver.Wait(); running.Wait() }
	n.t.Cleanup(m.stop)
	<-m.host.Ready()
	n.claim(m, name, netbios.Messenger, false)
	n.claim(m, name, netbios.Workstation, false)
	n.claim(m, workgroup, netbios.Workstation, true)
	synctest.Wait()
	return m
}

func (n *network) config() any {
	if n.suite.Kind.Config == nil {
		return nil
	}
	return n.suite.Kind.Config()
}

func (n *network) claim(m *machine, label string, suffix netbios.Suffix, group bool) {
	n.t.Helper()
	name, err := netbios.New(label, suffix)
	if err == nil {
		err = m.host.Claim(n.t.Context(), name, group)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// send sends a text from a machine.
func (m *machine) send(ctx context.Context, to messngr.Device, text string) (messngr.Evidence, error) {
	return m.part.(messngr.Sender).Send(ctx, to, &messngr.Message{
		From: messngr.From{Claimed: sender}, To: to.Name, Text: text,
	})
}

// inbox returns what a machine got, when nothing happens any more.
func (m *machine) inbox() []messngr.Inbound {
	time.Sleep(time.Hour)
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.got
}

// only returns the one message that a machine got.
func (m *machine) only(t *testing.T) messngr.Inbound {
	t.Helper()
	got := m.inbox()
	if len(got) != 1 {
		t.Fatalf("%d messages were handed over, want 1: %+v", len(got), got)
	}
	return got[0]
}

// pair switches two machines on: one that sends, and BETA, that accept is called for.
func pair(t *testing.T, s Suite, accept accepts) (alpha, beta *machine) {
	t.Helper()
	n := newNetwork(t, s)
	return n.add("ALPHA", take), n.add("BETA", accept)
}

// toBeta is the second machine, by its name.
func toBeta() messngr.Device { return messngr.Device{Name: "BETA"} }
