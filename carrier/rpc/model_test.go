package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier"
	"messngr/wire/dcerpc"
)

var (
	alpha = netip.MustParseAddr("10.77.0.1")
	beta  = netip.MustParseAddr("10.77.0.2")

	echoes = dcerpc.Syntax{ID: uuid.MustParse("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc"), Major: 1}
)

// books are what the host that is called keeps, also over a restart: the calls that it
// has taken, by their origin.
type books struct {
	mu     sync.Mutex
	random *rand.Rand
	taken  map[string]int // by the text of the call
	origin map[string]bool
	runs   map[string]int // how often each origin was run, since the start
	twice  []string       // origins that one server has run twice
}

// refuses says which calls are refused, of those that are made.
func refuses(text string) bool { return strings.HasPrefix(text, "refuse") }

// run is the handler.
func (b *books) run(_ context.Context, _ netip.AddrPort, call dcerpc.Call) ([]byte, error) {
	b.mu.Lock()
	var pause time.Duration
	if b.random.Float64() < 0.3 {
		pause = time.Duration(b.random.Int64N(int64(4 * time.Second)))
	}
	b.mu.Unlock()
	time.Sleep(pause)
	b.mu.Lock()
	defer b.mu.Unlock()
	origin := fmt.Sprint(call.Activity, "/", call.Sequence)
	if b.runs[origin]++; b.runs[origin] > 1 {
		b.twice = append(b.twice, origin)
	}
	text, _, _ := strings.Cut(string(call.Stub), "|")
	if refuses(text) {
		return nil, &dcerpc.StatusError{Status: dcerpc.AccessDenied}
	}
	if !b.origin[origin] {
		b.origin[origin] = true
		b.taken[text]++
	}
	return call.Stub, nil
}

// host runs a carrier with the handler until stop is called.
func host(t *testing.T, n *network, addr netip.Addr, h Handler) (c *Carrier, stop func()) {
	t.Helper()
	c = n.carrier(addr)
	c.Handle(echoes, "echo", h)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-c.Ready()
	return c, func() { cancel(); running.Wait() }
}

// faults are how bad a network is, and its server.
type faults struct {
	loss, duplicate, reorder float64
	delay                    time.Duration
	// restarts says that the server is restarted now and then, and forgetful that it
	// then knows nothing of the calls that it has taken, as servers of others.
	restarts, forgetful bool
}

// TestModel lets a client call a server over networks that lose, duplicate, hold up and
// reorder datagrams, while the server is restarted now and then. Whatever happens, every
// call ends, is taken at most once, and exactly once if it was answered.
func TestModel(t *testing.T) {
	seeds := 2000
	if testing.Short() {
		seeds = 200
	}
	outcomes := make(map[string]int)
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for seed := range next {
				synctest.Test(t, func(t *testing.T) {
					for outcome, n := range play(t, seed) {
						mu.Lock()
						outcomes[outcome] += n
						mu.Unlock()
					}
				})
			}
		})
	}
	for seed := range uint64(seeds) {
		next <- seed
	}
	close(next)
	group.Wait()
	t.Logf("%d seeds: %v", seeds, outcomes)
	for _, outcome := range []string{"taken", "refused", "uncertain: taken", "uncertain: not taken"} {
		if outcomes[outcome] == 0 {
			t.Errorf("no call ended as %q, so that this test does not show what it is for", outcome)
		}
	}
}

