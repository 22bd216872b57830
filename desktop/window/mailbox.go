package window

import (
	"slices"
	"strconv"

	"messngr"
	"messngr/control"
)

// mailbox is the messages in the list, newest first, and which one is looked at.
// They are numbered as WinPopup did: the oldest of all is 1.
type mailbox struct {
	messages []control.Message
	// total is how many messages there are, in the list or not.
	total int
	// more says that older ones were not read from the service yet.
	more bool
	// search is what was searched for; "": these are all messages.
	search  string
	current messngr.ID
}

// replace takes over what the service has. The message that was looked at stays
// the current one if it is still there, otherwise the newest one becomes it.
func (b *mailbox) replace(list []control.Message, total int, more bool) {
	b.messages, b.total, b.more = list, total, more
	if !more {
		b.total = len(list)
	}
	if b.index() < 0 {
		b.selectAt(0)
	}
}

// extend adds older messages.
func (b *mailbox) extend(list []control.Message, more bool) {
	b.messages = append(b.messages, list...)
	b.more = more
	if !more {
		b.total = len(b.messages)
	}
	b.total = max(b.total, len(b.messages))
}

// arrive adds a new message; it reports whether it belongs into the list.
func (b *mailbox) arrive(m control.Message) bool {
	if b.search != "" || b.find(m.ID) >= 0 {
		return false
	}
	b.messages = slices.Insert(b.messages, 0, m)
	b.total++
	if b.index() < 0 {
		b.current = m.ID
	}
	return true
}

func (b *mailbox) find(id messngr.ID) int {
	return slices.IndexFunc(b.messages, func(m control.Message) bool { return m.ID == id })
}

// index is the place of the current message in the list; -1: there is none.
func (b *mailbox) index() int { return b.find(b.current) }

// at is the current message; nil: there is none.
func (b *mailbox) at() *control.Message {
	if i := b.index(); i >= 0 {
		return &b.messages[i]
	}
	return nil
}

// selectAt makes the message with that place the current one, if there is one.
func (b *mailbox) selectAt(i int) {
	b.current = messngr.ID{}
	if i >= 0 && i < len(b.messages) {
		b.current = b.messages[i].ID
	}
}

// hasPrevious and hasNext report whether there is an older and a newer message.
func (b *mailbox) hasPrevious() bool {
	i := b.index()
	return i >= 0 && (i+1 < len(b.messages) || b.more)
}

func (b *mailbox) hasNext() bool { return b.index() > 0 }

// number is the number of the current message among all; 0: there is none.
func (b *mailbox) number() int {
	i := b.index()
	if i < 0 {
		return 0
	}
	return b.total - i
}

// remove takes a message out of the list; the next newer one becomes current,
// or the newest.
func (b *mailbox) remove(id messngr.ID) (at int) {
	at = b.find(id)
	if at < 0 {
		return at
	}
	wasCurrent := id == b.current
	b.messages = slices.Delete(b.messages, at, at+1)
	b.total--
	if wasCurrent {
		b.selectAt(min(max(at-1, 0), len(b.messages)-1))
	}
	return at
}

// restore puts a message back to where it was.
func (b *mailbox) restore(m control.Message) (at int) {
	at, _ = slices.BinarySearchFunc(b.messages, m.Seq, func(e control.Message, seq int64) int {
		switch {
		case e.Seq > seq:
			return -1
		case e.Seq < seq:
			return 1
		}
		return 0
	})
	b.messages = slices.Insert(b.messages, at, m)
	b.total++
	b.current = m.ID
	return at
}

// unread is how many messages of the list were not read, with a plus if older
// ones may be unread as well; "" if none is known of.
func (b *mailbox) unread() string {
	n := 0
	for i := range b.messages {
		if b.messages[i].ReadAt == nil {
			n++
		}
	}
	switch {
	case n == 0:
		return ""
	case b.more:
		return strconv.Itoa(n) + "+"
	}
	return strconv.Itoa(n)
}

// oldest is the number of the oldest message of the list in the service's books.
func (b *mailbox) oldest() int64 {
	if len(b.messages) == 0 {
		return 0
	}
	return b.messages[len(b.messages)-1].Seq
}

// same reports whether a list has the same messages, with the same marks.
func (b *mailbox) same(list []control.Message) bool {
	return slices.EqualFunc(b.messages, list, func(x, y control.Message) bool {
		return x.ID == y.ID && (x.ReadAt == nil) == (y.ReadAt == nil) && (x.AcknowledgedAt == nil) == (y.AcknowledgedAt == nil)
	})
}
