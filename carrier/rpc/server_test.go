package rpc

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier/rpc/proof"
	"messngr/wire/dcerpc"
)

func TestCall(t *testing.T) {
	for _, big := range []bool{false, true} {
		bubble(t, func(t *testing.T, s *served) {
			p := s.peer(alpha)
			p.call.BigEndian = big
			got := p.one(dcerpc.TypeResponse, p.meets())
			if !bytes.Equal(got.Body, p.call.Body) || got.BigEndian != big || got.Activity != p.call.Activity || got.ServerBoot == 0 {
				t.Errorf("answer %+v", got)
			}
			call := s.calls[0]
			if call.Activity != p.call.Activity || call.BigEndian != big || call.Interface != echoes || s.from[0] != p.conn.(*memoryConn).addr {
				t.Errorf("run was %+v from %v", call, s.from[0])
			}
		})
	}
}

// TestNextCalls makes further calls of an activity, which need no callback while the
// proof lasts, unless the client seems to know nothing of the server.
func TestNextCalls(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		p.one(dcerpc.TypeResponse, p.meets())
		p.call.Sequence, p.call.Body = 1, []byte("the second call of this activity")
		p.one(dcerpc.TypeResponse, p.says(p.call))
		time.Sleep(proof.Time)
		p.call.Sequence = 7
		p.one(dcerpc.TypeResponse, p.meets())
		p.call.Sequence, p.call.ServerBoot = 8, 0
		p.one(dcerpc.TypeResponse, p.meets())
		if n := len(s.ran()); n != 4 {
			t.Errorf("%d calls were run, want 4", n)
		}
	})
}

// TestRepeatedCall sends a request again before, while and after it is run.
func TestRepeatedCall(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(dcerpc.Call) ([]byte, error) { time.Sleep(10 * time.Second); return []byte("done"), nil }
		p := s.peer(alpha)
		ping := p.call
		ping.Type, ping.Body = dcerpc.TypePing, nil
		if got := p.one(dcerpc.TypeNoCall, p.says(ping)); len(got.Body) != 0 {
			t.Errorf("a ping before the call is answered with %+v", got)
		}
		if got := p.meets(); len(got) != 0 {
			t.Fatalf("before the call has ended: %+v", got)
		}
		p.one(dcerpc.TypeWorking, p.says(ping))
		p.one(dcerpc.TypeWorking, p.says(p.call))
		time.Sleep(10 * time.Second)
		first := p.one(dcerpc.TypeResponse, p.hears())
		for _, again := range []dcerpc.Datagram{ping, p.call} {
			if got := p.one(dcerpc.TypeResponse, p.says(again)); !bytes.Equal(got.Body, first.Body) {
				t.Errorf("answered again with %+v, want %+v", got, first)
			}
		}
		ack := p.call
		ack.Type, ack.Body = dcerpc.TypeAck, nil
		if got := p.says(ack); len(got) != 0 {
			t.Errorf("an ack is answered with %+v", got)
		}
		p.one(dcerpc.TypeResponse, p.says(p.call))
		ping.Sequence = 1
		p.one(dcerpc.TypeNoCall, p.says(ping))
		s.wantRan(string(p.call.Body))
	})
}

// TestNewCallWhileOneRuns is what a client does that has given up.
func TestNewCallWhileOneRuns(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(c dcerpc.Call) ([]byte, error) { time.Sleep(10 * time.Second); return c.Stub, nil }
		p := s.peer(alpha)
		p.meets()
		p.call.ServerBoot = s.server.boot
		p.call.Sequence, p.call.Body = 1, []byte("the next call")
		time.Sleep(5 * time.Second)
		p.says(p.call)
		time.Sleep(5 * time.Second)
		if got := p.hears(); len(got) != 0 {
			t.Errorf("the answer to an old call: %+v", got)
		}
		time.Sleep(5 * time.Second)
		if got := p.one(dcerpc.TypeResponse, p.hears()); string(got.Body) != "the next call" {
			t.Errorf("answer %q", got.Body)
		}
	})
}

