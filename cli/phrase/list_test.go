package phrase_test

import (
	"testing"
	"time"

	"messngr/cli/phrase"
)

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 21, 18, 0, 0, 0, time.Local)
	for at, want := range map[time.Time]string{
		now.Add(-time.Hour):       "17:00",
		now.Add(-24 * time.Hour):  "20 Nov 18:00",
		now.AddDate(-1, 0, 0):     "2025-11-21",
		now.Add(10 * time.Minute): "18:10",
	} {
		if got := phrase.Clock(at, now); got != want {
			t.Errorf("Clock(%v) = %q, want %q", at, got, want)
		}
	}
}
