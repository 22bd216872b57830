package window

import (
	"testing"
	"time"

	"messngr"
	"messngr/control"
)

func msg(seq int) control.Message {
	return control.Message{ID: messngr.ID{15: byte(seq)}, Seq: int64(seq)}
}

// page lists the messages from one number down to another.
func msgs(from, to int) (list []control.Message) {
	for i := from; i >= to; i-- {
		list = append(list, msg(i))
	}
	return list
}

func TestMailbox(t *testing.T) {
	var b mailbox
	state := func(step string, number, length int, previous, next bool) {
		t.Helper()
		if b.number() != number || len(b.messages) != length || b.hasPrevious() != previous || b.hasNext() != next {
			t.Errorf("%s: number %d, %d messages, previous %v, next %v; want %d, %d, %v, %v", step,
				b.number(), len(b.messages), b.hasPrevious(), b.hasNext(), number, length, previous, next)
		}
	}
	state("empty", 0, 0, false, false)
	if b.at() != nil || b.oldest() != 0 || b.remove(messngr.ID{}) != -1 {
		t.Error("an empty mailbox has a message")
	}
	b.replace(msgs(10, 6), 10, true)
	state("first page", 10, 5, true, false)
	b.selectAt(4)
	state("the oldest of the page", 6, 5, true, true)
	b.extend(msgs(5, 1), false)
	state("second page", 6, 10, true, true)
	b.selectAt(9)
	state("the oldest", 1, 10, false, true)

	if !b.arrive(msg(11)) || b.arrive(msg(11)) {
		t.Error("a message arrives once")
	}
	state("arrived", 1, 11, false, true)
	b.selectAt(0)
	state("the newest", 11, 11, true, false)

	if at := b.remove(msg(11).ID); at != 0 {
		t.Errorf("it was at %d, want 0", at)
	}
	state("removed the newest", 10, 10, true, false)
	b.selectAt(5)
	b.remove(msg(5).ID)
	state("removed one in the middle: the next newer one is current", 5, 9, true, true)
	if got := b.at().Seq; got != 6 {
		t.Errorf("current is %d, want 6", got)
	}
	if at := b.restore(msg(5)); at != 5 || b.at().Seq != 5 {
		t.Errorf("it is back at %d, current %d", at, b.at().Seq)
	}
	state("restored", 5, 10, true, true)

	b.replace(msgs(12, 3), 12, true)
	state("the current one stays", 5, 10, true, true)
	b.replace(msgs(12, 8), 12, true)
	state("it is gone: the newest", 12, 5, true, false)
	for range 5 {
		b.remove(b.current)
	}
	if b.at() != nil {
		t.Error("nothing is left, and something is current")
	}
}

func TestMailboxSearch(t *testing.T) {
	var b mailbox
	b.search = "x"
	b.replace(msgs(7, 5), 3, false)
	if b.arrive(msg(8)) {
		t.Error("what arrives may not be what was searched for")
	}
	b.search = ""
	if !b.arrive(msg(8)) {
		t.Error("a message was left out")
	}
}

func TestMailboxSame(t *testing.T) {
	var b mailbox
	b.replace(msgs(3, 1), 3, false)
	list := msgs(3, 1)
	if !b.same(list) {
		t.Error("the same is not the same")
	}
	now := time.Now()
	list[1].ReadAt = &now
	if b.same(list) || b.unread() != "3" {
		t.Error("a message that was read makes no difference")
	}
}
