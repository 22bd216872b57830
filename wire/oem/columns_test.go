package oem_test

import (
	"testing"

	"messngr/wire/oem"
)

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "Größe": 5, "日本": 4, "ｱ": 1, "u\u0308": 1, "😀": 2, "▒": 1} {
		if got := oem.Columns(s); got != want {
			t.Errorf("Columns(%q) = %d, want %d", s, got, want)
		}
	}
}
