package operate

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
	"messngr/wire/oem"
)

// Who is messngr who.
func (c Commands) Who() *cobra.Command {
	var json, quick bool
	cmd := &cobra.Command{
		Use:   "who",
		Short: "List the machines on the network, and who is at them",
		Long: `List the machines on the network, ours first: where they are, which names take
messages there beside the machine's own, by which ways they take messages as far as
their names tell, when they were last heard of, and what they say of themselves.

Machines are known because they announce themselves, every 12 minutes, and from the
list of the master browser; then each is asked for its names. Nothing of it is proven,
and a machine that hides its users shows none.`,
		Example: "  messngr who\n  messngr who --quick --json",
		Args:    program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := c.Client().Who(cmd.Context(), quick)
			if err != nil {
				return err
			}
			if !json {
				c.printMachines(list.Machines)
			}
			for _, m := range list.Machines {
				if json {
					if err := c.JSON(m); err != nil {
						return err
					}
				}
			}
			for _, note := range list.Notes {
				c.Complain(note, "")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print one JSON object per machine")
	cmd.Flags().BoolVar(&quick, "quick", false, "do not ask the machines for their names, which takes seconds")
	return cmd
}

func (c Commands) printMachines(list []control.Machine) {
	rows := [][]string{{"NAME", "WORKGROUP", "ADDRESS", "USERS", "TAKES", "SEEN", "WHAT IT SAYS OF ITSELF"}}
	for _, m := range list {
		seen := "-"
		switch {
		case slices.Contains(m.Sources, "self"):
			seen = "here"
		case m.SeenAt != nil:
			seen = phrase.Clock(*m.SeenAt, time.Now())
		}
		says := slices.DeleteFunc([]string{m.System, m.Comment}, func(s string) bool { return s == "" })
		if m.Master {
			says = append(says, "master browser")
		}
		row := []string{
			m.Name, m.Workgroup, m.Address, strings.Join(m.Users, " "), strings.Join(m.Takes, " "), seen, strings.Join(says, ", "),
		}
		for i, cell := range row {
			if row[i] = oem.CleanLine(cell); row[i] == "" {
				row[i] = "-"
			}
		}
		rows = append(rows, row)
	}
	c.Table(rows)
}
