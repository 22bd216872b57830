package msgsvc_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
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
	"messngr/transport"
	"messngr/transport/msgsvc"
	"messngr/wire/dcerpc"
	wire "messngr/wire/msgsvc"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// loopback is an address of this host that no other test uses just now.
func loopback() netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, 100 + byte(pid>>8)%50, byte(pid), 1})
}

const benchPort = 10135

// service is a whole service without displays: a carrier on loopback, the transport, the
// router, and a store.
type service struct {
	carrier *rpc.Carrier
	part    *msgsvc.Transport
	store   store.Store
	addr    netip.Addr
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
	c, err := rpc.New(rpc.Config{Addresses: []netip.Addr{addr}, Port: benchPort, Permit: judge.Permit})
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
	t.Cleanup(func() { cancel(); running.Wait() })
	<-c.Ready()
	for _, p := range c.Ports() {
		if p.Err != nil {
			t.Fatal(p.Err)
		}
	}
	return &service{c, part, kept, addr}
}

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
		if d.Type == dcerpc.TypeResponse {
			p.call.Sequence++
			status, err := wire.ParseStatus(d.Body, d.BigEndian)
			if err != nil {
				p.t.Fatal(err)
			}
			return status
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

// echo answers every datagram at addr with one of the size of a response.
func echo(t testing.TB, addr netip.AddrPort) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var b [4096]byte
		for {
			_, from, err := conn.ReadFromUDPAddrPort(b[:])
			if err != nil {
				return
			}
			if _, err := conn.WriteToUDPAddrPort(b[:dcerpc.HeaderSize+4], from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
}

// unlimited is a policy for one sender who has a lot to say.
func unlimited() policy.Config { return policy.Config{} }

// BenchmarkSendMessage makes calls one after the other, each stored in memory, beside an
// echo of the same two datagrams: by a client that does nothing but the two, and by our
// own. It fails if the median of the former is more than four times the echo's.
func BenchmarkSendMessage(b *testing.B) {
	s := serve(b, loopback(), memstore.New(), unlimited())
	plain := netip.AddrPortFrom(s.addr, benchPort+1)
	echo(b, plain)
	bare, peer := &dcePeer{t: b}, &dcePeer{t: b}
	bare.begin(plain)
	peer.begin(netip.AddrPortFrom(s.addr, benchPort))
	request, err := bare.call.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	m := &messngr.Message{From: messngr.From{Claimed: "ALPHA"}, Text: "bench"}
	to := messngr.Device{Name: "BETA", Address: s.addr}
	kinds := []struct {
		name string
		run  func()
	}{
		{"echo", func() { bare.exchange(request) }},
		{"call", func() {
			if status := peer.send(); status != wire.Success {
				b.Fatal(status)
			}
		}},
		{"send", func() {
			if _, err := s.part.Send(b.Context(), to, m); err != nil {
				b.Fatal(err)
			}
		}},
	}
	took := make([][]time.Duration, len(kinds))
	for n := 0; b.Loop(); n++ {
		if n%100 == 0 { // the store in memory looks through all that it has
			if _, err := s.store.Prune(b.Context(), store.Retention{Count: 1}, time.Now()); err != nil {
				b.Fatal(err)
			}
		}
		for i, k := range kinds {
			start := time.Now()
			k.run()
			took[i] = append(took[i], time.Since(start))
		}
	}
	median := make([]float64, len(kinds))
	for i, k := range kinds {
		slices.Sort(took[i])
		median[i] = float64(took[i][len(took[i])/2].Nanoseconds()) / 1000
		b.ReportMetric(median[i], k.name+"-p50-µs")
	}
	b.ReportMetric(median[1]/median[0], "call/echo")
	b.ReportMetric(median[2]/median[0], "send/echo")
	if b.N > 1000 && median[1] > 4*median[0] {
		b.Errorf("a call takes %.1f µs, an echo %.1f: more than four times as long", median[1], median[0])
	}
}
