package inbox

import (
	"cmp"
	"slices"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
)

const (
	// digestAt is how many ordinary messages are shown as one digest.
	digestAt = 8
	// settle is for how long a message that was just put on the screen may still
	// make room for a digest: nobody has read it yet.
	settle = 1500 * time.Millisecond
	// PutOff is when a message that was closed and not answered comes back.
	PutOff = 10 * time.Minute
)

// Kind is what the screen has to show.
type Kind int

// The kinds of views.
const (
	Nothing Kind = iota
	Card
	Digest
	Emergency
)

// View is what has to be on the screen.
type View struct {
	Kind Kind
	// Message is the one to show as a card or emergency, Number its place among
	// Count that wait. A digest stands for Messages, oldest first.
	Message  control.Message
	Number   int
	Count    int
	Messages []control.Message
}

// Queue keeps what a person has to see, and decides what comes first: an
// emergency before a drill, that before what is urgent or asks a question, and
// all that before the rest; and no more than a digest when the rest is much, or
// comes from a sender that was told off for sending too much. It is not safe
// for several goroutines.
type Queue struct {
	items []item // in the order in which they are shown
	// current is the message that is on the screen; zero: none.
	current messngr.ID
	shownAt time.Time
	// quietFrom is when quiet messages may be counted on the screen again.
	quietFrom time.Time
	// oneByOne says that the person wants to see all of a digest.
	oneByOne bool
}

type item struct {
	m     control.Message
	class class
	// from is when it comes back, if it was put off.
	from time.Time
}

type class int

const (
	classEmergency class = iota
	classDrill
	classUrgent
	classOther
	// classQuiet is what the service asks only to be counted, because its sender
	// has sent too many.
	classQuiet
)

func classOf(m *control.Message) class {
	switch level := describe.Level(m); {
	case level == messngr.LevelEmergency && !m.Drill:
		return classEmergency
	case level == messngr.LevelEmergency:
		return classDrill
	case level == messngr.LevelUrgent || len(m.Answers) > 0:
		return classUrgent
	case m.Quiet:
		return classQuiet
	}
	return classOther
}

// Add puts a message into the queue, unless it is there.
func (q *Queue) Add(m control.Message) {
	if q.find(m.ID) >= 0 {
		return
	}
	it := item{m: m, class: classOf(&m)}
	if it.class == classQuiet {
		it.from = q.quietFrom
	}
	if i := q.find(q.current); i >= 0 && it.class < q.items[i].class && it.class < classOther {
		q.current = messngr.ID{} // it comes first, whatever is on the screen
	}
	at, _ := slices.BinarySearchFunc(q.items, it, compare)
	q.items = slices.Insert(q.items, at, it)
}

// compare orders emergencies and drills newest first, since the newest is what
// holds; all else oldest first.
func compare(a, b item) int {
	bySeq := cmp.Compare(a.m.Seq, b.m.Seq)
	if a.class <= classDrill {
		bySeq = -bySeq
	}
	return cmp.Or(cmp.Compare(a.class, b.class), bySeq)
}

func (q *Queue) find(id messngr.ID) int {
	return slices.IndexFunc(q.items, func(it item) bool { return it.m.ID == id })
}

