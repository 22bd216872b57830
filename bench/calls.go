//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// callsMeasured is how many calls each median is of.
const callsMeasured = 20000

// calls measures NetrSendMessage beside an echo of the same datagrams, by the benchmark of its package, and returns a table.
func (f *field) calls(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "SendMessage",
		"-benchtime", fmt.Sprintf("%dx", callsMeasured), "messngr/transport/msgsvc")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	memory, err := metrics(string(out), "BenchmarkSendMessage/memory")
	if err != nil {
		return "", err
	}
	disk, err := metrics(string(out), "BenchmarkSendMessage/disk")
	if err != nil {
		return "", err
	}
	return callReport(memory, disk), nil
}

// metrics returns what a benchmark reported, by the names of the units.
func metrics(out, benchmark string) (map[string]float64, error) {
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != benchmark && !strings.HasPrefix(fields[0], benchmark+"-") {
			continue
		}
		found := make(map[string]float64)
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s reported %q", benchmark, line)
			}
			found[fields[i+1]] = v
		}
		return found, nil
	}
	return nil, fmt.Errorf("no %s in %q", benchmark, out)
}

// callReport is the table.
func callReport(memory, disk map[string]float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
## Calls

NetrSendMessage by UDP on loopback, between two services in one process, %d calls one after the other: into a store in memory, and
into one on disk that is flushed before each answer. The echo answers a datagram of the size of the call with one of the size of its
answer, and does nothing else; the three take turns. Calls a second are what the median allows one caller.

| | memory | disk | asked |
|---|---:|---:|---:|
`, callsMeasured)
	for _, r := range []struct{ label, metric, unit, asked string }{
		{"echo, p50", "echo-p50-µs", "µs", ""},
		{"a call by a bare client, p50", "call-p50-µs", "µs", ""},
		{"a send by ours, p50", "send-p50-µs", "µs", ""},
		{"call : echo", "call/echo", "×", "≤ 4 × in memory"},
		{"send : echo", "send/echo", "×", ""},
		{"calls a second", "calls/s", "/s", ""},
	} {
		fmt.Fprintf(&b, "| %s | %s %s | %s %s | %s |\n", r.label, significant(memory[r.metric]), r.unit, significant(disk[r.metric]), r.unit, r.asked)
	}
	return b.String()
}