func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		first := p.call
		first.Fragment = true
		cancel := p.call
		cancel.Type, cancel.Body = dcerpc.TypeCancel, nil
		if got := p.one(dcerpc.TypeQuack, p.says(cancel)); len(got.Body) != 0 {
			t.Errorf("a stranger's cancel is answered with %+v", got)
		}
		p.one(dcerpc.TypeFack, p.meetsFragment(first))
		gentle := cancel
		gentle.Body = (dcerpc.Cancel{ID: 3}).Append(nil, false)
		got := p.one(dcerpc.TypeQuack, p.says(gentle))
		if q, ok, err := got.ParseQuack(); !ok || err != nil || q.ID != 3 || q.Accepting {
			t.Errorf("cancel_ack %+v, %v, %v", q, ok, err)
		}
		if got := p.one(dcerpc.TypeQuack, p.says(cancel)); len(got.Body) != 0 {
			t.Errorf("cancel_ack %+v", got)
		}
		last := first
		last.Last, last.Number = true, 1
		if got := p.one(dcerpc.TypeFack, p.says(last)); got.Number != 0xffff {
			t.Errorf("what was given up is still there: %+v", got)
		}
		s.wantRan()
	})
}

// TestCancelBeforeProof: what a client gave up before it said who it is never runs.
func TestCancelBeforeProof(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		callback := p.question(p.says(p.call))
		cancel := p.call
		cancel.Type, cancel.Body = dcerpc.TypeCancel, nil
		p.one(dcerpc.TypeQuack, p.says(cancel))
		if got := p.says(p.identity(callback)); len(got) != 0 {
			t.Errorf("the answer to the callback is answered with %+v", got)
		}
		s.wantRan()
	})
}

func TestCancelOfARunningCall(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(c dcerpc.Call) ([]byte, error) { time.Sleep(5 * time.Second); return c.Stub, nil }
		p := s.peer(alpha)
		p.meets()
		cancel := p.call
		cancel.Type, cancel.Body = dcerpc.TypeCancel, nil
		p.one(dcerpc.TypeQuack, p.says(cancel))
		p.one(dcerpc.TypeWorking, p.says(p.call))
		time.Sleep(5 * time.Second)
		p.one(dcerpc.TypeResponse, p.hears())
		s.wantRan(string(p.call.Body))
	})
}

func TestRestartedServer(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		p.call.ServerBoot = s.server.boot - 1
		for _, kind := range []dcerpc.PacketType{dcerpc.TypeRequest, dcerpc.TypePing} {
			d := p.call
			d.Type = kind
			got := p.says(d)
			if p.status(dcerpc.TypeReject, got) != dcerpc.WrongBootTime || got[0].ServerBoot != p.call.ServerBoot {
				t.Errorf("a %v is answered with %+v", kind, got)
			}
		}
		s.wantRan()
	})
}

// TestAddressComesBack: a socket that was closed during a call, as its address was gone for a
// while, is not the one that the client is answered by.
func TestAddressComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(c dcerpc.Call) ([]byte, error) { time.Sleep(5 * time.Second); return c.Stub, nil }
		flap := func() {
			s.SetAddresses(nil)
			synctest.Wait()
			s.SetAddresses([]netip.Addr{beta})
			synctest.Wait()
		}
		p := s.peer(alpha)
		p.question(p.says(p.call))
		flap()
		time.Sleep(askTime)
		p.says(p.identity(p.question(p.says(p.call))))
		flap()
		time.Sleep(5 * time.Second)
		if got := p.hears(); len(got) != 0 {
			t.Errorf("from a socket that is closed: %+v", got)
		}
		p.one(dcerpc.TypeResponse, p.says(p.call))
		flap()
		ping := p.call
		ping.Type, ping.Body = dcerpc.TypePing, nil
		p.one(dcerpc.TypeResponse, p.says(ping))
		s.wantRan(string(p.call.Body))
	})
}

func TestStopWhileACallRuns(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(c dcerpc.Call) ([]byte, error) { time.Sleep(5 * time.Second); return c.Stub, nil }
		p := s.peer(alpha)
		p.meets()
		start := time.Now()
		s.stop()
		if took := time.Since(start).Round(time.Millisecond); took != 5*time.Second {
			t.Errorf("stopped after %v, want when the call has ended", took)
		}
		p.one(dcerpc.TypeResponse, p.hears())
	})
}
