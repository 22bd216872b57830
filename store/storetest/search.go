package storetest

import (
	"fmt"
	"strings"

	"messngr"
	"messngr/store"
)

func (s *suite) search() {
	add := func(from, proven, to, title, text string) {
		m := s.message(text)
		m.From.Claimed, m.From.Proven, m.To, m.Title = from, proven, to, title
		s.take(m)
	}
	add("MÜLLER", "", "PC-17", "", "one: The printer on PC-23 is on fire")
	add("bob", "bob@example.org", "WORKGROUP", "Drucker", "two: Naïve façade, Ångström 10.0.0.7")
	add("PC-23", "", "bob", "", "three: Привет, МИР! printers ǅ 42nd")
	add("carol", "", "*", "", "four: fire, printer: on the")
	tests := []struct {
		search string
		want   []int
	}{
		{"muller", []int{1}}, {"Müller", []int{1}}, {"MUELLER", nil}, {"mul", []int{1}}, {"ller", nil},
		{"facade", []int{2}}, {"NAIVE angstrom", []int{2}}, {"drucker", []int{2}}, {"example.org", []int{2}},
		{"bob", []int{3, 2}}, {"привет мир", []int{3}}, {"ПРИВЕТ", []int{3}}, {"прив", []int{3}},
		{"printer", []int{4, 3, 1}}, {"printer fire", []int{4, 1}}, {"fire printer", []int{4, 1}},
		{"print fire", nil}, {"fire print", []int{4, 1}},
		{"PC-23", []int{3, 1}}, {"pc23", nil}, {"23-PC", nil}, {"pc-2", []int{3, 1}}, {"PC.23 fire", []int{1}},
		{"10.0.0.7", []int{2}}, {"10.0.7", nil}, {"0.0", []int{2}},
		{"on-fire", []int{1}}, {"printer-on-the", []int{4}},
		{"printer !", []int{4, 3, 1}}, {"!!", nil}, {"😀", nil}, {" \t\n", []int{4, 3, 2, 1}},
		{"42n", []int{3}}, {"nothing", nil}, {"workgroup two", []int{2}},
	}
	names := []string{"", "one", "two", "three", "four"}
	check := func() {
		for _, tt := range tests {
			got := []string{}
			for _, text := range s.inbox(store.Query{Search: tt.search}) {
				name, _, _ := strings.Cut(text, ":")
				got = append(got, name)
			}
			wanted := []string{}
			for _, n := range tt.want {
				wanted = append(wanted, names[n])
			}
			s.equal(fmt.Sprintf("search %q", tt.search), wanted, got)
		}
	}
	check()
	s.restart()
	check()
}

func (s *suite) searchIsNoLanguage() {
	s.take(s.message("AND OR NOT NEAR senders text rowid"))
	s.take(s.message("something else"))
	for _, q := range []string{
		`"`, `""`, `'`, `"AND`, `AND"`, `(`, `)`, `*`, `a*`, `^and`, `-and`, `+`, `{senders}`, `senders:x`, `text : and`,
		`NEAR(and or, 2)`, `AND`, `OR`, `NOT`, `AND NOT`, `and OR something`, `;`, `--`, `\x00`, "a\x00b", "\xff\xfe",
		"\ufeff", "\u202e", "%", "_", "[a]", "and\u0301", "\u0301", `\`, strings.Repeat(`"`, 1001),
		strings.Repeat("x ", 3000), strings.Repeat("x", 100_000), strings.Repeat("x-", 3000),
	} {
		for _, text := range s.inbox(store.Query{Search: q}) {
			if !strings.HasPrefix(text, "AND") {
				s.Errorf("search %.20q finds %q", q, text)
			}
		}
	}
	s.equal("operators are words", []string{"AND OR NOT NEAR senders text rowid"}, s.inbox(store.Query{Search: "NOT OR near"}))
	s.equal("operators select nothing", []string{}, s.inbox(store.Query{Search: "something OR and"}))
}

// searchFollows changes what can be found between searches.
func (s *suite) searchFollows() {
	var all []messngr.ID
	add := func(n int, text string) {
		for range n {
			m := s.message(text)
			m.Audience = "bob"
			s.take(m)
			all = append(all, m.ID)
		}
	}
	find := func(want int, q store.Query) {
		s.Helper()
		if q.Limit == 0 {
			q.Limit = 10_000
		}
		s.equal(fmt.Sprintf("messages found by %+v", q), want, len(s.inbox(q)))
	}
	find(0, store.Query{Search: "red"})
	add(3, "red")
	find(3, store.Query{Search: "red"})
	add(1200, "red again")
	_, err := s.s.Delete(s.ctx, all[0], all[2], all[700])
	s.must(err)
	find(1200, store.Query{Search: "red"})
	find(1199, store.Query{Search: "again"})
	_, err = s.s.Delete(s.ctx, all[1], all[800])
	s.must(err)
	s.restart()
	find(1198, store.Query{Search: "red"})
	add(1, "blue")
	find(1, store.Query{Search: "blue", Audiences: []string{"", "bob"}})
	find(0, store.Query{Search: "blue", Audiences: []string{"carol"}})
	find(10, store.Query{Search: "red", Limit: 10})
	find(4, store.Query{Search: "red", After: 100, Before: 105})
	_, err = s.s.Mark(s.ctx, store.Read, "", start(), all[100:]...)
	s.must(err)
	find(97, store.Query{Search: "red", Unread: true, Unshown: true})
	_, err = s.s.Delete(s.ctx, all...)
	s.must(err)
	find(0, store.Query{Search: "red"})
	add(1, "red")
	find(1, store.Query{Search: "red", Oldest: true})
}
