package window

import (
	"slices"
	"testing"

	"golang.org/x/text/language"

	"messngr/control"
	"messngr/desktop/lang"
)

func TestRecipients(t *testing.T) {
	for in, want := range map[string][]string{
		"": nil, " , ;": nil, "A": {"A"}, "A, b;C ,": {"A", "b", "C"}, "a, A": {"a"}, "alice@PC17": {"alice@PC17"},
	} {
		if got := recipients(in); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestOffers(t *testing.T) {
	known := []string{"PC17", "pc18", "PC17", "alice", "MÜLLER", "Pc17"}
	for in, want := range map[string][]string{
		"":         {"PC17", "pc18", "alice", "MÜLLER"},
		"p":        {"PC17", "pc18"},
		"PC17":     {}, // it is written
		"PC17, ":   {"pc18", "alice", "MÜLLER"},
		"PC17;p":   {"pc18"},
		"mü":       {"MÜLLER"},
		"x":        {},
		"ALICE, A": {},
	} {
		if got := offers(in, known); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	var long []string
	for i := range 100 {
		long = append(long, "PC"+string(rune('A'+i%26))+string(rune('A'+i/26)))
	}
	if got := offers("pc", long); len(got) != maxOffers {
		t.Errorf("%d offers, want %d", len(got), maxOffers)
	}
}

func TestQuote(t *testing.T) {
	words, err := lang.Load(language.English)
	if err != nil {
		t.Fatal(err)
	}
	m := control.Message{From: "BO\nSS", Text: "one\r\n\r\ntwo\x1b"}
	if got, want := quote(words, &m), "BO SS wrote:\n| one\n|\n| two^[\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
