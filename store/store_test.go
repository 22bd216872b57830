package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/store"
)

// running stands for an attempt without end in the tables below.
const running = messngr.State(255)

func TestRecipientState(t *testing.T) {
	tests := []struct {
		name     string
		attempts []messngr.State
		want     messngr.State
		open     bool
	}{
		{"nothing tried", nil, messngr.Queued, true},
		{"first attempt runs", []messngr.State{running}, messngr.Queued, true},
		{"first attempt waits", []messngr.State{messngr.Queued}, messngr.Queued, true},
		{"failed", []messngr.State{messngr.Failed}, messngr.Failed, false},
		{"failed at last", []messngr.State{messngr.Queued, messngr.Failed}, messngr.Failed, false},
		{"waits after a failure", []messngr.State{messngr.Failed, messngr.Queued}, messngr.Queued, true},
		{"tried again after a failure", []messngr.State{messngr.Failed, running}, messngr.Queued, true},
		{"accepted", []messngr.State{messngr.Accepted}, messngr.Accepted, false},
		{"accepted after a failure", []messngr.State{messngr.Failed, messngr.Accepted}, messngr.Accepted, false},
		{"failure after accepted", []messngr.State{messngr.Accepted, messngr.Failed}, messngr.Accepted, false},
		{"second device runs", []messngr.State{messngr.Accepted, running}, messngr.Accepted, true},
		{"best of two", []messngr.State{messngr.Displayed, messngr.Delivered}, messngr.Displayed, false},
		{"refused counts more than failed", []messngr.State{messngr.Refused, messngr.Failed}, messngr.Refused, false},
		{"unknown counts more than refused", []messngr.State{messngr.Unknown, messngr.Refused}, messngr.Unknown, false},
		{"sent counts more than unknown", []messngr.State{messngr.Unknown, messngr.Sent}, messngr.Sent, false},
		{"expired while waiting", []messngr.State{messngr.Queued, messngr.Expired}, messngr.Expired, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r store.Recipient
			for _, s := range tt.attempts {
				a := store.Attempt{Began: time.Unix(1, 0)}
				if s != running {
					a.Ended, a.Evidence.State = time.Unix(2, 0), s
				}
				r.Attempts = append(r.Attempts, a)
			}
			if got := r.State(); got != tt.want {
				t.Errorf("State() = %v, want %v", got, tt.want)
			}
			if got := r.Open(); got != tt.open {
				t.Errorf("Open() = %v, want %v", got, tt.open)
			}
		})
	}
}

func TestQueryWords(t *testing.T) {
	tests := []struct {
		search   string
		want     []string
		searches bool
	}{
		{"", nil, false},
		{" \t\n\x00", nil, false},
		{"hello wor", []string{"hello", "wor"}, true},
		{" PC-17\u00a0sagt\x00Hallo ", []string{"PC-17", "sagt", "Hallo"}, true},
		{`"quoted" OR NOT*`, []string{`"quoted"`, "OR", "NOT*"}, true},
		{"! ?? 😀", nil, true},
		{"mull !", []string{"mull"}, true},
		{"\xff\xfea", []string{"\uFFFDa"}, true},
	}
	for _, tt := range tests {
		q := store.Query{Search: tt.search}
		if diff := cmp.Diff(tt.want, q.Words()); diff != "" {
			t.Errorf("Words of %q (-want +got):\n%s", tt.search, diff)
		}
		if got := q.Searches(); got != tt.searches {
			t.Errorf("Searches of %q = %v, want %v", tt.search, got, tt.searches)
		}
	}
}

func TestQueryMax(t *testing.T) {
	for limit, want := range map[int]int{-1: 100, 0: 100, 1: 1, 10_000: 10_000, 10_001: 10_000} {
		q := store.Query{Limit: limit}
		if got := q.Max(); got != want {
			t.Errorf("Max with limit %d = %d, want %d", limit, got, want)
		}
	}
}
