package operate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/console"
	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
	"messngr/wire/oem"
)

// Status is messngr status.
func (c Commands) Status() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show names, ports, displays, and who was refused",
		Long: `Show how the service is: which ports it has and who has the others, on which
interfaces it listens and on which it could, its names, its displays, and per
source what was refused, with the command that would allow it.`,
		Example: "  messngr status\n  messngr status --json",
		Args:    program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.Client().Status(cmd.Context())
			if err != nil {
				return err
			}
			if json {
				return c.JSON(s)
			}
			c.printStatus(&s)
			return nil
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON object")
	return cmd
}

// Overview is what the program prints without a command: how the service is, and the
// examples of cmd.
func (c Commands) Overview(cmd *cobra.Command, _ []string) error {
	s, err := c.Client().Status(cmd.Context())
	if err == nil {
		c.printStatus(&s)
	} else if code := c.End(err); !errors.Is(err, control.ErrNoService) {
		return program.Exit(code)
	}
	c.Printf("\nExamples:\n%s\n\nAll commands: messngr --help\n", cmd.Example)
	if err != nil {
		return program.Exit(program.Failed)
	}
	return nil
}

// printStatus shows the status to a person, the most important first.
func (c Commands) printStatus(s *control.Status) {
	state := s.State
	if state != "running" {
		state += ", running"
	}
	c.Printf("%s in %s: %s since %s (version %s, pid %d)\n", oem.CleanLine(s.Name), oem.CleanLine(s.Workgroup), state, phrase.Clock(s.Started, time.Now()), s.Version, s.PID)
	if s.State == "paused" {
		c.Printf("messages are refused until: messngr net continue messenger\n")
	}
	c.Printf("%d of %s unread\n", s.Unread, phrase.Count(s.Total))
	c.Printf("node type %s, code page %s%s\n", s.NodeType, s.CodePage, wins(s.WINS))
	c.Printf("state %s, socket %s\n", s.StateDir, s.Socket)
	c.network(s)
	c.section("Names")
	c.rows(nameRows(s.Names)[1:])
	c.parts("Transports", s.Transports)
	c.parts("Displays", s.Displays)
	c.refused(s.Refused)
	c.counters(s.Counters)
}

// network shows interfaces and ports, and what Samba has of them.
func (c Commands) network(s *control.Status) {
	c.section("Interfaces")
	var rows [][]string
	for _, i := range s.Interfaces {
		rows = append(rows, []string{i.Name, i.Prefix, "in use"})
	}
	for _, i := range s.Available {
		rows = append(rows, []string{i.Name, i.Prefix, "not in use; to use it: messngr serve --interface " + i.Name})
	}
	c.rows(rows)

	c.section("Ports")
	rows = nil
	var hints []string
	for _, p := range s.Ports {
		rows = append(rows, []string{p.Network + " " + p.Address, p.Purpose, portState(p)})
		if p.Hint != "" && !slices.Contains(hints, p.Hint) {
			hints = append(hints, p.Hint)
		}
	}
	c.rows(rows)
	for _, hint := range hints {
		c.Printf("  %s\n", oem.CleanLine(hint))
	}
	if s.Samba == nil {
		return
	}
	c.section("Beside Samba")
	for _, line := range s.Samba.State {
		c.Printf("  %s\n", oem.CleanLine(line))
	}
	if s.Samba.Hint != "" {
		c.Printf("  %s\n", oem.CleanLine(s.Samba.Hint))
	}
	c.Printf("  (arrangement %d of doc/samba.md)\n", s.Samba.Arrangement)
}

// refused shows per source what was refused, with the command that would allow it.
func (c Commands) refused(list []control.Refusal) {
	if len(list) == 0 {
		return
	}
	c.section("Refused")
	var rows [][]string
	for _, r := range list {
		what := fmt.Sprintf("%d, last %s: %s", r.Count, phrase.Clock(r.Last, time.Now()), r.Reason)
		if r.Allow != "" {
			what += "; to allow it: " + r.Allow
		}
		rows = append(rows, []string{r.Address, r.From, what})
	}
	c.rows(rows)
}

// counters shows what has been counted since the start; what has not happened is left
// to programs, by --json.
func (c Commands) counters(counters map[string]int64) {
	var rows [][]string
	for _, key := range slices.Sorted(maps.Keys(counters)) {
		if counters[key] != 0 {
			rows = append(rows, []string{key, fmt.Sprint(counters[key])})
		}
	}
	if len(rows) > 0 {
		c.section("Counters")
		c.rows(rows)
	}
}

func wins(servers []string) string {
	if len(servers) == 0 {
		return ""
	}
	return ", WINS " + strings.Join(servers, " ")
}

func portState(p control.Port) string {
	if p.OK {
		return "ok"
	}
	if p.Holder != "" && !strings.Contains(p.Error, p.Holder) {
		return p.Error + ", held by " + p.Holder
	}
	return p.Error
}

func (c Commands) section(title string) { c.Printf("\n%s\n", title) }

// rows prints an indented table that is not cut: what it says at the end of a
// line is to be copied.
func (c Commands) rows(rows [][]string) {
	var b strings.Builder
	console.Table(&b, 0, rows)
	for line := range strings.Lines(b.String()) {
		c.Printf("  %s", line)
	}
}

func (c Commands) parts(title string, parts []control.Part) {
	if len(parts) == 0 {
		return
	}
	c.section(title)
	var rows [][]string
	for _, p := range parts {
		rows = append(rows, []string{p.Name, p.Summary})
	}
	c.rows(rows)
}
