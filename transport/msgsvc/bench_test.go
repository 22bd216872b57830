package msgsvc_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"messngr"
	"messngr/store"
	"messngr/store/memstore"
	"messngr/wire/dcerpc"
	wire "messngr/wire/msgsvc"
)

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

// BenchmarkSendMessage makes calls one after the other, each stored in memory, beside an
// echo of the same two datagrams: by a client that does nothing but the two, and by our
// own. It fails if the median of the former is more than four times the echo's.
func BenchmarkSendMessage(b *testing.B) {
	s := serve(b, loopback(6), memstore.New(), unlimited())
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
