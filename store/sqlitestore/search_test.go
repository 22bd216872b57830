package sqlitestore_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/store"
	"messngr/store/memstore"
	"messngr/store/sqlitestore"
)

// FuzzSearch searches for anything in messages with any text. No search may
// fail, and a message must be found by its own words. For ASCII, of which the
// two stores have the same idea, they have to find the same.
func FuzzSearch(f *testing.F) {
	for _, seed := range [][2]string{
		{"hello world", "hello wor"}, {"Müller grüßt", "muller"}, {`say "hi"`, `"`}, {"a AND b", "AND"},
		{"x", "x*"}, {"NEAR(a, b)", "near( a"}, {"10.0.0.7", "0.0.7"}, {"", "\x00"}, {"a\x00b", "a\x00b"},
		{"\xff", "\xff\xfe"}, {"e\u0301", "é"}, {"text : x", "text:x"}, {"-a", "- a"}, {"^a", "^a"}, {"{a b}", "{a b}:"},
	} {
		f.Add(seed[0], seed[1])
	}
	disk, err := sqlitestore.Open(filepath.Join(f.TempDir(), "messages.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { disk.Close() })
	memory := memstore.New()
	f.Fuzz(func(t *testing.T, text, search string) {
		id, err := messngr.NewID()
		if err != nil {
			t.Fatal(err)
		}
		m := &messngr.Message{ID: id, Time: time.Now(), Text: text}
		find := func(s store.Store, search string) (found int) {
			list, err := s.Inbox(t.Context(), store.Query{Search: search})
			if err != nil {
				t.Fatalf("search %q: %v", search, err)
			}
			return len(list)
		}
		var got []string
		for _, s := range []store.Store{disk, memory} {
			if _, _, err := s.Take(t.Context(), store.Incoming{Message: m}); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(find(s, search), find(s, text)))
			if _, err := s.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if ascii(text) && ascii(search) {
			if diff := cmp.Diff(got[1], got[0]); diff != "" {
				t.Errorf("text %q, search %q: the stores differ (-memory +disk):\n%s", text, search, diff)
			}
		}
	})
}

func ascii(s string) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf || r == 0 {
			return false
		}
	}
	return true
}
