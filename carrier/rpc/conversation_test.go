package rpc

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier"
	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

func TestRequest(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), "stub")
		d := c.hears(dcerpc.TypeRequest)
		if d.Interface != echoes || d.Op != 3 || d.Sequence != 0 || d.ServerBoot != 0 || string(d.Body) != "stub" ||
			d.Fragment || d.Idempotent || d.Maybe || d.Broadcast || !d.NoFack {
			t.Errorf("request %+v", d)
		}
		c.answers(d, dcerpc.TypeResponse, []byte("answer"))
		c.ends("answer", nil)
		if ack := c.hears(dcerpc.TypeAck); ack.Activity != d.Activity || ack.Sequence != 0 || ack.ServerBoot != boot || len(ack.Body) != 0 {
			t.Errorf("ack %+v", ack)
		}
	})
}

// TestAnswerInAnotherOrder: a server writes integers as it likes, whatever the client does.
func TestAnswerInAnotherOrder(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), "stub")
		d := c.hears(dcerpc.TypeRequest)
		d.BigEndian = true
		c.answers(d, dcerpc.TypeResponse, []byte("answer"))
		c.ends("answer", nil)
		if !c.answer.BigEndian {
			t.Error("the answer came big-endian, and is said to be little-endian")
		}
	})
}

// TestCallbacks has the client asked who it is, in all ways, from any port of the host.
func TestCallbacks(t *testing.T) {
	for _, op := range []uint16{dcerpc.WhoAreYou, dcerpc.WhoAreYou2, dcerpc.AreYouThere} {
		called(t, func(t *testing.T, c *callee) {
			c.calls(t.Context(), "stub")
			d := c.hears(dcerpc.TypeRequest)
			other := c.port()
			a := c.asks(other, d, op, dcerpc.Question{Activity: d.Activity, Boot: boot})
			who, err := dcerpc.ParseIdentity(a.Body, op, a.BigEndian)
			if err != nil || who.Status != 0 || who.Sequence != 0 || (who.Client != uuid.UUID{}) != (op == dcerpc.WhoAreYou2) {
				t.Errorf("identity %+v, %v", who, err)
			}
			a = c.asks(other, d, op, dcerpc.Question{Activity: uuid.New(), Boot: boot})
			if who, err := dcerpc.ParseIdentity(a.Body, op, a.BigEndian); err != nil || who.Status != dcerpc.BadActivity {
				t.Errorf("about another call: identity %+v, %v", who, err)
			}
			a = c.asks(other, d, op, dcerpc.Question{Activity: d.Activity, Boot: boot + 1})
			if who, err := dcerpc.ParseIdentity(a.Body, op, a.BigEndian); err != nil || who.Status != dcerpc.YouCrashed {
				t.Errorf("to a server that was restarted: identity %+v, %v", who, err)
			}
			a = c.asks(other, d, 3, dcerpc.Question{Activity: d.Activity, Boot: boot})
			if s, err := a.Status(); a.Type != dcerpc.TypeReject || s != dcerpc.OpRange || err != nil {
				t.Errorf("to a question that it does not know: %+v", a)
			}
			if again := c.hears(dcerpc.TypeRequest); again.ServerBoot != boot {
				t.Errorf("repeated as %+v, want the server's boot time in it", again)
			}
			c.answers(d, dcerpc.TypeResponse, []byte("done"))
			c.ends("done", nil)
		})
	}
}

// TestLateCallback: who asks is not silent, however late that is.
func TestLateCallback(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), "stub")
		d := c.hears(dcerpc.TypeRequest)
		time.Sleep(silence - time.Second)
		c.asks(c.port(), d, dcerpc.WhoAreYou2, dcerpc.Question{Activity: d.Activity, Boot: boot})
		time.Sleep(silence - time.Second)
		c.answers(d, dcerpc.TypeResponse, []byte("late"))
		c.ends("late", nil)
	})
}

// TestAnswerFromAnotherPort is a mapper that passes the call on: further packets go to
// where the answers come from.
func TestAnswerFromAnotherPort(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		stub := string(bytes.Repeat([]byte("x"), 2*fragment.Size))
		c.calls(t.Context(), stub)
		d := c.hears(dcerpc.TypeRequest)
		c.conn.Close()
		c.conn = c.port()
		f := dcerpc.Fack{Window: 4}
		c.answers(d, dcerpc.TypeFack, f.Append(nil, false))
		if d = c.hears(dcerpc.TypeRequest); d.Number != 1 || !d.Last {
			t.Errorf("the second fragment is %+v", d)
		}
		c.answers(d, dcerpc.TypeResponse, nil)
		c.ends("", nil)
		c.hears(dcerpc.TypeAck)
	})
}