// play makes some calls on one network, and returns how many ended in which way.
func play(t *testing.T, seed uint64) map[string]int {
	random := rand.New(rand.NewPCG(seed, 1))
	f := faults{
		loss: 0.3 * random.Float64(), duplicate: 0.3 * random.Float64(), reorder: 0.3 * random.Float64(),
		delay: time.Duration(random.Int64N(int64(3 * time.Second))), restarts: random.IntN(2) == 0, forgetful: random.IntN(2) == 0,
	}
	n := newNetwork(seed)
	n.loss, n.duplicate, n.reorder, n.delay = f.loss, f.duplicate, f.reorder, f.delay
	store := &books{
		random: rand.New(rand.NewPCG(seed, 2)), taken: make(map[string]int), origin: make(map[string]bool), runs: make(map[string]int),
	}
	_, stop := host(t, n, beta, store.run)
	caller, stopCaller := host(t, n, alpha, store.run)
	var results []result
	var mu sync.Mutex
	var calls sync.WaitGroup
	for i := range 1 + random.IntN(8) {
		text := fmt.Sprint([]string{"call ", "refuse "}[random.IntN(5)/4], i)
		size := []int{0, 100, 900, 2000, 9600, 60000}[random.IntN(6)]
		pause := time.Duration(random.Int64N(int64(20 * time.Second)))
		calls.Go(func() {
			time.Sleep(pause)
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(15+10*(size/9600))*time.Second)
			defer cancel()
			stub := text + "|" + strings.Repeat("x", size)
			answer, err := caller.Call(ctx, beta, dcerpc.Call{Interface: echoes, Stub: []byte(stub), BigEndian: size%3 == 0})
			mu.Lock()
			defer mu.Unlock()
			results = append(results, result{text, err, string(answer.Stub) == stub && answer.BigEndian == (size%3 == 0)})
		})
	}
	if f.restarts {
		stop = restart(t, n, random, f, store, stop)
	}
	calls.Wait()
	time.Sleep(time.Minute) // whatever is still on its way arrives
	stopCaller()
	stop()
	outcomes := make(map[string]int)
	for _, r := range results {
		outcome, problem := r.judge(store.taken[r.text])
		if problem != "" {
			t.Errorf("seed %d, %+v: %q was %s: %v; it was taken %d times", seed, f, r.text, problem, r.err, store.taken[r.text])
		}
		outcomes[outcome]++
	}
	if len(store.twice) > 0 {
		t.Errorf("seed %d, %+v: one server has run calls twice: %v", seed, f, store.twice)
	}
	return outcomes
}

// restart restarts the server a few times, and returns how to stop the last one.
func restart(t *testing.T, n *network, random *rand.Rand, f faults, store *books, stop func()) func() {
	for range 1 + random.IntN(3) {
		time.Sleep(time.Duration(random.Int64N(int64(8 * time.Second))))
		stop()
		// Servers tell themselves apart by the second in which they started.
		time.Sleep(time.Second + time.Duration(random.Int64N(int64(3*time.Second))))
		store.mu.Lock()
		clear(store.runs)
		if f.forgetful {
			clear(store.origin)
		}
		store.mu.Unlock()
		_, stop = host(t, n, beta, store.run)
	}
	return stop
}

// result is how one call ended for its caller.
type result struct {
	text   string
	err    error
	echoed bool // whether the answer is the right one
}

// judge says how a call has ended that the server has taken so often, and what is wrong
// with that.
func (r result) judge(taken int) (outcome, problem string) {
	var status *dcerpc.StatusError
	switch {
	case taken > 1:
		return "twice", "taken twice"
	case r.err == nil && (taken != 1 || !r.echoed || refuses(r.text)):
		return "wrong", "a wrong success"
	case r.err == nil:
		return "taken", ""
	case errors.As(r.err, &status) && taken != 0:
		return "wrong", "a wrong refusal"
	case errors.As(r.err, &status) && status.Status == dcerpc.AccessDenied:
		return "refused", ""
	case errors.As(r.err, &status):
		return status.Error(), ""
	case errors.Is(r.err, carrier.ErrOff) && taken != 0:
		return "wrong", "taken although nobody was there"
	case errors.Is(r.err, carrier.ErrOff):
		return "nobody there", ""
	case taken == 0:
		return "uncertain: not taken", ""
	default:
		return "uncertain: taken", ""
	}
}
