package rpc

import (
	"bytes"
	"testing"
	"time"

	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

// pieces cuts a stub into fragments of which none asks for a fack.
func pieces(call dcerpc.Datagram, stub []byte) []dcerpc.Datagram {
	var out []dcerpc.Datagram
	for len(stub) > 0 {
		n := min(len(stub), fragment.Size)
		d := call
		d.Fragment, d.NoFack, d.Last, d.Number, d.Body = true, true, n == len(stub), uint16(len(out)), stub[:n]
		out, stub = append(out, d), stub[n:]
	}
	return out
}

func TestCallInFragments(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		stub := bytes.Repeat([]byte("0123456789abcdef"), 600)
		out := pieces(p.call, stub)
		last := len(out) - 1
		out[0].NoFack = false
		q := p.question(p.says(out[0]))
		fack := p.one(dcerpc.TypeFack, p.says(p.identity(q)))
		if fack.Number != 0 {
			t.Errorf("fack %+v, want fragment 0", fack)
		}
		// All others, backwards, and without asking for facks.
		for i := last; i > 1; i-- {
			if got := p.says(out[i]); len(got) != 0 {
				t.Errorf("fragment %d is answered with %+v", i, got)
			}
		}
		ping := p.call
		ping.Type, ping.Body = dcerpc.TypePing, nil
		nocall := p.one(dcerpc.TypeNoCall, p.says(ping))
		f, err := nocall.ParseFack()
		if err != nil || nocall.Number != 0 || len(f.Beyond) != last-1 || f.Beyond[0] != 2 {
			t.Errorf("nocall %+v, %+v, %v", nocall, f, err)
		}
		if got := p.one(dcerpc.TypeResponse, p.says(out[1])); got.Number != 0 || !got.Fragment || got.Last {
			t.Errorf("answer %+v, want its first fragment", got)
		}
		s.wantRan(string(stub))
		if k := s.keeps(); k != (kept{activities: 1}) {
			t.Errorf("%+v is kept when the call is over", k)
		}
	})
}

// TestAnswerInFragments fetches a long answer, of which the network loses a part.
func TestAnswerInFragments(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		stub := bytes.Repeat([]byte("0123456789abcdef"), 600)
		s.do = func(dcerpc.Call) ([]byte, error) { return stub, nil }
		p := s.peer(alpha)
		var in fragment.Assembly
		packets := p.meets()
		ping := p.call
		ping.Type, ping.Body = dcerpc.TypePing, nil
		for rounds := 0; !in.Complete(); rounds++ {
			if rounds > 40 {
				t.Fatalf("%d bytes in %d rounds", in.Size(), rounds)
			}
			if len(packets) == 0 {
				packets = p.says(ping)
			}
			var more []dcerpc.Datagram
			for i, d := range packets {
				if (i+rounds)%4 == 3 {
					continue // lost
				}
				if _, err := in.Add(&d); err != nil {
					t.Fatal(err)
				}
				if !d.NoFack {
					fack := in.Fack(dcerpc.TypeFack, &d, 0)
					more = append(more, p.says(fack)...)
				}
			}
			packets = more
		}
		if !bytes.Equal(in.Stub(), stub) {
			t.Error("another answer than was given")
		}
	})
}

func TestFragmentsOfNoSense(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		last := p.call
		last.Fragment, last.Last, last.Number = true, true, 1
		p.says(last)
		beyond := last
		beyond.Last, beyond.Number = false, 2
		if got := p.status(dcerpc.TypeReject, p.says(beyond)); got != dcerpc.ProtocolError {
			t.Errorf("before the proof: rejected with %v", got)
		}
		s.wantRefused(ReasonMalformed, 1)
		if k := s.keeps(); k != (kept{}) {
			t.Errorf("%+v is kept", k)
		}
		p.one(dcerpc.TypeNoCall, p.meetsFragment(last))
		if got := p.status(dcerpc.TypeReject, p.says(beyond)); got != dcerpc.ProtocolError {
			t.Errorf("rejected with %v", got)
		}
		s.wantRefused(ReasonMalformed, 2)
		s.wantRan()
	})
}

// meetsFragment sends a fragment, answers the callback, and returns what comes.
func (p *peer) meetsFragment(d dcerpc.Datagram) []dcerpc.Datagram {
	p.t.Helper()
	return p.says(p.identity(p.question(p.says(d))))
}

func TestGivenUpFragments(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		first := p.call
		first.Fragment, first.NoFack = true, true
		p.one(dcerpc.TypeFack, p.meetsFragment(first))
		time.Sleep(callTime + 2*time.Second)
		ping := first
		ping.Type, ping.Body = dcerpc.TypePing, nil
		if got := p.one(dcerpc.TypeNoCall, p.says(ping)); len(got.Body) != 0 {
			t.Errorf("fragments are kept for more than %v: %+v", callTime, got)
		}
		if k := s.keeps(); k != (kept{activities: 1}) {
			t.Errorf("%+v is kept", k)
		}
		// The call may begin anew.
		p.says(first)
		last := first
		last.Last, last.Number = true, 1
		p.one(dcerpc.TypeResponse, p.says(last))
		time.Sleep(idleTime + 2*time.Second)
		if k := s.keeps(); k != (kept{}) {
			t.Errorf("%+v is kept for more than %v", k, idleTime)
		}
	})
}
