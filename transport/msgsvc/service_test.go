package msgsvc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"messngr"
	"messngr/carrier/rpc"
	"messngr/names"
	"messngr/policy"
	"messngr/router"
	"messngr/store"
	"messngr/store/memstore"
	"messngr/store/sqlitestore"
	"messngr/transport"
	"messngr/transport/msgsvc"
	"messngr/wire/dcerpc"
	wire "messngr/wire/msgsvc"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// loopback is an address of this host that no other test uses just now, if each has its
// own n.
func loopback(n byte) netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, 100 + byte(pid>>8)%50, byte(pid), n})
}

const benchPort = 10135

// service is a whole service without displays: a carrier on loopback, the transport, the
// router, and a store.
type service struct {
	carrier *rpc.Carrier
	part    *msgsvc.Transport
	store   store.Store
	addr    netip.Addr
	stop    func()
	told    atomic.Int64 // refusals that the carrier has told of
}

// serve runs a service at addr until the test ends.
func serve(t testing.TB, addr netip.Addr, kept store.Store, limits policy.Config) *service {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	judge, err := policy.New(ctx, limits, kept)
	if err != nil {
		t.Fatal(err)
	}
	judge.SetAttached([]netip.Prefix{netip.PrefixFrom(addr, 8)})
	table := names.New(oem.Page{}, nil, kept, log)
	if err := table.Own(ctx, names.Entry{Name: "BETA", Suffix: netbios.Messenger, Kind: names.Computer}); err != nil {
		t.Fatal(err)
	}
	middle := router.New(router.Config{Store: kept, Names: table, Policy: judge, Log: log, Host: "BETA"})
	s := &service{store: kept, addr: addr}
	c, err := rpc.New(rpc.Config{
		Addresses: []netip.Addr{addr}, Port: benchPort, Permit: judge.Permit,
		Refused: func(addr netip.Addr, _ string) {
			if addr.IsLoopback() {
				s.told.Add(1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	part, err := msgsvc.New(transport.Env{Host: "BETA"}, c, *msgsvc.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for _, run := range []func() error{
		func() error { return c.Run(ctx) },
		func() error { return part.Receive(ctx, middle.Accept) },
	} {
		running.Go(func() {
			if err := run(); err != nil {
				t.Error(err)
			}
		})
	}
	stop := func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	<-c.Ready()
	for _, p := range c.Ports() {
		if p.Err != nil {
			t.Fatal(p.Err)
		}
	}
	s.carrier, s.part, s.stop = c, part, stop
	return s
}

// unlimited is a policy for one sender who has a lot to say.
func unlimited() policy.Config { return policy.Config{} }

// dcePeer is a client that does what the DCE runtime does: one activity, numbers that
// rise, and no ack between two calls.
type dcePeer struct {
	t    testing.TB
	conn *net.UDPConn
	call dcerpc.Datagram
	in   [4096]byte
}

func (p *dcePeer) begin(addr netip.AddrPort) {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		p.t.Fatal(err)
	}
	m := wire.Message{From: []byte("ALPHA"), To: []byte("BETA"), Text: []byte("bench")}
	p.conn = conn
	p.call = dcerpc.Datagram{
		Type: dcerpc.TypeRequest, Interface: wire.Interface(), Activity: uuid.New(),
		InterfaceHint: dcerpc.NoHint, ActivityHint: dcerpc.NoHint, Body: m.Append(nil, false),
	}
}

// exchange sends b and waits for what comes.
func (p *dcePeer) exchange(b []byte) []byte {
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := p.conn.Read(p.in[:])
	if err != nil {
		p.t.Fatal(err)
	}
	return p.in[:n]
}

// send makes the next call, and answers the callback for the first.
func (p *dcePeer) send() wire.Status {
	d := p.answer()
	p.call.Sequence++
	status, err := wire.ParseStatus(d.Body, d.BigEndian)
	if err != nil || d.Type != dcerpc.TypeResponse {
		p.t.Fatalf("answered with %+v, %v", d, err)
	}
	return status
}

// answer makes a call and returns what ends it.
func (p *dcePeer) answer() dcerpc.Datagram {
	request, err := p.call.Append(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	answer := p.exchange(request)
	for {
		d, err := dcerpc.ParseDatagram(answer)
		if err != nil {
			p.t.Fatal(err)
		}
		p.call.ServerBoot = max(p.call.ServerBoot, d.ServerBoot)
		if d.Type != dcerpc.TypeRequest {
			return d
		}
		who := d.Answer(dcerpc.TypeResponse, 1)
		who.Body = dcerpc.Identity{Sequence: p.call.Sequence}.Append(nil, d.Op, d.BigEndian)
		b, err := who.Append(nil)
		if err != nil {
			p.t.Fatal(err)
		}
		answer = p.exchange(b)
	}
}

// inbox returns what a service has taken, oldest first.
func (s *service) inbox(t testing.TB) []*messngr.Message {
	t.Helper()
	entries, err := s.store.Inbox(context.Background(), store.Query{Oldest: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var list []*messngr.Message
	for _, e := range entries {
		list = append(list, e.Message)
	}
	return list
}

// TestWholeService sends long texts from one service to another, over sockets.
func TestWholeService(t *testing.T) {
	alpha := serve(t, loopback(1), memstore.New(), unlimited())
	beta := serve(t, loopback(2), memstore.New(), unlimited())
	text := strings.Repeat("Grüße aus Köln, 0123456789 ABCDEF\n", 282)[:9600]
	for _, text := range []string{"hello", text, strings.Repeat("x", 65536)} {
		ev, err := alpha.part.Send(t.Context(), messngr.Device{Name: "BETA", Address: beta.addr},
			&messngr.Message{From: messngr.From{Claimed: "ALICE"}, Text: text})
		if err != nil || ev.State != messngr.Accepted || ev.Address != netip.AddrPortFrom(beta.addr, benchPort) {
			t.Errorf("%d bytes: %+v, %v", len(text), ev, err)
		}
		list := beta.inbox(t)
		if len(list) == 0 {
			t.Fatal("nothing arrived")
		}
		m := list[len(list)-1]
		if m.Text != text || m.From.Claimed != "ALICE" || !m.From.Address.IsLoopback() || m.Via != "rpc" || m.To != "BETA" {
			t.Errorf("%d bytes arrived as %d, from %+v to %q via %q", len(text), len(m.Text), m.From, m.To, m.Via)
		}
	}
	_, err := alpha.part.Send(t.Context(), messngr.Device{Name: "NOBODY", Address: beta.addr}, &messngr.Message{Text: "hello"})
	if !errors.Is(err, messngr.ErrUnknownName) {
		t.Errorf("to nobody: %v", err)
	}
	if n := len(beta.inbox(t)); n != 3 {
		t.Errorf("%d messages arrived, want 3", n)
	}
}

// TestOnceOverARestart repeats a call when the service that has taken it is restarted.
func TestOnceOverARestart(t *testing.T) {
	for name, open := range map[string]func() (store.Store, error){
		"in memory": func() (store.Store, error) { return memstore.New(), nil },
		"on disk": func() (store.Store, error) {
			return sqlitestore.Open(filepath.Join(t.TempDir(), "messngr.db"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			kept, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer kept.Close()
			addr := loopback(3)
			s := serve(t, addr, kept, unlimited())
			p := &dcePeer{t: t}
			p.begin(netip.AddrPortFrom(addr, benchPort))
			for i := range 5 {
				if status := p.send(); status != wire.Success {
					t.Fatal(status)
				}
				p.call.Sequence, p.call.ServerBoot = 0, 0 // once more
				if i%2 == 1 {
					s.stop()
					s = serve(t, addr, kept, unlimited())
				}
			}
			if n := len(s.inbox(t)); n != 1 {
				t.Errorf("one call, repeated, gave %d messages", n)
			}
		})
	}
}

// recordedSpam is the packet that flooded the Internet.
func recordedSpam(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/spam.hex")
	if err != nil {
		t.Fatal(err)
	}
	packet, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(packet) != 438 {
		t.Fatalf("the spam packet has %d bytes, %v", len(packet), err)
	}
	return packet
}

// TestSpamPacket sends the packet to a service whose name it calls, with every flag that
// might help it.
func TestSpamPacket(t *testing.T) {
	s := serve(t, loopback(4), memstore.New(), unlimited())
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.addr, benchPort)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	spam := bytes.Replace(recordedSpam(t), []byte("ALERT\x00"), []byte("BETA\x00\x00"), 1)
	for flags := range 128 {
		spam[2] = byte(flags)
		spam[40]++ // another activity
		if _, err := conn.Write(spam); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		if r := s.carrier.Refused(); r[rpc.ReasonMaybe] == 64 && r[rpc.ReasonBroadcast] == 32 && r[rpc.ReasonNoProof]+r[rpc.ReasonFlood] == 32 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if r := s.carrier.Refused(); r[rpc.ReasonMaybe] != 64 || r[rpc.ReasonBroadcast] != 32 || r[rpc.ReasonNoProof] < 10 || r[rpc.ReasonNoProof]+r[rpc.ReasonFlood] != 32 {
		t.Errorf("refused %v", r)
	}
	if n := s.told.Load(); n != 128 {
		t.Errorf("%d refusals were told, want one for each packet", n)
	}
	if list := s.inbox(t); len(list) != 0 {
		t.Errorf("spam has arrived: %+v", list)
	}
}

// TestMS03043 declares and sends texts of every length around the limits of what has ever
// overflowed, from a sender who answers callbacks.
func TestMS03043(t *testing.T) {
	s := serve(t, loopback(5), memstore.New(), unlimited())
	p := &dcePeer{t: t}
	p.begin(netip.AddrPortFrom(s.addr, benchPort))
	honest := p.call.Body
	head := (&wire.Message{From: []byte("SECURITY"), To: []byte("BETA")}).Append(nil, false)
	head = head[:len(head)-13]
	lengths := []uint32{0, 1, 127, 128, 129, 880, 4095, 4096, 8191, 1<<16 - 1, 1 << 16, 1<<16 + 1, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	taken := 0
	for _, declared := range lengths {
		for _, actual := range lengths {
			for _, sent := range []int{0, 1, 128, 700} {
				body := bytes.Clone(head)
				for _, v := range []uint32{declared, 0, actual} {
					body = binary.LittleEndian.AppendUint32(body, v)
				}
				p.call.Body = append(body, bytes.Repeat([]byte{0x14}, sent)...)
				p.call.Sequence++
				answer := p.answer()
				fits := actual <= declared && declared <= 1<<16+1 && int(actual) <= sent && sent-int(actual) <= 7
				if fits {
					taken++
				}
				if (answer.Type == dcerpc.TypeResponse) != fits {
					t.Errorf("a text of %d bytes that is said to have %d of %d is answered with a %v", sent, actual, declared, answer.Type)
				}
			}
		}
	}
	p.call.Body = honest
	p.call.Sequence++
	if status := p.send(); status != wire.Success {
		t.Errorf("afterwards: %v", status)
	}
	if n := len(s.inbox(t)); n != taken+1 {
		t.Errorf("%d messages arrived, want %d", n, taken+1)
	}
}
