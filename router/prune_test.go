package router

import (
	"testing"
	"time"
)

func TestWasSet(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		wall time.Duration // of an hour in truth
		want bool
	}{
		"nothing happened":       {time.Hour, false},
		"summer time by hand":    {2 * time.Hour, false},
		"slept over the weekend": {3 * day, false},
		"years ahead":            {1000 * day, true},
		"years behind":           {-1000 * day, true},
	} {
		if got := wasSet(tt.wall, time.Hour); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
