package inbox_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/inbox"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// msg makes the message with that number; its text says what it is.
func msg(seq int, text string) control.Message {
	m := control.Message{ID: messngr.ID{15: byte(seq), 14: byte(seq >> 8)}, Seq: int64(seq), Text: text, Trust: messngr.Vouched, Proven: "x"}
	switch text {
	case "emergency", "drill":
		m.Level, m.Drill = messngr.LevelEmergency, text == "drill"
	case "urgent":
		m.Level = messngr.LevelUrgent
	case "question":
		m.Answers = []string{"Yes"}
	case "quiet":
		m.Quiet = true
	}
	return m
}

// view draws what is on the screen.
func view(q *inbox.Queue, now time.Time) string {
	v := q.View(now)
	switch v.Kind {
	case inbox.Nothing:
		return "nothing"
	case inbox.Digest:
		return fmt.Sprintf("digest of %d", len(v.Messages))
	case inbox.Emergency:
		return fmt.Sprintf("full %s %d, %d of %d", v.Message.Text, v.Message.Seq, v.Number, v.Count)
	}
	return fmt.Sprintf("%s %d, %d of %d", v.Message.Text, v.Message.Seq, v.Number, v.Count)
}

// step is one thing that happens, and what is on the screen after it.
type step struct {
	do   func(q *inbox.Queue, now time.Time)
	want string
}

func add(seq int, text string) func(*inbox.Queue, time.Time) {
	return func(q *inbox.Queue, _ time.Time) { q.Add(msg(seq, text)) }
}

func remove(seqs ...int) func(*inbox.Queue, time.Time) {
	return func(q *inbox.Queue, _ time.Time) {
		for _, s := range seqs {
			q.Remove(msg(s, "").ID)
		}
	}
}

func next(q *inbox.Queue, now time.Time) { q.Next(now) }
func nothing(*inbox.Queue, time.Time)    {}

func putOff(seqs ...int) func(*inbox.Queue, time.Time) {
	return func(q *inbox.Queue, now time.Time) {
		for _, s := range seqs {
			q.PutOff(now, msg(s, "").ID)
		}
	}
}

func many(from, to int, text string) func(*inbox.Queue, time.Time) {
	return func(q *inbox.Queue, _ time.Time) {
		for i := from; i <= to; i++ {
			q.Add(msg(i, text))
		}
	}
}

func TestQueue(t *testing.T) {
	for name, steps := range map[string][]step{
		"one after another": {
			{add(1, "info"), "info 1, 1 of 1"},
			{add(2, "info"), "info 1, 1 of 2"},
			{add(2, "info"), "info 1, 1 of 2"}, // known already
			{next, "info 2, 2 of 2"},
			{next, "info 1, 1 of 2"},
			{remove(1), "info 2, 1 of 1"},
			{next, "info 2, 1 of 1"},
			{remove(2), "nothing"},
		},
		"what is more important comes first, and one may look at the rest": {
			{add(1, "info"), "info 1, 1 of 1"},
			{add(2, "question"), "question 2, 1 of 2"},
			{next, "info 1, 2 of 2"},
			{nothing, "info 1, 2 of 2"},
			{add(3, "info"), "info 1, 2 of 3"},
			{add(4, "urgent"), "question 2, 1 of 4"},
			{remove(2), "urgent 4, 1 of 3"},
		},
		"emergencies before drills, the newest first, nothing beside them": {
			{add(1, "urgent"), "urgent 1, 1 of 1"},
			{add(2, "drill"), "full drill 2, 1 of 1"},
			{add(3, "urgent"), "full drill 2, 1 of 1"},
			{next, "full drill 2, 1 of 1"},
			{add(4, "emergency"), "full emergency 4, 1 of 1"},
			{add(5, "emergency"), "full emergency 4, 2 of 2"},
			{next, "full emergency 5, 1 of 2"},
			{remove(4, 5), "full drill 2, 1 of 1"},
			{remove(2), "urgent 1, 1 of 2"},
		},
		"a digest for many": {
			{many(1, 7, "info"), "info 1, 1 of 7"},
			{many(8, 8, "info"), "digest of 8"}, // nobody has read the first one yet
			{many(9, 100, "info"), "digest of 100"},
			{add(101, "urgent"), "urgent 101, 1 of 101"},
			{remove(101), "digest of 100"},
			{func(q *inbox.Queue, _ time.Time) { q.OneByOne() }, "info 1, 1 of 100"},
			{remove(1), "info 2, 1 of 99"},
			{many(2, 100, "info"), "info 2, 1 of 99"},
			{func(q *inbox.Queue, _ time.Time) { q.Keep(nil) }, "nothing"},
			{many(1, 8, "info"), "digest of 8"}, // one by one was for those
		},
		"quiet ones are counted": {
			{add(1, "quiet"), "digest of 1"},
			{putOff(1), "nothing"},
			{add(2, "quiet"), "nothing"},
			{add(3, "info"), "info 3, 1 of 1"},
			{remove(3), "nothing"},
		},
		"put off": {
			{add(1, "info"), "info 1, 1 of 1"},
			{add(2, "info"), "info 1, 1 of 2"},
			{putOff(1), "info 2, 1 of 1"},
			{putOff(2), "nothing"},
			{putOff(9), "nothing"},
		},
		"the service's own view": {
			{many(1, 3, "info"), "info 1, 1 of 3"},
			{func(q *inbox.Queue, _ time.Time) {
				q.Keep([]control.Message{msg(2, "info"), msg(4, "info")})
			}, "info 2, 1 of 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var q inbox.Queue
			for i, s := range steps {
				s.do(&q, start)
				if got := view(&q, start); got != s.want {
					t.Fatalf("after step %d: %s, want %s", i+1, got, s.want)
				}
			}
		})
	}
}

