package smbmessage_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"

	"messngr"
	"messngr/carrier"
	"messngr/carrier/nbt"
	"messngr/transport"
	"messngr/transport/smbmessage"
	"messngr/wire/nbss"
	"messngr/wire/netbios"
)

// BenchmarkReceive takes in messages over TCP, in a session each, eight senders at a
// time on two processors, from a sender who waits for every answer. The store is the
// fastest there can be.
func BenchmarkReceive(b *testing.B) {
	pid := os.Getpid()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 200 + byte(pid>>8)%50, byte(pid), 1}), 10139)
	network, err := nbt.New(nbt.Config{
		Interfaces: []nbt.Interface{{Name: "lo", Prefix: netip.PrefixFrom(at.Addr(), 8)}},
		Ports:      nbt.Ports{Session: at.Port()},
	})
	if err != nil {
		b.Fatal(err)
	}
	part, err := smbmessage.New(transport.Env{NetBIOS: []carrier.NetBIOS{network}, Host: "BETA"}, *smbmessage.DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	var taken atomic.Int64
	go func() { ended <- network.Run(ctx) }()
	go func() {
		ended <- part.Receive(ctx, func(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
			taken.Add(1)
			return messngr.Results{{To: in.To[0]}}, nil
		})
	}()
	defer func() { cancel(); <-ended; <-ended }()
	<-network.Ready()

	dialogue := [][]byte{
		must(nbss.Request{Called: nameOf(b, "BETA", netbios.Messenger), Calling: nameOf(b, "ALPHA", netbios.Workstation)}.Append(nil)),
		frame(start("alice", "BETA")), frame(block("hello from a benchmark\r\n")), frame(end()),
	}
	answers := []int{4, 4 + 37, 4 + 35, 4 + 35}
	b.ReportAllocs()
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		in := make([]byte, 64)
		for pb.Next() {
			conn, err := net.Dial("tcp4", at.String())
			if err != nil {
				b.Error(err)
				return
			}
			for i, request := range dialogue {
				conn.Write(request)
				if _, err := io.ReadFull(conn, in[:answers[i]]); err != nil {
					b.Error(err)
				}
			}
			conn.(*net.TCPConn).SetLinger(0) // a million of them would use up the ports
			conn.Close()
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	if n := taken.Load(); n != int64(b.N) {
		b.Errorf("%d messages were taken, want %d", n, b.N)
	}
}

func frame(message []byte) []byte {
	return append(must(nbss.Header{Length: len(message)}.Append(nil)), message...)
}
