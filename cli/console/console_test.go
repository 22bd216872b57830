package console_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"messngr/cli/console"
)

// TestJSON holds that a line of JSON means the same as the value and that it
// contains nothing that a terminal does not simply print.
func TestJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		var b strings.Builder
		if err := console.JSON(&b, want); err != nil {
			t.Fatal(err)
		}
		line, ok := strings.CutSuffix(b.String(), "\n")
		for _, r := range line {
			if !unicode.IsPrint(r) {
				t.Fatalf("JSON(%q) prints %U", want, r)
			}
		}
		var got string
		if err := json.Unmarshal([]byte(line), &got); !ok || err != nil || got != want {
			t.Fatalf("JSON(%q) = %q, which means %q, %v", want, line, got, err)
		}
	})
}

func TestJSONEscapes(t *testing.T) {
	var b strings.Builder
	if err := console.JSON(&b, "ü<\u202e\u009b\x7f\U000e0041"); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), `"ü<\u202e\u009b\u007f\udb40\udc41"`+"\n"; got != want {
		t.Errorf("JSON = %s, want %s", got, want)
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{
		{"short", 5, "short"},
		{"longer", 5, "long…"},
		{"two words", 5, "two…"},
		{"日本語です", 10, "日本語です"},
		{"日本語です", 9, "日本語で…"},
		{"日本語です", 8, "日本語…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"", 1, ""},
	} {
		if got := console.Cut(tt.text, tt.n); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.text, tt.n, got, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	console.Table(&b, 20, [][]string{{"A", "B", "TEXT"}, {"日本", "x\ty", "one\ntwo three four five"}, {"", "", ""}})
	want := "A     B    TEXT\n日本  x y  one two t…\n\n"
	if b.String() != want {
		t.Errorf("Table = %q, want %q", b.String(), want)
	}
	b.Reset()
	console.Table(&b, 0, [][]string{{"a", strings.Repeat("x", 300)}})
	if len(b.String()) != 304 {
		t.Errorf("Table without a width cut its last column to %d", len(b.String()))
	}
}

func TestIndent(t *testing.T) {
	var b strings.Builder
	console.Indent(&b, "one\r\n\x1b[2Jtwo\x14\nthree")
	if want := "  one\n  ^[[2Jtwo\n\n  three\n"; b.String() != want {
		t.Errorf("Indent = %q, want %q", b.String(), want)
	}
}
