package rpc

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

// TestNothingRunsWithoutProof sends calls with all combinations of flags.
func TestNothingRunsWithoutProof(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		for flags := range 64 {
			p := s.peer(address(uint32(flags)))
			d := &p.call
			d.Idempotent, d.Maybe, d.Broadcast = flags&1 != 0, flags&2 != 0, flags&4 != 0
			d.NoFack, d.Last, d.BigEndian = flags&8 != 0, flags&16 != 0, flags&32 != 0
			got := p.says(*d)
			if d.Maybe || d.Broadcast {
				if len(got) != 0 {
					t.Errorf("flags %06b are answered with %+v", flags, got)
				}
				continue
			}
			p.question(got)
		}
		s.wantRan()
		time.Sleep(time.Minute)
		s.wantRan()
		s.wantRefused(ReasonMaybe, 32)
		s.wantRefused(ReasonBroadcast, 16)
		s.wantRefused(ReasonNoProof, 16)
		if k := s.keeps(); k.strangers != 0 {
			t.Errorf("%d calls are kept for ever", k.strangers)
		}
	})
}

func TestImproperPackets(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		sealed := p.call
		sealed.Auth = 10
		if got := p.status(dcerpc.TypeReject, p.says(sealed)); got != dcerpc.UnsupportedAuth {
			t.Errorf("an authenticated call is rejected with %v", got)
		}
		s.wantRefused(ReasonAuth, 1)
		if got := p.saysBytes([]byte("garbage")); len(got) != 0 {
			t.Errorf("garbage is answered with %+v", got)
		}
		s.wantRefused(ReasonMalformed, 1)
		short := p.call
		short.Body = nil
		if got := p.says(short); len(got) != 0 {
			t.Errorf("a call of 80 bytes is answered with %+v", got)
		}
		s.wantRefused(ReasonShort, 1)
		for _, from := range []string{"10.77.0.1:0", "224.0.0.1:1", "0.0.0.0:1", "10.77.0.2:135"} {
			b, _ := p.call.Append(nil)
			s.server.receive(s.sockets[p.server], netip.MustParseAddrPort(from), b)
		}
		s.wantRefused(ReasonSource, 4)
		if got := p.status(dcerpc.TypeReject, p.says(another(p.call))); got != dcerpc.UnknownInterface {
			t.Errorf("another interface is rejected with %v", got)
		}
		s.wantRefused(ReasonInterface, 1)
		if got := p.says(another(short)); len(got) != 0 {
			t.Errorf("80 bytes are answered with %+v, which is longer", got)
		}
		answers := 0
		for range 50 {
			answers += len(p.says(another(p.call)))
		}
		if answers > 10 {
			t.Errorf("%d complaints to somebody who has not proven himself", answers)
		}
		s.wantRan()
	})
}

// another returns a call of an interface that nobody serves.
func another(d dcerpc.Datagram) dcerpc.Datagram {
	d.Interface.ID = uuid.UUID{7}
	return d
}

func TestWhoIsNotPermitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(1)
		asked := 0
		s := &served{t: t, network: n}
		s.Carrier = n.carrier(beta)
		s.server.permit = func(addr netip.Addr) error {
			asked++
			if addr == alpha {
				return nil
			}
			return errors.New("no")
		}
		s.Handle(echoes, "echo", s.run)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		<-s.Ready()
		stranger, friend := s.peer(address(1)), s.peer(alpha)
		if got := stranger.says(stranger.call); len(got) != 0 {
			t.Errorf("somebody who is not permitted is answered with %+v", got)
		}
		friend.one(dcerpc.TypeResponse, friend.meets())
		if asked != 3 || len(s.Refused()) != 0 {
			t.Errorf("asked %d times, want 3; refused %+v, want nothing, which is the asked one's", asked, s.Refused())
		}
	})
}

// TestWaysOfAsking repeats a call: it is asked about in turns as Windows does and as the
// DCE runtime does. The first question may still be answered after the second.
func TestWaysOfAsking(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		var questions []dcerpc.Datagram
		for i, want := range []uint16{dcerpc.WhoAreYou2, dcerpc.WhoAreYou, dcerpc.WhoAreYou2} {
			q := p.question(p.says(p.call))
			if q.Op != want || q.Sequence != uint32(i) {
				t.Errorf("question %d is procedure %d number %d, want procedure %d", i, q.Op, q.Sequence, want)
			}
			questions = append(questions, q)
			if got := p.says(p.call); len(got) != 0 {
				t.Errorf("a copy of the call is answered with %+v", got)
			}
			time.Sleep(askTime)
		}
		if questions[0].Activity != questions[2].Activity {
			t.Error("the questions about one call have several activities")
		}
		p.one(dcerpc.TypeResponse, p.says(p.identity(questions[1])))
		if got := p.says(p.identity(questions[2])); len(got) != 0 {
			t.Errorf("a second answer is answered with %+v", got)
		}
	})
}

