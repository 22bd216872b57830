//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestRow(t *testing.T) {
	f := &field{sides: []*side{{name: "Samba"}, {name: "messngr"}}}
	all := map[string]*figures{"Samba": {memory: 24 << 20}, "messngr": {memory: 12 << 20}}
	var b strings.Builder
	f.row(&b, all, row{"idle memory", func(f *figures) float64 { return float64(f.memory) / (1 << 20) }, "MB", "≤ 1/4"})
	if got, want := b.String(), "| idle memory | 24.0 MB | 12.0 MB | 1/2.00 | ≤ 1/4 |\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSignificant(t *testing.T) {
	for v, want := range map[float64]string{0.25: "0.25", 9.999: "10.00", 12.34: "12.3", 4711.2: "4711"} {
		if got := significant(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}
