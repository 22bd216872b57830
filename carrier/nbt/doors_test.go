package nbt

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// from is a connection from an address.
type from struct {
	net.Conn
	addr netip.Addr
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(f.addr, 1024))
}

// guest returns a session from an address, and the other end of its connection.
func guest(addr netip.Addr) (*session, net.Conn) {
	here, there := net.Pipe()
	return newSession(from{there, addr}, false), here
}

func TestDoors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoors()
		one, other := addr("10.0.0.1"), addr("10.0.0.2")
		var list []*session
		enter := func(a netip.Addr, want bool) {
			t.Helper()
			s, far := guest(a)
			t.Cleanup(func() { far.Close() })
			if got := d.enter(s); got != want {
				t.Fatalf("session %d from %v enters: %v, want %v", len(list), a, got, want)
			}
			if want {
				list = append(list, s)
			}
		}
		for range maxSessionsPerSource {
			enter(one, true)
		}
		enter(one, false) // all of them are being served
		enter(other, true)
		d.leave(list[0])
		d.leave(list[0])
		enter(one, true)
		enter(one, false)

		// Of those that are silent for long enough, the most silent one goes.
		list[5].listen()
		time.Sleep(patience)
		list[3].listen()
		list[4].listen()
		enter(one, false)
		time.Sleep(time.Millisecond)
		enter(one, true)
		if _, err := list[5].Read(); err == nil {
			t.Error("a session that was shown out can still be read from")
		}
		d.leave(list[5])
		enter(one, false)

		// All sources together.
		for range maxSessionsPerSource - 1 {
			enter(other, true)
		}
		if n := len(d.open); n != maxSessions {
			t.Fatalf("%d sessions are open, want %d", n, maxSessions)
		}
		third := addr("10.0.0.3")
		time.Sleep(patience)
		enter(third, true) // for list[3] or list[4]
		enter(third, true)
		enter(third, false)
		for _, s := range list {
			d.leave(s)
		}
		if len(d.open) != 0 || len(d.sources) != 0 {
			t.Errorf("%d sessions of %d sources are left", len(d.open), len(d.sources))
		}
	})
}

func TestShownOutWhileItSpeaks(t *testing.T) {
	s, far := guest(addr("10.0.0.1"))
	began := s.listen()
	if !s.showOut(began) {
		t.Error("a silent session stays")
	}
	if s.heard(began) {
		t.Error("a session that was shown out is heard")
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the other side sees %v, want the end", err)
	}
	s, _ = guest(addr("10.0.0.1"))
	began = s.listen()
	if !s.heard(began) || s.showOut(began) {
		t.Error("a session is shown out although it has spoken")
	}
}

func TestMoreSessionsThanThereIsRoom(t *testing.T) {
	c := sessionHost(t, 11, nil)
	c.AdmitSessions(admitAll)
	c.HandleSessions(echo)
	full := func(s *session) { c.doors.sources[s.Remote().Addr()] = maxSessionsPerSource }
	probe := connectTo(t, c)
	full(probe)
	run(t, c)
	talk(t, connect(t, ownAddr(11), testSession), "", "\x83\x00\x00\x01\x83")
	talk(t, connect(t, ownAddr(11), testDirect), "", "")
}

// connectTo returns a session from the address that this process calls a host from.
func connectTo(t *testing.T, c *Carrier) *session {
	t.Helper()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(ownAddr(11), 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	return newSession(accepted, false)
}