// TestForgottenFragments: a server that has lost the fragments which it had gets them again.
func TestForgottenFragments(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), string(bytes.Repeat([]byte("x"), 2*fragment.Size)))
		d := c.hears(dcerpc.TypeRequest)
		c.answers(d, dcerpc.TypeFack, (&dcerpc.Fack{Window: 4}).Append(nil, false))
		d = c.hears(dcerpc.TypeRequest)
		c.answers(d, dcerpc.TypeNoCall, nil)
		if again := c.hears(dcerpc.TypeRequest); d.Number != 1 || again.Number != 0 {
			t.Errorf("after fragment %d was lost with all others, %d is sent again, want 0", d.Number, again.Number)
		}
		c.answers(d, dcerpc.TypeResponse, []byte("done"))
		c.ends("done", nil)
	})
}

// TestForgedResponses sends answers that are not the server's.
func TestForgedResponses(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		thief, err := c.network.listen(netip.AddrPortFrom(address(9), 135))
		if err != nil {
			t.Fatal(err)
		}
		c.calls(t.Context(), "stub")
		d := c.hears(dcerpc.TypeRequest)
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot})
		good := d.Answer(dcerpc.TypeResponse, boot)
		good.Body = []byte("good")
		bad := good
		bad.Body = []byte("bad")
		c.says(thief, bad)
		for _, forge := range []func(d *dcerpc.Datagram){
			func(d *dcerpc.Datagram) { d.Activity[0]++ },
			func(d *dcerpc.Datagram) { d.Sequence++ },
			func(d *dcerpc.Datagram) { d.Sequence-- },
			func(d *dcerpc.Datagram) { d.ServerBoot++ },
			func(d *dcerpc.Datagram) { d.Type = dcerpc.TypeRequest },
			func(d *dcerpc.Datagram) { d.Type = dcerpc.TypeQuack },
		} {
			f := bad
			forge(&f)
			c.says(c.conn, f)
		}
		if _, err := c.conn.WriteToUDPAddrPort([]byte("garbage"), c.client); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.says(c.conn, good)
		c.ends("good", nil)
	})
}

// TestLostAnswer never answers: the request is repeated in the same call, with more and
// more time between, given up, and its end is not known.
func TestLostAnswer(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		start := time.Now()
		c.calls(t.Context(), "stub")
		first := c.hears(dcerpc.TypeRequest)
		for _, want := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond} {
			d := c.hears(dcerpc.TypeRequest)
			if at := time.Since(start); at != want || d.Activity != first.Activity || d.Sequence != first.Sequence {
				t.Errorf("after %v: %+v, want the same call again after %v", at, d, want)
			}
		}
		c.hears(dcerpc.TypeCancel)
		c.ends("", errSilence)
		if errors.Is(c.err, carrier.ErrOff) || c.took != silence {
			t.Errorf("ended after %v with %v, want the outcome unknown after %v", c.took, c.err, silence)
		}
		c.calls(t.Context(), "next")
		if d := c.hears(dcerpc.TypeRequest); d.Activity == first.Activity {
			t.Error("the next call goes on in an activity whose last call is uncertain")
		}
		c.stop()
	})
}

func TestCallIsCalledOff(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		c.calls(ctx, "stub")
		d := c.hears(dcerpc.TypeRequest)
		if quit := c.hears(dcerpc.TypeCancel); quit.Activity != d.Activity || len(quit.Body) != 0 {
			t.Errorf("cancel %+v", quit)
		}
		c.ends("", context.DeadlineExceeded)
		if errors.Is(c.err, carrier.ErrOff) || c.took != 200*time.Millisecond {
			t.Errorf("ended after %v with %v", c.took, c.err)
		}
		cancel()
		c.calls(ctx, "stub")
		c.ends("", carrier.ErrOff)
	})
}

// TestLongCall is told that the server works, and asks now and then whether it still does.
func TestLongCall(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		start := time.Now()
		c.calls(t.Context(), "stub")
		c.hears(dcerpc.TypeRequest)
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeWorking, nil)
		for time.Since(start) < time.Minute {
			c.answers(c.hears(dcerpc.TypePing), dcerpc.TypeWorking, nil)
		}
		c.answers(c.hears(dcerpc.TypePing), dcerpc.TypeNoCall, nil)
		asked := time.Now()
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeResponse, []byte("at last"))
		if took := time.Since(asked); took != 0 {
			t.Errorf("sent again after %v to a server that has nothing of it", took)
		}
		c.ends("at last", nil)
	})
}

