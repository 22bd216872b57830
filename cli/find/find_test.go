package find_test

import (
	"errors"
	"slices"
	"testing"

	"messngr"
	"messngr/cli/find"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/controltest"
)

func TestCanName(t *testing.T) {
	for word, want := range map[string]bool{
		"last": true, "LAST": true, "7": true, "a0b003": true, controltest.ID(1).String(): true,
		"a0b": false, "": false, "-1": false, "lunch": false, "7th": false,
	} {
		if got := find.CanName(word); got != want {
			t.Errorf("CanName(%q) = %v", word, got)
		}
	}
}

func TestMessage(t *testing.T) {
	fake := controltest.New()
	same := controltest.ID(2)
	same[0]++ // another id with the same end
	fake.Messages = append(fake.Messages, control.Message{ID: same, Seq: 8, From: "TWIN"})
	client := control.NewClient(controltest.Start(t, fake))
	var usage *program.UsageError
	var declined *control.Error
	for _, tt := range []struct {
		word string
		seq  int64
		err  any
	}{
		{word: "last", seq: 8},
		{word: "Last", seq: 8},
		{word: "4", seq: 4},
		{word: "a0b001", seq: 4},
		{word: "A0B003", seq: 7},
		{word: controltest.ID(2).String(), seq: 5},
		{word: "6", err: &declined},      // a number of the list whose message is gone
		{word: "000000", err: &declined}, // could be the end of an id
		{word: "a0b002", err: &usage},    // two of them
		{word: "lunch", err: &usage},
		{word: messngr.ID{1}.String(), err: &declined},
	} {
		m, err := find.Message(t.Context(), client, tt.word)
		if m.Seq != tt.seq || (err == nil) != (tt.err == nil) || err != nil && !errors.As(err, tt.err) {
			t.Errorf("Message(%q) = number %d, %v", tt.word, m.Seq, err)
		}
	}
}

func TestEach(t *testing.T) {
	fake := controltest.New()
	fake.Messages = nil
	const many = 2500 // more than two pages
	for i := range many {
		fake.Messages = append(fake.Messages, control.Message{ID: controltest.ID(i + 1), Seq: int64(i + 1)})
	}
	client := control.NewClient(controltest.Start(t, fake))
	for _, oldest := range []bool{true, false} {
		var got []int64
		err := find.Each(t.Context(), client, control.MessageQuery{Oldest: oldest}, func(m control.Message) error {
			got = append(got, m.Seq)
			return nil
		})
		if !oldest {
			slices.Reverse(got)
		}
		if err != nil || len(got) != many || !slices.IsSorted(got) {
			t.Errorf("Each with Oldest %v: %d messages, in order: %v, %v", oldest, len(got), slices.IsSorted(got), err)
		}
	}
	stop := errors.New("stop")
	n := 0
	err := find.Each(t.Context(), client, control.MessageQuery{}, func(control.Message) error { n++; return stop })
	if n != 1 || !errors.Is(err, stop) {
		t.Errorf("Each went on after an error: %d messages, %v", n, err)
	}
}

func TestSent(t *testing.T) {
	fake := controltest.New()
	fake.Sent = []control.SentMessage{{ID: controltest.ID(1)}, {ID: controltest.ID(2)}}
	client := control.NewClient(controltest.Start(t, fake))
	newest, err := client.Sent(t.Context(), control.MessageQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]messngr.ID{
		"last": newest.Messages[0].ID, "a0b001": controltest.ID(1), controltest.ID(2).String(): controltest.ID(2),
		"1": {}, "b001": {}, "a0b009": {}, // no numbers, and six digits at least
	} {
		if id, err := find.Sent(t.Context(), client, word); id != want || (err == nil) != (want != messngr.ID{}) {
			t.Errorf("Sent(%q) = %v, %v; want %v", word, id, err, want)
		}
	}
}
