//go:build linux

package hammer_test

import (
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"messngr/interop/hammer"
)

// The session request, D5 and D6 are those of a recorded smbclient -M SRVB -U alice on CLIA, but for the suffix of the
// calling name (00 there) and the process number; D7 carries the text "hi".
var recorded = []string{
	"81000044" + "20" + hex.EncodeToString([]byte("FDFCFGECCACACACACACACACACACACAAD")) + "00" +
		"20" + hex.EncodeToString([]byte("EDEMEJEBCACACACACACACACACACACAAD")) + "00",
	"00000030" + "ff534d42d5" + "000000000000000000000000000000000000000000000000000000" + "000d00" + "04616c69636500" + "045352564200",
	"0000002a" + "ff534d42d7" + "000000000000000000000000000000000000000000000000000000" + "0100000500" + "0102006869",
	"00000025" + "ff534d42d6" + "000000000000000000000000000000000000000000000000000000" + "0100000000",
}

func TestNew(t *testing.T) {
	e := hammer.New("alice", "SRVB", "hi")
	e[0] = hammer.New("CLIA", "SRVB", "")[0]
	for i, want := range recorded {
		if got := hex.EncodeToString(e[i]); got != want {
			t.Errorf("request %d:\ngot  %s\nwant %s", i, got, want)
		}
	}
}

// serve answers each request of each connection with the answers given, in turn.
func serve(t *testing.T, answers ...string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 512)
				for _, a := range answers {
					if _, err := io.ReadAtLeast(conn, buf, 4); err != nil {
						return
					}
					conn.Write([]byte(a))
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

const (
	sessionGood = "\x82\x00\x00\x00"
	sessionBad  = "\x83\x00\x00\x01\x82"
	zeros       = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	good        = "\x00\x00\x00\x23\xffSMB\xd5\x00\x00\x00\x00" + zeros + "\x00\x00\x00"
	bad         = "\x00\x00\x00\x23\xffSMB\xd5\x02\x00\x53\x00" + zeros + "\x00\x00\x00"
)

func direct(f func() error) error { return f() }

const text = "hello"

func TestRun(t *testing.T) {
	to := serve(t, sessionGood, good, good, good)
	l, err := hammer.Run(direct, hammer.New("a", "b", text), to, 2, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if l.Count() < 2 || l.Percentile(50) <= 0 || l.Percentile(99) < l.Percentile(50) || l.Rate() <= 0 {
		t.Errorf("got %d messages, p50 %v, p99 %v", l.Count(), l.Percentile(50), l.Percentile(99))
	}
}

func TestRunSeesRefusals(t *testing.T) {
	for _, answers := range [][]string{{sessionBad}, {sessionGood, bad}, {sessionGood, good, good, bad}, {sessionGood, good}} {
		if _, err := hammer.Run(direct, hammer.New("a", "b", text), serve(t, answers...), 1, 50*time.Millisecond); err == nil {
			t.Errorf("answers %q: no error", answers)
		}
	}
}

// The generator must not be what limits a fast server.
func BenchmarkGenerator(b *testing.B) {
	t := new(testing.T)
	to := serve(t, sessionGood, good, good, good)
	for b.Loop() {
		l, err := hammer.Run(direct, hammer.New("a", "b", text), to, 8, time.Second)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(l.Rate(), "msg/s")
	}
}
