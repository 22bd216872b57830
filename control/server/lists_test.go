package server

import (
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"messngr/store"
)

func TestPages(t *testing.T) {
	// shelf holds the numbers 1 to 250.
	shelf := func(q store.Query) (page []int64, err error) {
		for i := int64(1); i <= 250; i++ {
			if i > q.After && (q.Before == 0 || i < q.Before) {
				page = append(page, i)
			}
		}
		if !q.Oldest {
			slices.Reverse(page)
		}
		return page[:min(len(page), q.Max())], nil
	}
	for name, tt := range map[string]struct {
		q           store.Query
		n           int
		first, last int64
	}{
		"the newest":      {store.Query{}, 100, 250, 151},
		"more":            {store.Query{Limit: 230}, 230, 250, 21},
		"all":             {store.Query{Limit: 10_000}, 250, 250, 1},
		"whole pages":     {store.Query{Limit: 200}, 200, 250, 51},
		"the oldest":      {store.Query{Limit: 230, Oldest: true}, 230, 1, 230},
		"between numbers": {store.Query{Limit: 230, After: 20, Before: 240}, 219, 239, 21},
	} {
		var got []int64
		for n, err := range pages(tt.q, shelf, func(n *int64) int64 { return *n }) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		if len(got) != tt.n || got[0] != tt.first || got[len(got)-1] != tt.last {
			t.Errorf("%s: %d from %d to %d, want %d from %d to %d", name, len(got), got[0], got[len(got)-1], tt.n, tt.first, tt.last)
		}
	}
}

type listed struct {
	Items []int `json:"items"`
	Total int   `json:"total"`
}

// answerOf lists the numbers below n, and then what fails.
func answerOf(n int, fails error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		if fails != nil {
			yield(0, fails)
		}
	}
}

func TestWriteList(t *testing.T) {
	for n, want := range []string{`{"items":[],"total":9}`, `{"items":[0],"total":9}`, `{"items":[0,1],"total":9}`} {
		w := httptest.NewRecorder()
		if err := writeList(w, listed{Items: []int{}, Total: 9}, answerOf(n, nil)); err != nil || w.Body.String() != want+"\n" {
			t.Errorf("%d items: %q, %v; want %q", n, w.Body, err, want)
		}
	}
}

// A list that cannot be read to its end is no answer.
func TestWriteListThatFails(t *testing.T) {
	failure := errors.New("disk on fire")
	w := httptest.NewRecorder()
	if err := writeList(w, listed{Items: []int{}}, answerOf(0, failure)); !errors.Is(err, failure) || w.Body.Len() > 0 {
		t.Errorf("at once: %v, %q written; want the error and nothing", err, w.Body)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = writeList(w, listed{Items: []int{}}, answerOf(10_000, failure))
	}))
	defer srv.Close()
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got listed
	if err := json.NewDecoder(resp.Body).Decode(&got); err == nil {
		t.Errorf("later: %d items and no error", len(got.Items))
	}
}
