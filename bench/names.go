//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"messngr/interop/lab"
	"messngr/interop/program"
	"messngr/interop/samba"
	"messngr/wire/netbios"
)

const (
	// siteNames is how many names the name servers know while they are asked.
	siteNames = 1000
	// idleNames is how many names a host has that does nothing else.
	idleNames = 256
	// settleTime is how long hosts take to claim all of them. nmbd goes on for half a minute after it answers.
	settleTime = 45 * time.Second
)

// nameServer is one of the programs that are measured as a name server, and as a host with many names.
type nameServer struct {
	name  string
	serve func(ctx context.Context, h *lab.Host) (*lab.Daemon, error)
	idle  func(ctx context.Context, h *lab.Host) (*lab.Daemon, error)
}

// nameFigures is what one of them showed.
type nameFigures struct {
	node, server asked         // questions for its own name, and for those that it knows of others
	p50, p99     time.Duration // of questions for names of others, one at a time
	packets      int           // sent in the idle time
	cpu          time.Duration // used in the idle time
}

// asked is what a server did with as many questions as it could take.
type asked struct {
	rate float64       // answers per second
	cpu  time.Duration // of processor time for each
}

// names measures name servers side by side and returns a table.
func (f *field) names(ctx context.Context) (string, error) {
	servers := f.nameServers()
	all := make(map[string]*nameFigures)
	for _, s := range servers {
		all[s.name] = &nameFigures{}
	}
	if err := f.askAll(ctx, servers, all); err != nil {
		return "", err
	}
	if err := f.idleAll(ctx, servers, all); err != nil {
		return "", err
	}
	return f.nameReport(servers, all), nil
}

func (f *field) nameServers() []nameServer {
	nmbd := nameServer{
		name:  "nmbd",
		serve: f.sambaWith(samba.Options{WINSSupport: true}, (*samba.Samba).NMBD),
		idle:  f.sambaWith(samba.Options{Lines: aliases("NMBD")}, (*samba.Samba).NMBD),
	}
	other := nameServer{
		name:  "samba",
		serve: f.sambaWith(samba.Options{WINSSupport: true, Lines: samba.OtherLines()}, (*samba.Samba).Other),
		idle:  f.sambaWith(samba.Options{Lines: append(samba.OtherLines(), aliases("OTHER")...)}, (*samba.Samba).Other),
	}
	if f.program == "" {
		return []nameServer{nmbd, other}
	}
	return []nameServer{nmbd, other, {name: "messngr", serve: f.serveNames, idle: f.ownNames}}
}

// aliases give Samba about as many names as ours has: it registers three for each, and for its own.
func aliases(prefix string) []string {
	var list []string
	for i := range idleNames/3 - 1 {
		list = append(list, fmt.Sprintf("%s%d", prefix, i))
	}
	return []string{"netbios aliases = " + strings.Join(list, " "), "local master = no"}
}

func (f *field) sambaWith(o samba.Options, start func(*samba.Samba, context.Context) (*lab.Daemon, error)) func(context.Context, *lab.Host) (*lab.Daemon, error) {
	return func(ctx context.Context, h *lab.Host) (*lab.Daemon, error) {
		s, err := samba.New(h, o)
		if err != nil {
			return nil, err
		}
		return start(s, ctx)
	}
}

// serving is our configuration: only the limit differs from the defaults.
const serving = "[wins]\nserve = true\nrate = 0\n"

func (f *field) serveNames(ctx context.Context, h *lab.Host) (*lab.Daemon, error) {
	p, err := program.New(h, f.program)
	if err != nil {
		return nil, err
	}
	d, err := p.Serve(ctx, serving)
	if err != nil {
		return nil, err
	}
	return d, p.Registered(ctx)
}

