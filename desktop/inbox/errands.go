package inbox

import (
	"context"
	"sync"
	"time"
)

// Errands are what a face asks of the service while the person goes on. What a
// person did is not lost because the program ends right after it.
type Errands struct {
	patience time.Duration // of one errand
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// NewErrands returns errands that take at most so long each.
func NewErrands(patience time.Duration) *Errands {
	e := &Errands{patience: patience}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// Go runs an errand in a goroutine of its own.
func (e *Errands) Go(f func(ctx context.Context)) {
	e.running.Go(func() {
		ctx, cancel := context.WithTimeout(e.ctx, e.patience)
		defer cancel()
		f(ctx)
	})
}

// Over reports whether Finish has given up on what still runs, so that nobody
// has to be told of errors.
func (e *Errands) Over() bool { return e.ctx.Err() != nil }

// Finish waits until everything has been asked, for as long as ctx allows, and
// gives up on the rest. No errand may begin after it.
func (e *Errands) Finish(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.running.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	e.cancel()
	<-done
}
