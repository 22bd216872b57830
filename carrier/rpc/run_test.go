package rpc

import (
	"errors"
	"testing"
	"time"

	"messngr/wire/dcerpc"
)

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		want   dcerpc.PacketType
		status dcerpc.Status
	}{
		"rejected":  {&dcerpc.StatusError{Status: dcerpc.OpRange, Rejected: true}, dcerpc.TypeReject, dcerpc.OpRange},
		"failed":    {&dcerpc.StatusError{Status: dcerpc.BadStub}, dcerpc.TypeFault, dcerpc.BadStub},
		"any error": {errors.New("out of luck"), dcerpc.TypeFault, dcerpc.UnspecifiedFault},
		"panic":     {nil, dcerpc.TypeFault, dcerpc.UnspecifiedFault},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *served) {
				s.do = func(dcerpc.Call) ([]byte, error) {
					if tt.err == nil {
						panic("impossible")
					}
					return nil, tt.err
				}
				p := s.peer(alpha)
				if got := p.status(tt.want, p.meets()); got != tt.status {
					t.Errorf("status %v, want %v", got, tt.status)
				}
				if got := p.status(tt.want, p.says(p.call)); got != tt.status {
					t.Errorf("told again: %v, want %v", got, tt.status)
				}
				s.wantRefused(tt.status.String(), 1)
			})
		})
	}
}

// TestManyCallsAtOnce makes more calls than run at once: the others wait for their turn, but
// for those that are too many for one address.
func TestManyCallsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(c dcerpc.Call) ([]byte, error) { time.Sleep(time.Minute); return c.Stub, nil }
		var peers []*peer
		for range maxFromOne - 1 {
			p := s.peer(alpha)
			p.call.BigEndian = len(peers)%2 == 0
			if got := p.meets(); len(got) != 0 {
				t.Fatalf("answered with %+v", got)
			}
			peers = append(peers, p)
		}
		if n := len(s.ran()); n != maxRunning {
			t.Errorf("%d calls run at once, want %d", n, maxRunning)
		}
		peers[maxRunning].one(dcerpc.TypeWorking, peers[maxRunning].says(peers[maxRunning].call))
		// One that waits is given up for another.
		last := peers[len(peers)-1]
		last.call.Sequence, last.call.ServerBoot = 1, s.server.boot
		last.call.Body = []byte("instead of the one that waits")
		last.says(last.call)
		late := s.peer(alpha)
		if got := late.status(dcerpc.TypeReject, late.meets()); got != dcerpc.ServerTooBusy {
			t.Errorf("one too many is rejected with %v", got)
		}
		s.wantRefused(ReasonBusy, 1)
		if got := s.peer(address(7)).meets(); len(got) != 0 {
			t.Errorf("another address is answered with %+v", got)
		}
		time.Sleep(10 * time.Minute)
		for i, p := range peers {
			if got := p.hears(); len(got) != 1 || got[0].Type != dcerpc.TypeResponse || got[0].Sequence != p.call.Sequence {
				t.Fatalf("call %d is answered with %+v", i, got)
			}
		}
		if n := len(s.ran()); n != maxFromOne {
			t.Errorf("%d calls were run, want %d", n, maxFromOne)
		}
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		if len(s.server.from) != 0 || len(s.server.queue) != 0 || s.server.running != 0 || s.server.activities.bytes != 0 {
			t.Errorf("when all is done: %v, %d wait, %d run, %d bytes", s.server.from, len(s.server.queue), s.server.running, s.server.activities.bytes)
		}
	})
}

// TestQueueIsBounded lets calls wait that are as long as can be.
func TestQueueIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		s.do = func(c dcerpc.Call) ([]byte, error) { time.Sleep(time.Minute); return nil, nil }
		stub := make([]byte, 60000)
		busy := 0
		for i := range uint32(600) {
			p := s.peer(address(i))
			p.call.Body = stub
			for _, d := range p.meets() {
				if d.Type == dcerpc.TypeReject {
					busy++
				}
			}
			if k := s.keeps(); k.inActivities > maxAssembly+len(stub) {
				t.Fatalf("%+v after %d calls, want at most %d bytes", k, i+1, maxAssembly)
			}
		}
		if busy == 0 {
			t.Error("no call was told to come later")
		}
		time.Sleep(time.Hour)
		if n := len(s.ran()); n != 600-busy {
			t.Errorf("%d calls were run, want %d", n, 600-busy)
		}
	})
}
