//go:build linux

package lab_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
)

// listenUDP opens a socket in a host that takes whatever arrives at a port.
func listenUDP(t *testing.T, h *lab.Host, port string) (conn net.PacketConn) {
	t.Helper()
	if err := h.Do(func() (err error) {
		conn, err = net.ListenPacket("udp4", ":"+port)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// arrivals counts what comes within half a second, and says when the first did.
func arrivals(conn net.PacketConn) (n int, first time.Time) {
	buf := make([]byte, 2000)
	conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	for {
		if _, _, err := conn.ReadFrom(buf); err != nil {
			return n, first
		}
		if n++; n == 1 {
			first = time.Now()
		}
	}
}

func TestCable(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	l := labtest.New(t)
	hosts := labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), "alpha", "beta")
	cable, err := hosts[0].Cable(lab.Faults{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	in := listenUDP(t, hosts[1], "9")
	out, err := hosts[0].Dial(ctx, "udp4", hosts[1].Addr().String()+":9")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	send := func(f lab.Faults, packets int) (int, time.Duration) {
		t.Helper()
		cable.Set(f)
		start := time.Now()
		for range packets {
			if _, err := out.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		n, first := arrivals(in)
		return n, first.Sub(start)
	}
	for n := 0; n == 0; { // the hosts look for each other's address
		n, _ = send(lab.Faults{}, 1)
	}
	if n, _ := send(lab.Faults{}, 100); n != 100 {
		t.Errorf("without faults %d of 100 packets arrived", n)
	}
	if n, _ := send(lab.Faults{Loss: 1}, 100); n != 0 {
		t.Errorf("%d packets passed a cable that is cut", n)
	}
	if n, _ := send(lab.Faults{Loss: 0.2}, 200); n < 130 || n > 190 {
		t.Errorf("%d of 200 packets arrived, want about 160", n)
	}
	if n, _ := send(lab.Faults{Twice: 1}, 100); n != 200 {
		t.Errorf("%d packets arrived, want each of 100 twice", n)
	}
	if n, took := send(lab.Faults{Delay: 100 * time.Millisecond}, 1); n != 1 || took < 100*time.Millisecond {
		t.Errorf("%d packets after %v, want one after 100 ms", n, took)
	}
	cable.Set(lab.Faults{})
	stream(ctx, t, hosts[0], hosts[1])
}

// stream sends a megabyte over TCP: segments leave the host longer than any frame, and with checksums left to hardware.
func stream(ctx context.Context, t *testing.T, from, to *lab.Host) {
	t.Helper()
	var listener net.Listener
	if err := to.Do(func() (err error) {
		listener, err = net.Listen("tcp4", ":7")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() {
		conn, err := from.Dial(ctx, "tcp4", to.Addr().String()+":7")
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, err := conn.Write(want); err != nil {
			t.Error(err)
		}
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d arrived, %v", len(got), len(want), err)
	}
}
