package router_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"messngr"
	"messngr/router"
)

// However many machines do not answer, the message of somebody else goes out, and people
// of this host get theirs at once.
func TestNobodyWaitsForTheListOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{routes: []router.Route{smb(&sender{
			do: func(ctx context.Context, to messngr.Device, _ *messngr.Message) (messngr.Evidence, error) {
				if strings.HasPrefix(to.Name, "SILENT") {
					<-ctx.Done()
					return messngr.Evidence{}, messngr.ErrUnavailable
				}
				return messngr.Evidence{State: messngr.Accepted}, nil
			},
		})}})
		h.run(t)
		silent := make([]string, 300)
		for i := range silent {
			silent[i] = fmt.Sprint("SILENT", i)
		}
		ended := make(chan error)
		go func() {
			_, err := h.Send(t.Context(), router.Request{Principal: bob, To: silent})
			ended <- err
		}()
		synctest.Wait()
		begin := time.Now()
		sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}})
		if err != nil || !sent.AllReached() || time.Since(begin) != 0 {
			t.Errorf("alice: %v, %v after %v; want it accepted at once", trail(sent.Outgoing), err, time.Since(begin))
		}
		sent, err = h.Send(t.Context(), router.Request{Principal: bob, To: []string{"alice"}})
		if err != nil || !sent.AllReached() || time.Since(begin) != 0 {
			t.Errorf("bob to alice, here: %v, %v after %v; want it delivered at once", trail(sent.Outgoing), err, time.Since(begin))
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
