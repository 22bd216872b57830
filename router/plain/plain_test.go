package plain_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"messngr"
	"messngr/router/plain"
)

func TestText(t *testing.T) {
	for _, tt := range []struct {
		m    messngr.Message
		want string
	}{
		{messngr.Message{Text: "Lunch?\n"}, "Lunch?\n"},
		{messngr.Message{Title: "Fire", Level: messngr.LevelEmergency}, "EMERGENCY: Fire"},
		{
			messngr.Message{Drill: true, Level: messngr.LevelUrgent, Title: "Fire", Text: "Leave now.", Answers: []string{"Out", "Help"}},
			"DRILL - THIS IS AN EXERCISE: URGENT: Fire\nLeave now.\nPlease answer with one of: Out, Help\nDRILL - THIS IS AN EXERCISE",
		},
	} {
		if got := plain.Text(&tt.m); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestSplitLosesNothing(t *testing.T) {
	if parts := plain.Split("text", 39); parts != nil {
		t.Errorf("a limit that is of no use gives %q", parts)
	}
	rapid.Check(t, func(t *rapid.T) {
		text, limit := rapid.String().Draw(t, "text"), rapid.IntRange(40, 200).Draw(t, "limit")
		parts := plain.Split(text, limit)
		if got := strings.Join(parts, ""); got != text {
			t.Fatalf("joined they are %q, want %q", got, text)
		}
		for _, p := range parts {
			if len(p) > limit || !utf8.ValidString(p) {
				t.Fatalf("part %q takes %d bytes of %d", p, len(p), limit)
			}
		}
	})
}
