package tray

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/tray/card"
)

func at(hour int) time.Time { return time.Date(2026, 11, 21, hour, 14, 3, 0, time.Local) }

func TestDigest(t *testing.T) {
	w := card.Choose(func(string) string { return "" })
	d := digest{}
	now := at(9)
	add := func(i int, from string) {
		d.add(&control.Message{ID: messngr.ID{byte(i >> 8), byte(i)}, From: from, Text: fmt.Sprint("text\n", i)}, now)
	}
	add(1, "A")
	add(1, "A") // the same
	if c := w.Digest(d.content(), false); c.Summary != "One more message" || c.Body != "From A\nA: text 1" {
		t.Errorf("%+v", c)
	}
	for i := range digestMost + 10 {
		add(i+2, "B")
	}
	if c := w.Digest(d.content(), false); c.Summary != "10011 more messages" || !strings.HasPrefix(c.Body, "From A, B\n") || strings.Count(c.Body, "\n") != digestLines {
		t.Errorf("%+v", c)
	}
	if c := w.Digest(d.content(), true); strings.Contains(c.Body, "text ") || strings.Contains(c.Body, "A:") || len(c.Actions) != 1 {
		t.Errorf("hidden: %+v", c)
	}
	d.add(&control.Message{From: "<b>", Text: strings.Repeat("long ", 100)}, now)
	if last := d.last[len(d.last)-1].line; len([]rune(last)) != digestLine || !strings.HasPrefix(last, "‹b›: long") {
		t.Errorf("%q", last)
	}
}

// The first change is shown at once, those that follow not more often than a
// person can read, and after many less often still.
func TestDigestPauses(t *testing.T) {
	now := at(9)
	d := digest{}
	m := control.Message{From: "A"}
	change := func() time.Duration {
		m.ID[0]++
		d.add(&m, now)
		due := d.due.Sub(now)
		d.due, d.shownAt, d.changes = time.Time{}, now.Add(max(due, 0)), d.changes+1
		return due
	}
	if due := change(); due != 0 {
		t.Errorf("the first after %v", due)
	}
	if due := change(); due != digestPause {
		t.Errorf("the second after %v", due)
	}
	d.changes = digestOften + 1
	d.shownAt = now
	if due := change(); due != digestSlow {
		t.Errorf("the hundredth after %v", due)
	}
	d.reset()
	now = now.Add(time.Hour)
	change()
	if d.changes > 1 {
		t.Errorf("after an hour %d changes still count", d.changes)
	}
}
