package msgsvc_test

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"messngr"
	"messngr/store"
	"messngr/store/memstore"
	"messngr/store/sqlitestore"
	"messngr/wire/dcerpc"
	wire "messngr/wire/msgsvc"
)

// echo answers every datagram at addr with one of the size of a response, until stop is
// called.
func echo(t testing.TB, addr netip.AddrPort) (stop func()) {
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
	return func() { conn.Close(); <-done }
}

// BenchmarkSendMessage makes calls one after the other, each stored in memory, or on disk
// with a flush, beside an echo of the same two datagrams: by a client that does nothing but
// the two, and by our own. In memory it fails if the median of the former is more than four
// times the echo's.
func BenchmarkSendMessage(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		call, echo := measure(b, memstore.New())
		if b.N > 1000 && call > 4*echo {
			b.Errorf("a call takes %v, an echo %v: more than four times as long", call, echo)
		}
	})
	b.Run("disk", func(b *testing.B) {
		kept, err := sqlitestore.Open(filepath.Join(b.TempDir(), "messngr.db"))
		if err != nil {
			b.Fatal(err)
		}
		defer kept.Close()
		measure(b, kept)
	})
}

// measure makes calls to a service with that store, and returns the medians of what a call
// and an echo take.
func measure(b *testing.B, kept store.Store) (call, bareEcho time.Duration) {
	s := serve(b, loopback(6), kept, unlimited())
	defer s.stop()
	plain := netip.AddrPortFrom(s.addr, benchPort+1)
	defer echo(b, plain)()
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
			if _, err := kept.Prune(b.Context(), store.Retention{Count: 1}, time.Now()); err != nil {
				b.Fatal(err)
			}
		}
		for i, k := range kinds {
			start := time.Now()
			k.run()
			took[i] = append(took[i], time.Since(start))
		}
	}
	median := make([]time.Duration, len(kinds))
	for i, k := range kinds {
		slices.Sort(took[i])
		median[i] = took[i][len(took[i])/2]
		b.ReportMetric(float64(median[i].Nanoseconds())/1000, k.name+"-p50-µs")
	}
	b.ReportMetric(float64(median[1])/float64(median[0]), "call/echo")
	b.ReportMetric(float64(median[2])/float64(median[0]), "send/echo")
	b.ReportMetric(float64(time.Second/median[1]), "calls/s")
	return median[1], median[0]
}