func TestClientThatKnowsOneWay(t *testing.T) {
	for _, refusal := range []dcerpc.PacketType{dcerpc.TypeReject, dcerpc.TypeFault} {
		bubble(t, func(t *testing.T, s *served) {
			p := s.peer(alpha)
			q := p.question(p.says(p.call))
			no := q.Answer(refusal, 1)
			no.Body = dcerpc.OpRange.AppendStatus(nil, q.BigEndian)
			other := p.question(p.says(no))
			if other.Op != dcerpc.WhoAreYou {
				t.Errorf("asked again by procedure %d", other.Op)
			}
			if got := p.says(no); len(got) != 0 {
				t.Errorf("the refusal, twice, is answered with %+v", got)
			}
			p.one(dcerpc.TypeResponse, p.says(p.identity(other)))
		})
	}
}

// TestForgedAnswers answers the callback from where the call did not come from, and in
// other wrong ways.
func TestForgedAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p, thief := s.peer(alpha), s.peer(alpha)
		thief.call.Activity = p.call.Activity
		q := p.question(p.says(p.call))
		good := p.identity(q)
		for name, forge := range map[string]func(d *dcerpc.Datagram){
			"another activity":      func(d *dcerpc.Datagram) { d.Activity[15]++ },
			"the call's activity":   func(d *dcerpc.Datagram) { d.Activity = p.call.Activity },
			"another interface":     func(d *dcerpc.Datagram) { d.Interface = echoes },
			"a question not asked":  func(d *dcerpc.Datagram) { d.Sequence = 1 },
			"one long ago":          func(d *dcerpc.Datagram) { d.Sequence = 1 << 31 },
			"not enough of it":      func(d *dcerpc.Datagram) { d.Body = d.Body[:20] },
			"an answer of no sense": func(d *dcerpc.Datagram) { d.Type = dcerpc.TypeWorking },
		} {
			d := good
			forge(&d)
			if got := p.says(d); len(got) != 0 {
				t.Errorf("%s is answered with %+v", name, got)
			}
		}
		if got := thief.says(good); len(got) != 0 {
			t.Errorf("from another port: %+v", got)
		}
		s.wantRan()
		p.one(dcerpc.TypeResponse, p.says(good))
	})
}

func TestDeniedCall(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		q := p.question(p.says(p.call))
		d := q.Answer(dcerpc.TypeResponse, 1)
		d.Body = dcerpc.Identity{Status: dcerpc.BadActivity}.Append(nil, q.Op, false)
		if got := p.status(dcerpc.TypeReject, p.says(d)); got != dcerpc.WhoAreYouFailed {
			t.Errorf("rejected with %v", got)
		}
		s.wantRefused(ReasonDenied, 1)
		s.wantRan()
	})
}

// TestOldCall is a call that its client is past already; and one that it is not at yet
// by its own word, which a client that counts otherwise may say.
func TestOldCall(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		p.call.Sequence = 5
		d := p.identity(p.question(p.says(p.call)))
		d.Body = dcerpc.Identity{Sequence: 6}.Append(nil, dcerpc.WhoAreYou2, false)
		if got := p.says(d); len(got) != 0 {
			t.Errorf("an old call is answered with %+v", got)
		}
		s.wantRan()
		d = p.identity(p.question(p.says(p.call)))
		d.Body = dcerpc.Identity{Sequence: 0}.Append(nil, dcerpc.WhoAreYou2, false)
		p.one(dcerpc.TypeResponse, p.says(d))
		p.call.Sequence = 4
		if got := p.says(p.call); len(got) != 0 {
			t.Errorf("an older call is answered with %+v", got)
		}
	})
}

// TestSameNumber: a program that gives all its calls the same number, each from another
// port, makes as many calls as it says different things.
func TestSameNumber(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		first := s.peer(alpha)
		var want []string
		for _, text := range []string{"the first of the texts", "the second of the texts", "the second of the texts"} {
			p := s.peer(alpha)
			p.call = first.call
			p.call.Body = []byte(text)
			if got := p.one(dcerpc.TypeResponse, p.meets()); string(got.Body) != text {
				t.Errorf("%q is answered with %q", text, got.Body)
			}
			if !slices.Contains(want, text) {
				want = append(want, text)
			}
			s.wantRan(want...)
		}
	})
}

