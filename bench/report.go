//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"messngr/interop/samba"
)

// report is the table, with what one must know to read it.
func (f *field) report(ctx context.Context, all map[string]*figures) (string, error) {
	version, err := samba.Version(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %d cores, %s. Samba %s", time.Now().Format(time.DateOnly), processor(), runtime.NumCPU(), kernel(), version)
	if f.program != "" {
		out, err := exec.CommandContext(ctx, f.program, "version").Output()
		if err != nil {
			return "", fmt.Errorf("%s version: %w", f.program, err)
		}
		fmt.Fprintf(&b, "; %s", strings.TrimSpace(string(out)))
	}
	b.WriteString(".\n\n")
	b.WriteString(reading)
	b.WriteString("| |")
	for _, s := range f.sides {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	if len(f.sides) == 2 {
		b.WriteString(" ratio | asked |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", 2*len(f.sides)) + "\n")
	for _, r := range rows() {
		f.row(&b, all, r)
	}
	return b.String(), nil
}

// reading is what one must know to read the table.
const reading = `Both sides run in one run on the same machine and take turns. A message is a session request, D5, one D7 and D6 on a
TCP connection of its own, from a client that shares no code with either side; its own work is on the same processors, and
is in none of the figures but messages per second and times. Samba answers when its command, one rename, has run, and
flushes nothing to the disk; messngr writes and flushes every message before it answers. Limits of messngr are lifted, by

` + "```toml\n" + lifted + "```" + `

Processor time of a server includes its children. A send as a process is the median of single runs of ` + "`smbclient -M`" + ` and
` + "`messngr send`" + `, both to the same server; what messngr's own service does for it comes on top in processor time, and is in
the wall time. Memory is the sum over smbd, nmbd and their helpers, and over messngr. asked is what the project sets itself.

`

// row is one line of the table.
type row struct {
	label string
	value func(*figures) float64
	unit  string
	asked string // of the ratio, if not said otherwise
}

func rows() []row {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	load := func(n int, get func(underLoad) float64) func(*figures) float64 {
		return func(f *figures) float64 { return get(f.load[n]) }
	}
	return []row{
		{"taken, 8 at a time", load(8, func(u underLoad) float64 { return u.rate }), "msg/s", "≥ 20 ×"},
		{"processor a message, 8 at a time", load(8, func(u underLoad) float64 { return ms(u.cpu) }), "ms", "≤ 1/20"},
		{"p50, 8 at a time", load(8, func(u underLoad) float64 { return ms(u.p50) }), "ms", ""},
		{"p99, 8 at a time", load(8, func(u underLoad) float64 { return ms(u.p99) }), "ms", ""},
		{"taken, one after another", load(1, func(u underLoad) float64 { return u.rate }), "msg/s", ""},
		{"processor a message, one after another", load(1, func(u underLoad) float64 { return ms(u.cpu) }), "ms", ""},
		{"p50, one after another", load(1, func(u underLoad) float64 { return ms(u.p50) }), "ms", "≤ 1/10"},
		{"p99, one after another", load(1, func(u underLoad) float64 { return ms(u.p99) }), "ms", ""},
		{"a send as a process, to smbd: wall", func(f *figures) float64 { return ms(f.sends["Samba"].wall) }, "ms", "≤ 1/4"},
		{"a send as a process, to smbd: processor", func(f *figures) float64 { return ms(f.sends["Samba"].cpu) }, "ms", "≤ 1/5"},
		{"a send as a process, to messngr: wall", func(f *figures) float64 { return ms(f.sends["messngr"].wall) }, "ms", "≤ 1/4"},
		{"a send as a process, to messngr: processor", func(f *figures) float64 { return ms(f.sends["messngr"].cpu) }, "ms", "≤ 1/5"},
		{"idle memory (PSS)", func(f *figures) float64 { return float64(f.memory) / (1 << 20) }, "MB", "below"},
		{"start to listening", func(f *figures) float64 { return ms(f.start) }, "ms", "< 20 ms"},
	}
}

func (f *field) row(b *strings.Builder, all map[string]*figures, r row) {
	fmt.Fprintf(b, "| %s |", r.label)
	for _, s := range f.sides {
		fmt.Fprintf(b, " %s %s |", significant(r.value(all[s.name])), r.unit)
	}
	if len(f.sides) == 2 {
		ratio := r.value(all[f.sides[1].name]) / r.value(all[f.sides[0].name])
		fmt.Fprintf(b, " %s | %s |", asRatio(ratio), r.asked)
	}
	b.WriteString("\n")
}

// significant prints three digits that mean something.
func significant(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func asRatio(r float64) string {
	switch {
	case r >= 1:
		return significant(r) + " ×"
	default:
		return "1/" + significant(1/r)
	}
}

// processor is the model of the first one.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, "\t :\n")
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "Linux"
	}
	return "Linux " + strings.TrimSpace(string(b))
}