// A message that somebody reads does not make room for a digest.
func TestQueueDigestWaitsForTheReader(t *testing.T) {
	var q inbox.Queue
	q.Add(msg(1, "info"))
	view(&q, start)
	later := start.Add(2 * time.Second)
	many(2, 50, "info")(&q, later)
	if got, want := view(&q, later), "info 1, 1 of 50"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	q.Remove(msg(1, "").ID)
	if got, want := view(&q, later), "digest of 49"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestQueueTimes(t *testing.T) {
	var q inbox.Queue
	if w := q.Wake(start); !w.IsZero() {
		t.Errorf("an empty queue wakes at %v", w)
	}
	m := msg(1, "info")
	ends := start.Add(time.Hour)
	m.ExpiresAt = &ends
	q.Add(m)
	q.Add(msg(2, "info"))
	if w := q.Wake(start); !w.Equal(ends) {
		t.Errorf("it wakes at %v, want %v", w, ends)
	}
	q.PutOff(start, msg(2, "").ID)
	back := start.Add(inbox.PutOff)
	if w := q.Wake(start); !w.Equal(back) {
		t.Errorf("it wakes at %v, want %v", w, back)
	}
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{back.Add(-time.Millisecond), "info 1, 1 of 1"}, {back, "info 1, 1 of 2"},
		{ends.Add(-time.Millisecond), "info 1, 1 of 2"}, {ends, "info 2, 1 of 1"},
	} {
		if got := view(&q, tt.at); got != tt.want {
			t.Errorf("at %v: %s, want %s", tt.at, got, tt.want)
		}
	}
	if q.Len() != 1 {
		t.Errorf("%d messages wait, want 1", q.Len())
	}
}

// Whatever happens: an emergency that waits is on the screen, nothing is shown
// that does not wait, and what waits and was not put off can be seen.
func TestQueueRandom(t *testing.T) {
	kinds := []string{"info", "urgent", "question", "drill", "emergency", "quiet"}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var q inbox.Queue
		there := make(map[int]string)
		off := make(map[int]time.Time)
		now := start
		for i := range 200 {
			now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
			seq := 1 + r.IntN(30)
			switch r.IntN(6) {
			case 0, 1, 2:
				if there[seq] == "" {
					there[seq] = kinds[r.IntN(len(kinds))]
					q.Add(msg(seq, there[seq]))
				}
			case 3:
				q.Remove(msg(seq, "").ID)
				delete(there, seq)
				delete(off, seq)
			case 4:
				q.Next(now)
			case 5:
				if k := there[seq]; k != "" && k != "emergency" && k != "drill" {
					q.PutOff(now, msg(seq, "").ID)
					off[seq] = now.Add(inbox.PutOff)
				}
			}
			v := q.View(now)
			best := ""
			for s, k := range there {
				if (k == "emergency" || k == "drill" && best == "") && !now.Before(off[s]) {
					best = k
				}
			}
			switch {
			case best != "" && (v.Kind != inbox.Emergency || v.Message.Text != best):
				t.Fatalf("seed %d, step %d: %v %q is shown, want the %s", seed, i, v.Kind, v.Message.Text, best)
			case v.Kind == inbox.Card && there[int(v.Message.Seq)] != v.Message.Text:
				t.Fatalf("seed %d, step %d: %d is shown, which does not wait", seed, i, v.Message.Seq)
			case v.Kind == inbox.Card && (v.Number < 1 || v.Number > v.Count):
				t.Fatalf("seed %d, step %d: %d of %d", seed, i, v.Number, v.Count)
			case v.Kind == inbox.Digest && len(v.Messages) == 0:
				t.Fatalf("seed %d, step %d: a digest of nothing", seed, i)
			case v.Kind == inbox.Nothing:
				for s, k := range there {
					if k != "quiet" && !now.Before(off[s]) {
						t.Fatalf("seed %d, step %d: nothing is shown, and %s %d waits", seed, i, k, s)
					}
				}
			}
		}
	}
}

func TestQueueEmergencies(t *testing.T) {
	var q inbox.Queue
	for i, text := range []string{"plain", "drill", "urgent", "emergency"} {
		q.Add(msg(i+1, text))
	}
	var got []string
	for _, m := range q.Emergencies() {
		got = append(got, m.Text)
		if !q.IsEmergency(m.ID) {
			t.Errorf("%s is none", m.Text)
		}
	}
	if !slices.Equal(got, []string{"emergency", "drill"}) || q.IsEmergency(msg(3, "").ID) || q.IsEmergency(msg(9, "").ID) {
		t.Errorf("the emergencies are %q", got)
	}
}
