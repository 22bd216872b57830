//go:build linux

// Bench measures this program and Samba side by side: the same work, on the same machine, in one run, each in a host of
// its own in a lab of network namespaces. It prints a Markdown table. Absolute figures move with the machine; the ratios
// are what counts.
//
// It runs as root on Linux with Samba installed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings is what the command line says.
type settings struct {
	program   string        // our own binary; empty measures Samba alone
	output    string        // file for the table; empty prints it
	each      time.Duration // length of each run of the load generator
	rounds    int           // how often the two sides take turns
	sends     int           // processes started per sender, and starts of each server
	idleFor   time.Duration // how long hosts with many names do nothing
	onlyNames bool          // leave the messages out
	onlyCalls bool          // leave everything else out
}

func main() {
	var s settings
	flag.StringVar(&s.program, "messngr", "", "measure this binary beside Samba")
	flag.StringVar(&s.output, "o", "", "write the table to this file")
	flag.DurationVar(&s.each, "each", 3*time.Second, "length of each run under load")
	flag.IntVar(&s.rounds, "rounds", 3, "how often the sides take turns")
	flag.IntVar(&s.sends, "sends", 100, "how many processes each sender is started as")
	flag.DurationVar(&s.idleFor, "idle", time.Minute, "how long hosts with many names do nothing")
	flag.BoolVar(&s.onlyNames, "names", false, "measure name servers only")
	flag.BoolVar(&s.onlyCalls, "calls", false, "measure calls of NetrSendMessage only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp("", "messngr-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	f, err := newField(ctx, dir, s)
	if err != nil {
		return err
	}
	defer f.close()
	text, err := f.tables(ctx)
	if err != nil {
		return err
	}
	if s.output == "" {
		fmt.Print(text)
		return nil
	}
	return os.WriteFile(s.output, []byte(text), 0o644)
}

// tables measures everything and returns what it showed.
func (f *field) tables(ctx context.Context) (string, error) {
	switch {
	case f.onlyNames:
		return f.names(ctx)
	case f.onlyCalls:
		return f.calls(ctx)
	}
	all, err := f.measure(ctx)
	if err != nil {
		return "", err
	}
	messages, err := f.report(ctx, all)
	if err != nil {
		return "", err
	}
	names, err := f.names(ctx)
	if err != nil || f.program == "" {
		return messages + names, err
	}
	calls, err := f.calls(ctx)
	return messages + names + calls, err
}