// Remove takes messages out of the queue.
func (q *Queue) Remove(ids ...messngr.ID) {
	gone := make(map[messngr.ID]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	q.items = slices.DeleteFunc(q.items, func(it item) bool { return gone[it.m.ID] })
}

// Keep takes everything out of the queue but those messages, and adds what is
// missing: the service's own view, after the connection was lost.
func (q *Queue) Keep(list []control.Message) {
	wanted := make(map[messngr.ID]bool, len(list))
	for i := range list {
		wanted[list[i].ID] = true
	}
	q.items = slices.DeleteFunc(q.items, func(it item) bool { return !wanted[it.m.ID] })
	for _, m := range list {
		q.Add(m)
	}
}

// PutOff hides messages until PutOff later.
func (q *Queue) PutOff(now time.Time, ids ...messngr.ID) {
	for _, id := range ids {
		if i := q.find(id); i >= 0 {
			q.items[i].from = now.Add(PutOff)
			if q.items[i].class == classQuiet {
				q.quietFrom = q.items[i].from
			}
		}
	}
}

// OneByOne shows the messages of a digest each by itself, until none is left.
func (q *Queue) OneByOne() { q.oneByOne = true }

// Next goes on to the message after the one on the screen, and from the last
// one to the first.
func (q *Queue) Next(now time.Time) {
	shown := peers(q.due(now))
	i := slices.IndexFunc(shown, func(it *item) bool { return it.m.ID == q.current })
	if i >= 0 {
		q.current, q.shownAt = shown[(i+1)%len(shown)].m.ID, now
	}
}

// peers lists those of the messages that are shown together with the first one:
// nothing is beside an emergency or a drill but others of the kind.
func peers(due []*item) []*item {
	if len(due) == 0 || due[0].class > classDrill {
		return due
	}
	first := due[0].class
	return slices.DeleteFunc(due, func(it *item) bool { return it.class != first })
}

// due lists what may be shown, and forgets what has expired.
func (q *Queue) due(now time.Time) []*item {
	q.items = slices.DeleteFunc(q.items, func(it item) bool {
		return it.m.ExpiresAt != nil && !now.Before(*it.m.ExpiresAt)
	})
	var list []*item
	for i := range q.items {
		if !now.Before(q.items[i].from) {
			list = append(list, &q.items[i])
		}
	}
	return list
}

// View says what has to be on the screen now.
func (q *Queue) View(now time.Time) View {
	due := q.due(now)
	if len(due) == 0 {
		q.current, q.oneByOne = messngr.ID{}, false
		return View{}
	}
	due = peers(due)
	i := slices.IndexFunc(due, func(it *item) bool { return it.m.ID == q.current })
	read := i >= 0 && now.Sub(q.shownAt) > settle
	i = max(i, 0)
	if due[i].class >= classOther && !read && !q.oneByOne {
		if list := rest(due); len(list) >= digestAt || due[i].class == classQuiet {
			q.current = messngr.ID{}
			return View{Kind: Digest, Messages: list, Count: len(due)}
		}
	}
	return q.show(due, i, now)
}

func rest(due []*item) []control.Message {
	var list []control.Message
	for _, it := range due {
		if it.class >= classOther {
			list = append(list, it.m)
		}
	}
	return list
}

func (q *Queue) show(due []*item, i int, now time.Time) View {
	if q.current != due[i].m.ID {
		q.current, q.shownAt = due[i].m.ID, now
	}
	v := View{Kind: Card, Message: due[i].m, Number: i + 1, Count: len(due)}
	if due[i].class <= classDrill {
		v.Kind = Emergency
	}
	return v
}

// Wake is when the view changes by itself; zero: it does not.
func (q *Queue) Wake(now time.Time) time.Time {
	var next time.Time
	consider := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for i := range q.items {
		consider(q.items[i].from)
		if e := q.items[i].m.ExpiresAt; e != nil {
			consider(*e)
		}
	}
	return next
}

// Emergencies lists the emergencies and drills that wait, put off or not.
func (q *Queue) Emergencies() []control.Message {
	var list []control.Message
	for _, it := range q.items {
		if it.class <= classDrill {
			list = append(list, it.m)
		}
	}
	return list
}

// IsEmergency reports whether the message waits and is an emergency or a drill.
func (q *Queue) IsEmergency(id messngr.ID) bool {
	i := q.find(id)
	return i >= 0 && q.items[i].class <= classDrill
}

// Len is how many messages wait, put off or not.
func (q *Queue) Len() int { return len(q.items) }

// Has reports whether the message waits.
func (q *Queue) Has(id messngr.ID) bool { return q.find(id) >= 0 }
