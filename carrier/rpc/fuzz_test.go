package rpc

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

// next makes a packet about an activity of the bytes at the beginning of b, and returns the
// rest. Eight bytes say what most packets differ in, and the rest is a body.
func next(b []byte, about dcerpc.Datagram) (dcerpc.Datagram, []byte) {
	d := about
	d.Type, d.BigEndian, d.Idempotent = dcerpc.PacketType(b[0]%11), b[0]&0x10 != 0, b[0]&0x20 != 0
	d.Fragment, d.Last, d.NoFack = b[1]&1 != 0, b[1]&2 != 0, b[1]&4 != 0
	if b[1]&8 != 0 {
		d.ServerBoot = 0
	}
	if b[1]&16 != 0 {
		d.Interface, d.Activity, d.Op = dcerpc.Conversation(), uuid.New(), uint16(b[1]>>5)
	}
	d.Number, d.Serial = uint16(b[2])-1, uint16(b[3])
	d.Sequence += uint32(int32(int8(b[4])) / 32)
	n := min(int(b[5])<<(b[6]%9), len(b)-8)
	d.Body = b[8 : 8+n]
	if d.Type == dcerpc.TypeRequest && b[6]&0x80 != 0 {
		d.Body = []byte(strings.Repeat("x", int(b[5])<<(b[6]%9))) // long ones need no long input
	}
	return d, b[8+n:]
}

// talks are inputs to begin with: calls in fragments, facks, pings and answers.
func talks(f *testing.F) {
	f.Add([]byte("\x00\x01\x01\x01\x00\x10\x84\x00\x00\x03\x02\x02\x00\x10\x80\x00\x01\x00\x01\x03\x00\x00\x00\x00"))
	f.Add([]byte("\x09\x00\x01\x01\x00\x04\x02\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x01\x01\x01\x00\x04\x00\x00abcd"))
	f.Add([]byte("\x00\x10\x01\x01\x00\x14\x00\x00aaaabbbbccccddddeeee\x05\x00\x01\x01\x00\x00\x00\x00\x06\x00\x01\x01\x00\x04\x00\x00\x06\x00\x01\x1c"))
	f.Add([]byte("\x08\x00\x01\x01\x00\x00\x00\x00\x00\x00\x01\x01\x20\x08\x80\x00\x01\x00\x01\x01\x20\x00\x00\x00\x07\x00\x01\x01\x20\x00\x00\x00"))
}

// FuzzAcquainted says anything to a server, in a row, as a client that has answered a
// callback, and answers all others. The server counts right what it keeps, and in the end
// forgets it.
func FuzzAcquainted(f *testing.F) {
	talks(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		bubble(t, func(t *testing.T, s *served) {
			p := s.peer(alpha)
			p.one(dcerpc.TypeResponse, p.meets())
			for round := 0; len(b) >= 8 && round < 64; round++ {
				pause := b[7]
				var d dcerpc.Datagram
				d, b = next(b, p.call)
				for _, got := range p.says(d) {
					if got.Type == dcerpc.TypeRequest {
						answer := p.identity(got)
						answer.Body = dcerpc.Identity{Sequence: d.Sequence}.Append(nil, got.Op, got.BigEndian)
						p.says(answer)
					}
				}
				if k := s.keeps(); k.strangerBytes != k.inStrangers || k.activityBytes != k.inActivities {
					t.Fatalf("after %+v: %+v", d, k)
				}
				time.Sleep(time.Duration(pause) * 50 * time.Millisecond)
			}
			time.Sleep(idleTime + time.Minute)
			if k := s.keeps(); k != (kept{}) {
				t.Errorf("%+v is kept for ever", k)
			}
		})
	})
}

// FuzzClient answers a call with anything, in a row. The call ends, upon an answer or when
// nothing comes any more, and its client says no more than a few packets for each that it
// hears.
func FuzzClient(f *testing.F) {
	talks(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		called(t, func(t *testing.T, c *callee) {
			var sent atomic.Int64
			c.network.watch = func(from, _ netip.AddrPort, _ []byte) bool {
				if from.Addr() == alpha {
					sent.Add(1)
				}
				return false
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			c.calls(ctx, strings.Repeat("x", 40*fragment.Size))
			first := c.hears(dcerpc.TypeRequest)
			first.ServerBoot = boot
			heard := 0
			for ; len(b) >= 8 && heard < 64; heard++ {
				pause := b[7]
				var d dcerpc.Datagram
				d, b = next(b, first)
				before := sent.Load()
				c.says(c.conn, d)
				synctest.Wait()
				if n := sent.Load() - before; n > 64 {
					t.Errorf("%d packets upon %+v", n, d)
				}
				time.Sleep(time.Duration(pause) * 50 * time.Millisecond)
			}
			<-c.done
			if c.err == nil && heard == 0 || len(c.answer.Stub) > fragment.MaxStub {
				t.Errorf("%d bytes are the answer to %d packets", len(c.answer.Stub), heard)
			}
			if limit := time.Duration(heard+2) * (silence + 13*time.Second); c.took > limit {
				t.Errorf("it took %v, %v is the limit", c.took, limit)
			}
		})
	})
}
