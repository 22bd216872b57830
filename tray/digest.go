package tray

import (
	"slices"
	"strings"
	"time"

	"messngr"
	"messngr/control"
	"messngr/tray/card"
	"messngr/wire/oem"
)

const (
	// digestPause is the least time between two changes of a digest, and
	// digestSlow the same when it has changed often, until it rests.
	digestPause = 100 * time.Millisecond
	digestSlow  = time.Second
	digestOften = 100
	digestRest  = 30 * time.Second
	// digestLines is how many messages it shows the beginning of.
	digestLines = 4
	digestLine  = 80 // characters
	// digestMost bounds how many ids it remembers; those beyond are counted.
	digestMost = 10_000
)

// digest is one notification that stands for many messages.
type digest struct {
	note  uint32 // 0: it is not on the screen
	ids   map[messngr.ID]struct{}
	extra int // messages that are counted without their ids
	// senders in the order of their first message, without those that are no
	// longer counted.
	senders []string
	last    []digestEntry // the latest messages
	level   messngr.Level
	// waited says that they came while nobody was there.
	waited bool

	due     time.Time // when it has to be shown or changed; zero: it is as it is
	shownAt time.Time
	changes int
}

// digestEntry is the beginning of one message.
type digestEntry struct {
	id   messngr.ID
	line string
}

func (d *digest) count() int { return len(d.ids) + d.extra }

// reset begins a new one. Its changes still count, so that a daemon that takes
// it away at once gets no flood of them.
func (d *digest) reset() { *d = digest{shownAt: d.shownAt, changes: d.changes} }

// add counts one message.
func (d *digest) add(m *control.Message, now time.Time) {
	if d.count() == 0 {
		note := d.note
		d.reset()
		d.note, d.ids = note, make(map[messngr.ID]struct{})
		if now.Sub(d.shownAt) > digestRest {
			d.changes = 0
		}
	}
	if _, known := d.ids[m.ID]; known {
		return
	}
	if len(d.ids) < digestMost {
		d.ids[m.ID] = struct{}{}
	} else {
		d.extra++
	}
	name := card.Name(m.From)
	if !slices.Contains(d.senders, name) && len(d.senders) < digestMost {
		d.senders = append(d.senders, name)
	}
	line := name + ": " + oem.CleanLine(strings.TrimSpace(m.Title+" "+m.Text))
	if runes := []rune(line); len(runes) > digestLine {
		line = string(runes[:digestLine-1]) + "…"
	}
	d.last = append(d.last, digestEntry{m.ID, line})
	if len(d.last) > digestLines {
		d.last = d.last[1:]
	}
	d.level = max(d.level, m.Level)
	d.changed(now)
}

// drop forgets messages that need nobody's eyes any more.
func (d *digest) drop(ids []messngr.ID, now time.Time) {
	before := len(d.ids)
	for _, id := range ids {
		delete(d.ids, id)
	}
	d.last = slices.DeleteFunc(d.last, func(e digestEntry) bool { _, counted := d.ids[e.id]; return !counted && d.extra == 0 })
	if len(d.ids) != before {
		d.changed(now)
	}
}

// changed arranges for it to be shown: at once, unless it has just been.
func (d *digest) changed(now time.Time) {
	if !d.due.IsZero() {
		return
	}
	pause := digestPause
	if d.changes > digestOften {
		pause = digestSlow
	}
	d.due = now
	if next := d.shownAt.Add(pause); next.After(now) {
		d.due = next
	}
}

// content is what the digest shows now.
func (d *digest) content() card.Digest {
	c := card.Digest{Count: d.count(), Senders: d.senders, Level: d.level, Waited: d.waited}
	for _, e := range d.last {
		c.Lines = append(c.Lines, e.line)
	}
	return c
}
