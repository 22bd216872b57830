package udp_test

import (
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"messngr/carrier/rpc/udp"
)

// TestSockets: a caller hears a server from whichever of its ports that answers, and a
// port is never shared.
func TestSockets(t *testing.T) {
	var servers []udp.Conn
	var at []netip.AddrPort
	for len(servers) < 2 {
		probe, err := udp.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			t.Fatal(err)
		}
		defer probe.Close()
		servers, at = append(servers, probe), append(at, local(t, probe))
	}
	if c, err := udp.Listen(at[0]); err == nil {
		c.Close()
		t.Error("a second socket at the same address")
	}
	client, err := udp.Dial(at[0])
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var b [16]byte
	if _, err := client.WriteToUDPAddrPort([]byte("call"), at[0]); err != nil {
		t.Fatal(err)
	}
	_ = servers[0].SetReadDeadline(time.Now().Add(5 * time.Second))
	_, from, err := servers[0].ReadFromUDPAddrPort(b[:])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := servers[1].WriteToUDPAddrPort([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, from, err := client.ReadFromUDPAddrPort(b[:])
	if err != nil || string(b[:n]) != "answer" || from != at[1] {
		t.Errorf("heard %q of %v, %v", b[:n], from, err)
	}
}

// local is where a socket is.
func local(t *testing.T, c udp.Conn) netip.AddrPort {
	t.Helper()
	conn, ok := c.(*net.UDPConn)
	if !ok {
		t.Fatalf("socket is a %T", c)
	}
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestLost: Linux tells that nobody listens, other systems tell nothing.
func TestLost(t *testing.T) {
	gone, err := udp.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	to := local(t, gone)
	gone.Close()
	client, err := udp.Dial(to)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if lost := udp.Lost(client, to); lost != 0 {
		t.Errorf("%d datagrams lost before one was sent", lost)
	}
	_, _ = client.WriteToUDPAddrPort([]byte("call"), to)
	want := map[bool]int{true: 1, false: 0}[runtime.GOOS == "linux"]
	lost := 0
	for wait := time.Now().Add(5 * time.Second); lost < want && time.Now().Before(wait); {
		time.Sleep(time.Millisecond)
		lost += udp.Lost(client, to)
	}
	if lost != want {
		t.Errorf("%d datagrams lost, want %d", lost, want)
	}
}
