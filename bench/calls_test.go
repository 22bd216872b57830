//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestCallReport(t *testing.T) {
	const out = `goos: linux
BenchmarkSendMessage/memory-2   5000   88951 ns/op   24.41 call-p50-µs   1.463 call/echo   40971 calls/s   16.68 echo-p50-µs   26.49 send-p50-µs   1.588 send/echo
BenchmarkSendMessage/disk       5000   1510223 ns/op   318.1 call-p50-µs   8.769 call/echo
PASS
`
	memory, err := metrics(out, "BenchmarkSendMessage/memory")
	if err != nil {
		t.Fatal(err)
	}
	disk, err := metrics(out, "BenchmarkSendMessage/disk")
	if err != nil {
		t.Fatal(err)
	}
	table := callReport(memory, disk)
	for _, want := range []string{"| echo, p50 | 16.7 µs |", "| call : echo | 1.46 × | 8.77 × | ≤ 4 × in memory |", "| calls a second | 40971 /s |"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	for _, bad := range []string{"", "BenchmarkSendMessage/memory-2 1 x ns/op"} {
		if m, err := metrics(bad, "BenchmarkSendMessage/memory"); err == nil {
			t.Errorf("%q: %v", bad, m)
		}
	}
}
