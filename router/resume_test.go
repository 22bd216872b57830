package router_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"messngr"
	"messngr/router"
	"messngr/store"
	"messngr/store/memstore"
)

// left is a message that the last run of the service left behind: the attempts
// to its only recipient, which may lack their end.
func left(t *testing.T, s store.Store, n byte, wait bool, attempts ...messngr.State) messngr.ID {
	t.Helper()
	m := &messngr.Message{ID: uuid.UUID{15: n}, Time: time.Now(), Text: "left"}
	if wait {
		m.Expires = time.Now().Add(time.Hour)
	}
	out := store.Outgoing{Message: m, Wait: wait, Recipients: []store.Recipient{{To: "PC18", Device: messngr.Device{Name: "PC18"}}}}
	if err := s.Queue(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	for _, state := range attempts {
		number, err := s.Begin(t.Context(), store.Attempt{Message: m.ID, Via: "smb", Began: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if state == cutOff {
			continue
		}
		err = s.Finish(t.Context(), store.Attempt{Number: number, Ended: time.Now(), Evidence: messngr.Evidence{State: state}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return m.ID
}

const cutOff = messngr.State(99)

func TestResume(t *testing.T) {
	tests := []struct {
		name     string
		wait     bool
		attempts []messngr.State
		want     []string
		state    messngr.State
	}{
		{"cut off", false, []messngr.State{cutOff}, []string{"smb unknown uncertain"}, messngr.Unknown},
		{"cut off, may wait", true, []messngr.State{cutOff}, []string{"smb unknown uncertain"}, messngr.Unknown},
		{"cut off twice", true, []messngr.State{cutOff, cutOff}, []string{"smb unknown uncertain", "smb unknown uncertain"}, messngr.Unknown},
		{"cut off in the second round", true, []messngr.State{messngr.Queued, cutOff}, []string{"smb queued", "smb unknown uncertain"}, messngr.Unknown},
		{"not begun", false, nil, []string{"failed unavailable"}, messngr.Failed},
		{"between two routes", false, []messngr.State{messngr.Queued}, []string{"smb queued", "failed unavailable"}, messngr.Failed},
		{"not begun, may wait", true, nil, []string{"smb accepted"}, messngr.Accepted},
		{"waits", true, []messngr.State{messngr.Queued, messngr.Queued}, []string{"smb queued", "smb queued", "smb accepted"}, messngr.Accepted},
		{"settled", true, []messngr.State{messngr.Accepted}, []string{"smb accepted"}, messngr.Accepted},
		{"failed", false, []messngr.State{messngr.Failed}, []string{"smb failed"}, messngr.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{Store: memstore.New()}
				id := left(t, s, 1, tt.wait, tt.attempts...)
				h := newHost(t, options{store: s, routes: []router.Route{smb(accepts())}})
				h.run(t)
				synctest.Wait()
				out, err := s.SentMessage(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, trail(out)); diff != "" {
					t.Errorf("attempts (-want +got):\n%s", diff)
				}
				if to := &out.Recipients[0]; to.State() != tt.state || to.Open() {
					t.Errorf("state %v, open %v; want %v, settled", to.State(), to.Open(), tt.state)
				}
			})
		})
	}
}

func TestResumeOfWhatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{Store: memstore.New()}
		id := left(t, s, 1, true, messngr.Queued)
		time.Sleep(2 * time.Hour) // the service was off
		carrier := accepts()
		h := newHost(t, options{store: s, routes: []router.Route{smb(carrier)}})
		h.run(t)
		synctest.Wait()
		out, err := s.SentMessage(t.Context(), id)
		if err != nil || out.Recipients[0].State() != messngr.Expired || len(carrier.calls()) > 0 {
			t.Errorf("%v, %v, %d attempts; want it expired without one", trail(out), err, len(carrier.calls()))
		}
	})
}

// Every run takes up what the one before it left, and sends it once.
func TestResumeOverSeveralRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{Store: memstore.New()}
		var id messngr.ID
		for run := range 4 {
			route := declines(messngr.ErrUnavailable)
			if run == 3 {
				route = accepts()
			}
			h := newHost(t, options{store: s, routes: []router.Route{smb(route)}})
			stop := h.run(t)
			if run == 0 {
				sent, err := h.Send(t.Context(), router.Request{
					Principal: alice, To: []string{"PC18"}, Wait: true, Want: state(messngr.Queued),
					Message: messngr.Message{Expires: time.Now().Add(time.Hour)},
				})
				if err != nil {
					t.Fatal(err)
				}
				id = sent.Message.ID
			}
			time.Sleep(6 * time.Second)
			stop()
		}
		out, err := s.SentMessage(t.Context(), id)
		if err != nil || out.Recipients[0].State() != messngr.Accepted {
			t.Errorf("%v, %v; want it accepted at last", trail(out), err)
		}
		if n := len(trail(out)); n != 7 { // two in each run, and one
			t.Errorf("%d attempts, want 7: %v", n, trail(out))
		}
	})
}

func TestResumeThatFails(t *testing.T) {
	s := &shelf{Store: memstore.New()}
	left(t, s, 1, false, cutOff)
	s.on("Finish", fails)
	h := newHost(t, options{store: s})
	if err := h.Run(context.Background()); !errors.Is(err, errDisk) {
		t.Errorf("Run = %v, want the store's error", err)
	}
}