// TestSameNumberFromOnePort: the same, from the same port, where the first of several
// fragments tells the calls apart.
func TestSameNumberFromOnePort(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		var want []string
		for _, size := range []int{40, 50, 3000, 2000} {
			stub := bytes.Repeat([]byte{byte(size)}, size)
			want = append(want, string(stub))
			p.call.Body = stub
			out := []dcerpc.Datagram{p.call}
			if size > fragment.Size {
				out = pieces(p.call, stub)
			}
			got := p.says(p.identity(p.question(p.says(out[0]))))
			for _, d := range out[1:] {
				got = p.says(d)
			}
			answer := p.one(dcerpc.TypeResponse, got)
			if n := min(size, fragment.Size); !bytes.Equal(answer.Body, stub[:n]) {
				t.Errorf("a call of %d bytes is answered with %d bytes of %v", size, len(answer.Body), answer.Body[0])
			}
			s.wantRan(want...)
		}
	})
}

// TestMovedWithinACall goes on from another port with a call in fragments, of which some
// have arrived; and, when it is answered, with its end.
func TestMovedWithinACall(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p, moved := s.peer(alpha), s.peer(alpha)
		stub := bytes.Repeat([]byte("0123456789abcdef"), 200)
		out := pieces(p.call, stub)
		p.one(dcerpc.TypeFack, p.meetsFragment(out[0]))
		p.says(out[1])
		moved.call = p.call
		moved.one(dcerpc.TypeFack, moved.meetsFragment(out[2]))
		moved.one(dcerpc.TypeResponse, moved.says(out[3]))
		s.wantRan(string(stub))

		last := s.peer(alpha)
		last.call = p.call
		if got := last.one(dcerpc.TypeNoCall, last.meetsFragment(out[3])); len(got.Body) != 0 {
			t.Errorf("who goes on with a call that was answered is told %+v", got)
		}
		if got := last.meetsFragment(out[0]); len(got) == 0 || got[0].Type != dcerpc.TypeResponse {
			t.Errorf("who begins it again is answered with %+v", got)
		}
		s.wantRan(string(stub))
	})
}

// TestMeddler: somebody else who has heard of an activity can do nothing to it.
func TestMeddler(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(c dcerpc.Call) ([]byte, error) { time.Sleep(5 * time.Second); return c.Stub, nil }
		p, thief := s.peer(alpha), s.peer(address(9))
		p.meets()
		thief.call = p.call
		thief.call.Sequence, thief.call.Body = 1, []byte("a later call in the name of that activity")
		thief.meets()
		cancel := thief.call
		cancel.Type, cancel.Sequence, cancel.Body = dcerpc.TypeCancel, 0, nil
		thief.says(cancel)
		p.one(dcerpc.TypeWorking, p.says(p.call))
		time.Sleep(5 * time.Second)
		if got := p.one(dcerpc.TypeResponse, p.hears()); string(got.Body) != string(p.call.Body) {
			t.Errorf("answered with %q", got.Body)
		}
		s.wantRan(string(p.call.Body), string(thief.call.Body))
	})
}

// TestShortFragment: what is shorter than a callback is not asked about, and does not make
// us forget the rest of the call.
func TestShortFragment(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		out := pieces(p.call, bytes.Repeat([]byte("x"), fragment.Size+7))
		if got := p.says(out[1]); len(got) != 0 {
			t.Errorf("7 bytes are answered with %+v", got)
		}
		s.wantRefused(ReasonShort, 1)
		callback := p.question(p.says(out[0]))
		for range 3 {
			if got := p.says(out[1]); len(got) != 0 {
				t.Errorf("7 bytes are answered with %+v", got)
			}
			time.Sleep(askTime)
		}
		s.wantRefused(ReasonShort, 1)
		p.one(dcerpc.TypeResponse, p.says(p.identity(callback)))
	})
}

// TestMovedClient goes on with an activity from another port.
func TestMovedClient(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		p := s.peer(alpha)
		p.one(dcerpc.TypeResponse, p.meets())
		moved := s.peer(alpha)
		moved.call = p.call
		first := moved.one(dcerpc.TypeResponse, moved.meets())
		if !bytes.Equal(first.Body, p.call.Body) {
			t.Errorf("answer %q", first.Body)
		}
		s.wantRan(string(p.call.Body))
		moved.call.Sequence = 1
		moved.one(dcerpc.TypeResponse, moved.says(moved.call))
		p.question(p.says(moved.call)) // the old port has to prove itself anew
		p.call.Sequence = 0
		if got := p.says(p.call); len(got) != 0 {
			t.Errorf("while a later call waits, an old one is answered with %+v", got)
		}
		time.Sleep(2 * strangerTime)
		if got := p.meets(); len(got) != 0 {
			t.Errorf("an old call from the old port is answered with %+v", got)
		}
		if n := len(s.ran()); n != 2 {
			t.Errorf("%d calls were run, want 2", n)
		}
	})
}
