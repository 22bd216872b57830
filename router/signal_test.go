package router

import (
	"sync"
	"testing"
	"testing/synctest"
)

func TestSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s signal
		s.raise() // nobody waits: nothing happens
		var all sync.WaitGroup
		for range 3 {
			woken := s.wait()
			all.Go(func() { <-woken })
		}
		synctest.Wait()
		s.raise()
		all.Wait()
		select {
		case <-s.wait():
			t.Error("a signal that was raised before wakes who waits now")
		default:
		}
	})
}
