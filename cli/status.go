package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/console"
	"messngr/control"
	"messngr/wire/oem"
)

func (a *app) statusCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show names, ports, displays, and who was refused",
		Long: `Show how the service is: which ports it has and who has the others, on which
interfaces it listens and on which it could, its names, its displays, and per
source what was refused, with the command that would allow it.`,
		Example: "  messngr status\n  messngr status --json",
		Args:    words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.client().Status(cmd.Context())
			if err != nil {
				return err
			}
			if json {
				return a.printJSON(s)
			}
			a.printStatus(&s)
			return nil
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON object")
	return cmd
}

// overview is what messngr prints without a command.
func (a *app) overview(cmd *cobra.Command, _ []string) error {
	if a.version {
		a.printVersion()
		return nil
	}
	s, err := a.client().Status(cmd.Context())
	if err == nil {
		a.printStatus(&s)
	} else if code := a.report(err); !errors.Is(err, control.ErrNoService) {
		return exitError(code)
	}
	a.printf("\nExamples:\n%s\n\nAll commands: messngr --help\n", cmd.Example)
	if err != nil {
		return exitError(exitFailed)
	}
	return nil
}

// printStatus shows the status to a person, the most important first.
func (a *app) printStatus(s *control.Status) {
	state := s.State
	if state != "running" {
		state += ", running"
	}
	a.printf("%s in %s: %s since %s (version %s, pid %d)\n", oem.CleanLine(s.Name), oem.CleanLine(s.Workgroup), state, clock(s.Started, time.Now()), s.Version, s.PID)
	a.printf("%d of %s unread\n", s.Unread, count(s.Total))
	a.printf("node type %s, code page %s%s\n", s.NodeType, s.CodePage, wins(s.WINS))
	a.printf("state %s, socket %s\n", s.StateDir, s.Socket)

	a.section("Interfaces")
	var rows [][]string
	for _, i := range s.Interfaces {
		rows = append(rows, []string{i.Name, i.Prefix, "in use"})
	}
	for _, i := range s.Available {
		rows = append(rows, []string{i.Name, i.Prefix, "not in use; to use it: messngr serve --interface " + i.Name})
	}
	a.rows(rows)

	a.section("Ports")
	rows = nil
	var hints []string
	for _, p := range s.Ports {
		rows = append(rows, []string{p.Network + " " + p.Address, p.Purpose, portState(p)})
		if p.Hint != "" && !slices.Contains(hints, p.Hint) {
			hints = append(hints, p.Hint)
		}
	}
	a.rows(rows)
	for _, hint := range hints {
		a.printf("  %s\n", oem.CleanLine(hint))
	}

	if s.Samba != nil {
		a.section("Beside Samba")
		for _, line := range s.Samba.State {
			a.printf("  %s\n", oem.CleanLine(line))
		}
		if s.Samba.Hint != "" {
			a.printf("  %s\n", oem.CleanLine(s.Samba.Hint))
		}
		a.printf("  (arrangement %d of doc/samba.md)\n", s.Samba.Arrangement)
	}

	a.section("Names")
	a.rows(nameRows(s.Names)[1:])

	a.parts("Transports", s.Transports)
	a.parts("Displays", s.Displays)

	if len(s.Refused) > 0 {
		a.section("Refused")
	}
	rows = nil
	for _, r := range s.Refused {
		what := fmt.Sprintf("%d, last %s: %s", r.Count, clock(r.Last, time.Now()), r.Reason)
		if r.Allow != "" {
			what += "; to allow it: " + r.Allow
		}
		rows = append(rows, []string{r.Address, r.From, what})
	}
	a.rows(rows)

	if len(s.Counters) > 0 {
		a.section("Counters")
	}
	rows = nil
	for _, key := range slices.Sorted(maps.Keys(s.Counters)) {
		rows = append(rows, []string{key, fmt.Sprint(s.Counters[key])})
	}
	a.rows(rows)
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

func (a *app) section(title string) { a.printf("\n%s\n", title) }

// rows prints an indented table that is not cut: what it says at the end of a
// line is to be copied.
func (a *app) rows(rows [][]string) {
	var b strings.Builder
	console.Table(&b, 0, rows)
	for line := range strings.Lines(b.String()) {
		a.printf("  %s", line)
	}
}

func (a *app) parts(title string, parts []control.Part) {
	if len(parts) == 0 {
		return
	}
	a.section(title)
	var rows [][]string
	for _, p := range parts {
		rows = append(rows, []string{p.Name, p.Summary})
	}
	a.rows(rows)
}
