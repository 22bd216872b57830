//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"messngr/interop/hammer"
)

// text is what every message says.
const text = "Reboot of FS01 at 18:00, save your work.\n"

// figures is what one side showed.
type figures struct {
	start  time.Duration        // from the start of the process to the first connection
	memory int                  // PSS in bytes of all its servers, idle
	load   map[int]underLoad    // by the number of connections at a time
	sends  map[string]sendCosts // by the name of the side that receives
}

// underLoad is what a server did with messages that came one connection each.
type underLoad struct {
	rate     float64       // messages per second
	p50, p99 time.Duration // from connecting to the last answer
	cpu      time.Duration // the server's processor time per message
}

// sendCosts is what one message costs that is sent by a process of its own.
type sendCosts struct{ wall, cpu time.Duration }

// atOnce is how many connections the load generator holds at a time.
var atOnce = [...]int{1, 8}

// measure returns the figures of each side, by its name.
func (f *field) measure(ctx context.Context) (map[string]*figures, error) {
	all := make(map[string]*figures)
	for _, s := range f.sides {
		all[s.name] = &figures{load: make(map[int]underLoad), sends: make(map[string]sendCosts)}
	}
	for _, step := range []func(context.Context, map[string]*figures) error{f.starts, f.idle, f.underLoad, f.sending} {
		if err := step(ctx, all); err != nil {
			return nil, err
		}
	}
	for _, s := range f.sides {
		f.stop(s)
	}
	return all, nil
}

// starts times starts on an existing, small state, and leaves the servers running.
func (f *field) starts(ctx context.Context, all map[string]*figures) error {
	for _, s := range f.sides {
		var took []time.Duration
		for i := range max(f.sends/10, 1) + 1 {
			if i > 0 {
				f.stop(s)
			}
			t, err := f.start(ctx, s)
			if err != nil {
				return fmt.Errorf("%s: start: %w", s.name, err)
			}
			if i > 0 { // the first one creates its files
				took = append(took, t)
			}
		}
		all[s.name].start = median(took)
	}
	return nil
}

// idle weighs the servers some seconds after their start.
func (f *field) idle(ctx context.Context, all map[string]*figures) (err error) {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(8 * time.Second): // nmbd claims its names for four
	}
	for _, s := range f.sides {
		var pids []int
		for _, server := range s.servers {
			pids = append(pids, server.daemon.PID())
		}
		if all[s.name].memory, err = memory(pids...); err != nil {
			return fmt.Errorf("%s: memory: %w", s.name, err)
		}
	}
	return nil
}

// underLoad lets the sides take turns, so that what else the machine does hits both alike, and keeps each one's median
// round.
func (f *field) underLoad(ctx context.Context, all map[string]*figures) error {
	for _, connections := range atOnce {
		rounds := make(map[string][]underLoad)
		for range f.rounds {
			for _, s := range f.sides {
				if err := ctx.Err(); err != nil {
					return err
				}
				r, err := f.round(s, connections)
				if err != nil {
					return fmt.Errorf("%s, %d at a time: %w", s.name, connections, err)
				}
				rounds[s.name] = append(rounds[s.name], r)
			}
		}
		for name, r := range rounds {
			slices.SortFunc(r, func(a, b underLoad) int { return int(a.rate - b.rate) })
			all[name].load[connections] = r[len(r)/2]
		}
	}
	return nil
}

func (f *field) round(s *side, connections int) (underLoad, error) {
	pid := s.receiver().daemon.PID()
	idle := len(tree(pid))
	before, err := cpu(pid)
	if err != nil {
		return underLoad{}, err
	}
	l, err := hammer.Run(f.load.Do, hammer.New("BENCH", s.host.Name(), text), s.port(), connections, f.each)
	if err != nil {
		return underLoad{}, err
	}
	settled(pid, idle)
	after, err := cpu(pid)
	if err != nil {
		return underLoad{}, err
	}
	return underLoad{l.Rate(), l.Percentile(50), l.Percentile(99), (after - before) / time.Duration(l.Count())}, nil
}

// sending has each side's sender send to each side's server, taking turns.
func (f *field) sending(ctx context.Context, all map[string]*figures) error {
	for _, to := range f.sides {
		costs := make(map[string][]sendCosts)
		for range f.sends {
			for _, from := range f.sides {
				if err := ctx.Err(); err != nil {
					return err
				}
				c, err := f.sendOnce(from, to)
				if err != nil {
					return fmt.Errorf("%s to %s: %w", from.name, to.name, err)
				}
				costs[from.name] = append(costs[from.name], c)
			}
		}
		for name, each := range costs {
			var walls, cpus []time.Duration
			for _, c := range each {
				walls, cpus = append(walls, c.wall), append(cpus, c.cpu)
			}
			all[name].sends[to.name] = sendCosts{median(walls), median(cpus)}
		}
	}
	return nil
}

func (f *field) sendOnce(from, to *side) (sendCosts, error) {
	cmd := from.send(to.host)
	cmd.Stdin = strings.NewReader(text)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	err := from.sender.Run(cmd)
	wall := time.Since(began)
	if err == nil && strings.Contains(said.String(), "NT_STATUS") { // smbclient exits with 0 all the same
		err = errors.New("refused")
	}
	if err != nil {
		return sendCosts{}, fmt.Errorf("%w: %s", err, said.String())
	}
	return sendCosts{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