// ownNames gives a host of ours many names, some of them at the same time.
func (f *field) ownNames(ctx context.Context, h *lab.Host) (*lab.Daemon, error) {
	p, err := program.New(h, f.program)
	if err != nil {
		return nil, err
	}
	d, err := p.Serve(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := p.Registered(ctx); err != nil {
		return nil, err
	}
	var claims sync.WaitGroup
	errs := make([]error, 32)
	for i := range errs {
		claims.Go(func() {
			for n := i; n < idleNames-3 && errs[i] == nil; n += len(errs) {
				_, stderr, err := h.Output(ctx, p.Path(), "name", "add", fmt.Sprintf("OURS%d", n))
				if err != nil {
					errs[i] = fmt.Errorf("name add: %w: %s", err, stderr)
				}
			}
		})
	}
	claims.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// askAll has the servers take turns in answering.
func (f *field) askAll(ctx context.Context, servers []nameServer, all map[string]*nameFigures) error {
	daemons, hosts := make(map[string]*lab.Daemon), make(map[string]*lab.Host)
	for _, s := range servers {
		host, err := f.lan.Host("ns" + s.name)
		if err != nil {
			return err
		}
		if daemons[s.name], err = s.serve(ctx, host); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		defer daemons[s.name].Stop()
		hosts[s.name] = host
	}
	var known []netbios.Name
	for i := range siteNames {
		name, err := netbios.New(fmt.Sprintf("SITE%d", i), netbios.Messenger)
		if err != nil {
			return err
		}
		known = append(known, name)
	}
	return f.load.Do(func() error {
		for _, s := range servers {
			q, err := newQuestioner(f.load.Addr(), hosts[s.name].Addr())
			if err != nil {
				return err
			}
			defer q.close()
			if err := q.register(known); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		for _, s := range servers {
			if err := f.askOne(ctx, hosts[s.name], daemons[s.name].PID(), known, all[s.name]); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		return nil
	})
}

// askOne asks one server in some rounds and keeps the median of each figure.
func (f *field) askOne(ctx context.Context, h *lab.Host, pid int, known []netbios.Name, into *nameFigures) error {
	own, err := netbios.New(strings.ToUpper(h.Name()), netbios.Messenger)
	if err != nil {
		return err
	}
	q, err := newQuestioner(f.load.Addr(), h.Addr())
	if err != nil {
		return err
	}
	defer q.close()
	var nodes, servers []asked
	var took []time.Duration
	for range f.rounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		for list, names := range map[*[]asked][]netbios.Name{&nodes: {own}, &servers: known} {
			a, err := f.flood(q, pid, names)
			if err != nil {
				return err
			}
			*list = append(*list, a)
		}
		each, err := q.oneByOne(known, f.each)
		if err != nil {
			return err
		}
		took = append(took, each...)
	}
	into.node, into.server = medianAsked(nodes), medianAsked(servers)
	slices.Sort(took)
	into.p50, into.p99 = took[len(took)/2], took[len(took)*99/100]
	return nil
}

func (f *field) flood(q *questioner, pid int, names []netbios.Name) (asked, error) {
	before, err := used(pid)
	if err != nil {
		return asked{}, err
	}
	n, err := q.flood(names, f.each)
	if err != nil {
		return asked{}, err
	}
	after, err := used(pid)
	if err != nil {
		return asked{}, err
	}
	return asked{float64(n) / f.each.Seconds(), (after - before) / time.Duration(n)}, nil
}

func medianAsked(list []asked) asked {
	slices.SortFunc(list, func(a, b asked) int { return int(a.rate - b.rate) })
	return list[len(list)/2]
}

// idleAll lets a host of each program have many names and do nothing, all at the same time.
func (f *field) idleAll(ctx context.Context, servers []nameServer, all map[string]*nameFigures) error {
	type host struct {
		*lab.Host
		pid     int
		packets int
		cpu     time.Duration
	}
	hosts := make(map[string]*host)
	for _, s := range servers {
		h, err := f.lan.Host("idle" + s.name)
		if err != nil {
			return err
		}
		d, err := s.idle(ctx, h)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		defer d.Stop()
		hosts[s.name] = &host{Host: h, pid: d.PID()}
	}
	read := func(h *host) (packets int, cpu time.Duration, err error) {
		if cpu, err = used(h.pid); err == nil {
			packets, err = sent(ctx, h.Host)
		}
		return packets, cpu, err
	}
	if err := sleep(ctx, settleTime); err != nil {
		return err
	}
	for name, h := range hosts {
		var err error
		if h.packets, h.cpu, err = read(h); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := sleep(ctx, f.idleFor); err != nil {
		return err
	}
	for name, h := range hosts {
		packets, cpu, err := read(h)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all[name].packets, all[name].cpu = packets-h.packets, cpu-h.cpu
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// sent is how many frames have left a host.
func sent(ctx context.Context, h *lab.Host) (int, error) {
	var out strings.Builder
	cmd := exec.CommandContext(ctx, "ip", "-s", "-o", "link", "show", "dev", "eth0")
	cmd.Stdout = &out
	if err := h.Run(cmd); err != nil {
		return 0, err
	}
	_, tx, _ := strings.Cut(out.String(), "TX:")
	_, tx, found := strings.Cut(tx, `\`)
	if !found {
		return 0, fmt.Errorf("ip -s link says %q", out.String())
	}
	fields := strings.Fields(tx)
	if len(fields) < 2 {
		return 0, fmt.Errorf("ip -s link says %q", out.String())
	}
	return strconv.Atoi(fields[1])
}

// used is the processor time of a process and its living descendants in nanoseconds, of which /proc/PID/stat knows only
// hundredths of a second (Documentation/scheduler/sched-stats.rst).
func used(pid int) (time.Duration, error) {
	var total time.Duration
	for _, p := range tree(pid) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p))
		for _, task := range tasks {
			b, err := os.ReadFile(task)
			if err != nil {
				continue // a thread that has just ended
			}
			n, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n)
		}
	}
	return total, nil
}

// nameReport is the table.
func (f *field) nameReport(servers []nameServer, all map[string]*nameFigures) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
## Names

nmbd, Samba's other name server (`+"`samba -M single`"+`), and messngr, in the same run; messngr's limit is lifted by

`+"```toml\n%s```"+`

Questions come from one client by UDP, %d of them under way, or one at a time for the times. An own name is answered as a
node, the others as a name server that knows %d of them. The hosts with %d names do nothing else for %v, %v after the
last claim; nothing is extrapolated. A name of ours is asked for once in a quarter of an hour, in case networks were apart, and
that falls into such a time or not.

| |`, serving, window, siteNames, idleNames, f.idleFor, settleTime)
	for _, s := range servers {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(servers)) + "\n")
	micro := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	for _, r := range []struct {
		label string
		value func(*nameFigures) float64
		unit  string
	}{
		{"answers about its own name", func(n *nameFigures) float64 { return n.node.rate }, "/s"},
		{"processor for each", func(n *nameFigures) float64 { return micro(n.node.cpu) }, "µs"},
		{"answers about names of others", func(n *nameFigures) float64 { return n.server.rate }, "/s"},
		{"processor for each", func(n *nameFigures) float64 { return micro(n.server.cpu) }, "µs"},
		{"p50, one at a time", func(n *nameFigures) float64 { return micro(n.p50) }, "µs"},
		{"p99, one at a time", func(n *nameFigures) float64 { return micro(n.p99) }, "µs"},
		{"idle: packets sent", func(n *nameFigures) float64 { return float64(n.packets) }, ""},
		{"idle: processor", func(n *nameFigures) float64 { return micro(n.cpu) / 1000 }, "ms"},
	} {
		fmt.Fprintf(&b, "| %s |", r.label)
		for _, s := range servers {
			fmt.Fprintf(&b, " %s |", strings.TrimSpace(significant(r.value(all[s.name]))+" "+r.unit))
		}
		b.WriteString("\n")
	}
	return b.String()
}
