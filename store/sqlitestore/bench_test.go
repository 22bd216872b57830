//go:build unix

package sqlitestore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"messngr/store"
	"messngr/store/sqlitestore"
)

// cpu returns the processor time that this process has used.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func openBench(b *testing.B) *sqlitestore.Store {
	s, err := sqlitestore.Open(filepath.Join(b.TempDir(), "messages.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// BenchmarkTake measures durable messages by 1, 8 and 64 callers at a time: how
// many a second, the processor time of each in all of the process, and how long
// a caller waits.
func BenchmarkTake(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := openBench(b)
			waits := make([]time.Duration, b.N)
			var next atomic.Int64
			var wg sync.WaitGroup
			before := cpu(b)
			b.ResetTimer()
			for range callers {
				wg.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						in := benchMessage(b, n)
						start := time.Now()
						if _, _, err := s.Take(context.Background(), in); err != nil {
							b.Error(err)
							return
						}
						waits[n-1] = time.Since(start)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			used := cpu(b) - before
			slices.Sort(waits)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/msg")
			b.ReportMetric(float64(waits[b.N/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(waits[b.N*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkSearch measures a search that has to index 10,000 new messages, and
// one that has nothing to index.
func BenchmarkSearch(b *testing.B) {
	const messages = 10_000
	ctx := context.Background()
	s := openBench(b)
	var wg sync.WaitGroup
	for part := range 64 {
		wg.Go(func() {
			for n := part; n < messages; n += 64 {
				if _, _, err := s.Take(ctx, benchMessage(b, int64(n))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	search := func() {
		found, err := s.Inbox(ctx, store.Query{Search: "message 4711 fir"})
		if err != nil || len(found) != 1 {
			b.Fatalf("found %d messages, error %v; want 1", len(found), err)
		}
	}
	before, start := cpu(b), time.Now()
	search()
	b.Logf("first search of %d messages: %v, %v of processor time", messages, time.Since(start), cpu(b)-before)
	b.Run("indexed", func(b *testing.B) {
		for b.Loop() {
			search()
		}
	})
	b.Run("inbox", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Inbox(ctx, store.Query{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.Counts(ctx, []string{""}, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOpen measures how long a service waits for a store that exists.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "messages.db")
	for b.Loop() {
		s, err := sqlitestore.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
