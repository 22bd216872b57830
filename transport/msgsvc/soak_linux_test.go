package msgsvc_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"messngr"
	"messngr/carrier/rpc"
	"messngr/policy"
	"messngr/store/memstore"
	"messngr/transport"
	"messngr/transport/msgsvc"
	"messngr/wire/dcerpc"
)

// soakVariable makes TestForgedFlood last as long as it says, such as 60s, and hold the
// service to its times. Without it the flood is short, and only the outcome counts.
const soakVariable = "MESSNGR_SOAK"

// forgedRate is how many forged packets come in a second.
const forgedRate = 10_000

// forger floods a service from many addresses, and from the one of an honest host.
type forger struct {
	sockets []*net.UDPConn
	packets [][]byte
	random  *rand.Rand
	sent    int
	cpu     time.Duration
}

func newForger(t testing.TB, to netip.AddrPort, honest netip.Addr) *forger {
	t.Helper()
	f := &forger{random: rand.New(rand.NewPCG(1, 2))}
	for i := range 200 {
		from := netip.AddrFrom4([4]byte{127, 90, byte(os.Getpid()), byte(i)})
		if i%10 == 0 {
			from = honest
		}
		conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), net.UDPAddrFromAddrPort(to))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		f.sockets = append(f.sockets, conn)
	}
	spam := recordedSpam(t)
	long := make([]byte, 1024)
	copy(long, spam)
	long[2] = 0x04 // a fragment
	binary.LittleEndian.PutUint16(long[74:], uint16(len(long)-dcerpc.HeaderSize))
	ping, answer, garbage := spam[:dcerpc.HeaderSize:dcerpc.HeaderSize], slices.Clone(spam), slices.Clone(spam[:100])
	ping = slices.Clone(ping)
	ping[1], ping[74], ping[75] = byte(dcerpc.TypePing), 0, 0
	answer[1] = byte(dcerpc.TypeResponse)
	f.packets = [][]byte{spam, spam, spam, long, ping, answer, garbage}
	return f
}

// flood sends until ctx ends.
func (f *forger) flood(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	for ctx.Err() == nil {
		for due := int(time.Since(start).Seconds() * forgedRate); f.sent < due; f.sent++ {
			b := f.packets[f.random.IntN(len(f.packets))]
			activity := uuid.New()
			copy(b[40:], activity[:])
			_, _ = f.sockets[f.random.IntN(len(f.sockets))].Write(b)
		}
		time.Sleep(time.Millisecond)
	}
	f.cpu = cpuTime(unix.RUSAGE_THREAD)
}

// cpuTime is how long the processors have worked for the process or the thread.
func cpuTime(who int) time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is how much memory is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// honest makes a call as a process does that has just begun, and returns how long it took.
func honest(t testing.TB, to netip.Addr) time.Duration {
	t.Helper()
	c, err := rpc.New(rpc.Config{Port: benchPort})
	if err != nil {
		t.Fatal(err)
	}
	part, err := msgsvc.New(transport.Env{Host: "ALPHA"}, c, *msgsvc.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer func() { cancel(); running.Wait() }()
	<-c.Ready()
	start := time.Now()
	if _, err := part.Send(ctx, messngr.Device{Name: "BETA", Address: to}, &messngr.Message{Text: "hello"}); err != nil {
		t.Errorf("an honest call: %v", err)
	}
	return time.Since(start)
}

// TestForgedFlood sends 10,000 forged packets a second, many of them in the name of the
// honest host that calls at the same time. Nothing of them arrives, all of the other's
// does, and the service needs neither time nor memory for it.
func TestForgedFlood(t *testing.T) {
	last, soak := time.Second, false
	if s := os.Getenv(soakVariable); s != "" {
		var err error
		if last, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		soak = true
	}
	s := serve(t, loopback(7), memstore.New(), policy.Config{})
	f := newForger(t, netip.AddrPortFrom(s.addr, benchPort), netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	ctx, cancel := context.WithTimeout(t.Context(), last)
	defer cancel()
	var flood sync.WaitGroup
	began, cpu := time.Now(), cpuTime(unix.RUSAGE_SELF)
	flood.Go(func() { f.flood(ctx) })
	var took []time.Duration
	var settled uint64
	for ctx.Err() == nil {
		took = append(took, honest(t, s.addr))
		time.Sleep(20 * time.Millisecond)
		if settled == 0 && time.Since(began) > last/4 {
			settled = heap()
		}
	}
	flood.Wait()
	load := float64(cpuTime(unix.RUSAGE_SELF)-cpu-f.cpu) / float64(time.Since(began))
	grown := int64(heap()) - int64(settled)
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("%d forged packets, %d honest calls: p50 %v, p99 %v, worst %v; %.2f of a processor, %+d KiB of memory; refused %v",
		f.sent, len(took), took[len(took)/2], p99, took[len(took)-1], load, grown>>10, s.carrier.Refused())
	if got := len(s.inbox(t)); got != min(len(took), 1000) {
		t.Errorf("%d messages arrived, want the %d honest ones", got, len(took))
	}
	if soak && f.sent < int(last.Seconds()*forgedRate*9/10) {
		t.Errorf("only %d forged packets were sent", f.sent)
	}
	if soak && (p99 > 100*time.Millisecond || load > 0.5 || grown > 8<<20) {
		t.Errorf("p99 %v, want under 100 ms; %.2f of a processor, want under a half; %d KiB more memory, want under 8 MiB", p99, load, grown>>10)
	}
	// Strangers are given a while before they count as refused.
	for wait := time.Now().Add(10 * time.Second); s.carrier.Refused()[rpc.ReasonNoProof] == 0 && time.Now().Before(wait); {
		time.Sleep(50 * time.Millisecond)
	}
	if r := s.carrier.Refused(); r[rpc.ReasonNoProof] == 0 || r[rpc.ReasonMalformed] == 0 {
		t.Errorf("refused %v", r)
	}
}