func TestFailedCalls(t *testing.T) {
	for name, tt := range map[string]struct {
		kind   dcerpc.PacketType
		status dcerpc.Status
		want   error
	}{
		"fault":  {dcerpc.TypeFault, dcerpc.AccessDenied, nil},
		"reject": {dcerpc.TypeReject, dcerpc.UnknownInterface, nil},
	} {
		t.Run(name, func(t *testing.T) {
			called(t, func(t *testing.T, c *callee) {
				c.calls(t.Context(), "stub")
				d := c.hears(dcerpc.TypeRequest)
				c.answers(d, tt.kind, tt.status.AppendStatus(nil, false))
				<-c.done
				var got *dcerpc.StatusError
				if !errors.As(c.err, &got) || got.Status != tt.status || got.Rejected != (tt.kind == dcerpc.TypeReject) {
					t.Errorf("the call ended with %v", c.err)
				}
				if tt.kind == dcerpc.TypeFault {
					c.hears(dcerpc.TypeAck)
				}
				c.calls(t.Context(), "next")
				if next := c.hears(dcerpc.TypeRequest); next.Activity != d.Activity || next.Sequence != 1 {
					t.Errorf("the next call is %+v", next)
				}
				c.stop()
			})
		})
	}
}

// TestRejectsThatProveNothing are those after which the call may have been run all the
// same, by a server that is gone or that has forgotten it.
func TestRejectsThatProveNothing(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		reject := func(d dcerpc.Datagram, status dcerpc.Status) {
			c.answers(d, dcerpc.TypeReject, status.AppendStatus(nil, false))
		}

		c.calls(t.Context(), "repeated")
		c.hears(dcerpc.TypeRequest)
		reject(c.hears(dcerpc.TypeRequest), dcerpc.ProtocolError)
		c.ends("", errRepeated)

		c.calls(t.Context(), "not repeated")
		reject(c.hears(dcerpc.TypeRequest), dcerpc.ProtocolError)
		<-c.done
		if status := (*dcerpc.StatusError)(nil); !errors.As(c.err, &status) {
			t.Errorf("rejected at once: %v", c.err)
		}

		c.calls(t.Context(), "crashed")
		d := c.hears(dcerpc.TypeRequest)
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot - 1})
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot})
		silent := d.Answer(dcerpc.TypeReject, 0) // which does not say when it was started
		silent.Body = dcerpc.WhoAreYouFailed.AppendStatus(nil, false)
		c.says(c.conn, silent)
		c.ends("", errRestarted)

		c.calls(t.Context(), "restarted")
		d = c.hears(dcerpc.TypeRequest)
		c.asks(c.conn, d, dcerpc.WhoAreYou, dcerpc.Question{Activity: d.Activity, Boot: boot - 1})
		reject(d, dcerpc.UnknownInterface)
		c.ends("", errRestarted)

		c.calls(t.Context(), "short")
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeFault, []byte{1})
		c.ends("", errGarbled)
		c.calls(t.Context(), "short")
		c.answers(c.hears(dcerpc.TypeRequest), dcerpc.TypeReject, []byte{1})
		c.ends("", errGarbled)
	})
}

// TestServerIsRestartedBetweenCalls makes the call again, as long as only the new server
// can have got it.
func TestServerIsRestartedBetweenCalls(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		wrong := func(d dcerpc.Datagram) {
			a := d.Answer(dcerpc.TypeReject, d.ServerBoot)
			a.Body = dcerpc.WrongBootTime.AppendStatus(nil, false)
			c.says(c.conn, a)
		}
		first := func() dcerpc.Datagram {
			c.calls(t.Context(), "first")
			d := c.hears(dcerpc.TypeRequest)
			c.answers(d, dcerpc.TypeResponse, nil)
			c.ends("", nil)
			c.calls(t.Context(), "second")
			return c.hears(dcerpc.TypeRequest)
		}
		d := first()
		wrong(d)
		again := c.hears(dcerpc.TypeRequest)
		if again.Activity != d.Activity || again.Sequence != d.Sequence || again.ServerBoot != 0 {
			t.Errorf("made again as %+v, was %+v", again, d)
		}
		c.answers(again, dcerpc.TypeResponse, []byte("from the new one"))
		c.ends("from the new one", nil)
		c.hears(dcerpc.TypeAck)
		time.Sleep(parkTime + time.Second)

		d = first()
		c.hears(dcerpc.TypeRequest) // the old one may have run the one before
		wrong(d)
		c.ends("", errRestarted)
	})
}

// TestServerGoesAwayDuringTheCall cannot know whether the call was run.
func TestServerGoesAwayDuringTheCall(t *testing.T) {
	called(t, func(t *testing.T, c *callee) {
		c.calls(t.Context(), "stub")
		c.hears(dcerpc.TypeRequest)
		c.conn.Close()
		c.ends("", errSilence)
		if errors.Is(c.err, carrier.ErrOff) {
			t.Errorf("ended with %v although the call had arrived", c.err)
		}
	})
}
