package transport_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"messngr"
	"messngr/transport"
)

// TestIntake: who comes early waits, who comes late is told so, and who is in is waited for.
func TestIntake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := transport.NewIntake()
		if _, _, err := i.Join(t.Context()); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("without a service: %v, want ErrUnavailable", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		taken := 0
		go func() {
			time.Sleep(time.Second)
			_ = i.Receive(ctx, func(context.Context, messngr.Inbound) (messngr.Results, error) { taken++; return nil, nil })
			taken = -taken
		}()
		accept, leave, err := i.Join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if _, _, err := i.Join(t.Context()); !errors.Is(err, messngr.ErrUnavailable) || i.Ending().Err() == nil {
			t.Errorf("after the end: %v, want ErrUnavailable", err)
		}
		if _, err := accept(t.Context(), messngr.Inbound{}); err != nil || taken != 1 {
			t.Errorf("a message in hand at the end: %v, %d taken", err, taken)
		}
		leave()
		synctest.Wait()
		if taken != -1 {
			t.Error("Receive waits when all have left")
		}
	})
}

func TestRecipient(t *testing.T) {
	e := transport.Env{Host: "BETA", Local: func(name string) bool { return name == "BETA" || name == "ALICE" }}
	for typed, want := range map[string]string{
		"beta": "BETA", "Alice": "ALICE", "10.0.0.1": "BETA", "beta.example.org": "BETA", "alice.example.org": "ALICE",
		"nobody": "NOBODY", "nobody.example.org": "NOBODY.EXAMPLE.ORG", "": "",
	} {
		if got := e.Recipient(typed); got != want {
			t.Errorf("%q means %q, want %q", typed, got, want)
		}
	}
}
