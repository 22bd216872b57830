package operate

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/login"
	"messngr/cli/program"
	"messngr/control"
)

// Name is messngr name.
func (c Commands) Name() *cobra.Command {
	var json bool
	var other login.Options
	run := func(cmd *cobra.Command, _ []string) error {
		if other.Given() {
			return c.listRemoteNames(cmd.Context(), other, json)
		}
		l, err := c.Client().Names(cmd.Context())
		if err != nil {
			return err
		}
		if json {
			for _, n := range l.Names {
				if err := c.JSON(n); err != nil {
					return err
				}
			}
			return nil
		}
		c.Table(nameRows(l.Names))
		return nil
	}
	cmd := &cobra.Command{
		Use:     "name",
		Aliases: []string{"names"},
		Short:   "List, add and remove the names that this machine receives for",
		Long:    "Without a command it lists the names of this machine.",
		Example: "  messngr name\n  messngr name add BACKUP\n  messngr name remove BACKUP\n  messngr name list --server FS01 --as admin",
		Args:    program.Missing("add", func(string) bool { return true }),
		RunE:    run,
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the names of this machine, or of another",
		Long:    "List the names that messages are received for." + login.Help,
		Example: "  messngr name list --json\n  messngr name list --server FS01 --as 'OFFICE\\admin'",
		Args:    program.Args(0, 0),
		RunE:    run,
	}
	other.AddTo(list)
	for _, lister := range []*cobra.Command{cmd, list} {
		lister.Flags().BoolVar(&json, "json", false, "print one JSON object per name")
	}
	cache := &cobra.Command{
		Use:     "cache",
		Short:   "List the names of other machines whose place is remembered",
		Example: "  messngr names cache",
		Args:    program.Args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.nameCache(cmd) },
	}
	cmd.AddCommand(list, c.nameAddCommand(), c.nameRemoveCommand(), cache)
	return cmd
}

// nameRows tells of every name what it is, whose, and how it fares.
func nameRows(names []control.Name) [][]string {
	rows := [][]string{{"NAME", "KIND", "FOR", "STATE"}}
	for _, n := range names {
		state := n.State
		if n.Owner != "" {
			state += ": owned by " + n.Owner
		}
		if n.Persist {
			state += ", kept over restarts"
		}
		who := n.User
		if who == "" {
			who = "this machine"
		}
		rows = append(rows, []string{fmt.Sprintf("%s<%02x>", n.Name, n.Suffix), n.Kind, who, state})
	}
	return rows
}

func (c Commands) nameAddCommand() *cobra.Command {
	var req control.NameRequest
	var other login.Options
	cmd := &cobra.Command{
		Use:   "add [flags] NAME",
		Short: "Claim a name on the network",
		Long: `Claim NAME on the network, so that messages for it arrive here. It fails if
another machine has the name, and says which one.` + login.Help,
		Example: "  messngr name add --persist BACKUP\n  messngr name add --server FS01 --as admin BACKUP",
		Args:    program.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = strings.TrimSpace(args[0])
			if req.Name == "" {
				return program.Misuse("usage: "+cmd.UseLine(), "the name is empty")
			}
			if other.Given() {
				if req.Persist || req.User != "" {
					return program.Misuse("such a name is that machine's, until it is removed there", "--persist and --user are for names of this machine")
				}
				return c.addRemoteName(cmd.Context(), other, req.Name)
			}
			n, err := c.Client().AddName(cmd.Context(), req)
			if err != nil {
				return err
			}
			c.Printf("%s is %s here\n", n.Name, n.State)
			return nil
		},
	}
	cmd.Flags().BoolVar(&req.Persist, "persist", false, "keep the name over restarts of the service")
	cmd.Flags().StringVar(&req.User, "user", "", "`login` name of the person whom messages for it are shown to")
	other.AddTo(cmd)
	return cmd
}

func (c Commands) nameRemoveCommand() *cobra.Command {
	var other login.Options
	cmd := &cobra.Command{
		Use:               "remove [flags] NAME",
		Short:             "Give a name up",
		Long:              "Give NAME up: messages for it arrive here no longer." + login.Help,
		Example:           "  messngr name remove BACKUP\n  messngr name remove --server FS01 --as admin BACKUP",
		Args:              program.Args(1, 1),
		ValidArgsFunction: complete.Aliases(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			if other.Given() {
				return c.removeRemoteName(cmd.Context(), other, strings.TrimSpace(args[0]))
			}
			if err := c.Client().RemoveName(cmd.Context(), args[0]); err != nil {
				return program.Hinted(err, "not_found", "see: messngr name list")
			}
			c.Printf("%s is given up\n", strings.ToUpper(args[0]))
			return nil
		},
	}
	other.AddTo(cmd)
	return cmd
}
