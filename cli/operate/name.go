package operate

import (
	"fmt"
	"messngr/cli/login"
	"messngr/cli/program"
	"messngr/control"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"
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
		Args:    program.NoSuchCommand,
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
		Use:   "add NAME",
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
		Use:     "remove NAME",
		Short:   "Give a name up",
		Long:    "Give NAME up: messages for it arrive here no longer." + login.Help,
		Example: "  messngr name remove BACKUP\n  messngr name remove --server FS01 --as admin BACKUP",
		Args:    program.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if other.Given() {
				return c.removeRemoteName(cmd.Context(), other, strings.TrimSpace(args[0]))
			}
			if err := c.Client().RemoveName(cmd.Context(), args[0]); err != nil {
				return err
			}
			c.Printf("%s is given up\n", strings.ToUpper(args[0]))
			return nil
		},
	}
	other.AddTo(cmd)
	return cmd
}

// Policy is messngr policy.
func (c Commands) Policy() *cobra.Command {
	var json bool
	run := func(cmd *cobra.Command, _ []string) error {
		l, err := c.Client().Rules(cmd.Context())
		if err != nil {
			return err
		}
		rows := [][]string{{"VERDICT", "MATCH", "SOURCE"}}
		for _, r := range l.Rules {
			if json {
				if err := c.JSON(r); err != nil {
					return err
				}
			}
			rows = append(rows, []string{r.Verdict, r.Match, ruleSource(r.Source)})
		}
		if !json {
			c.Table(rows)
		}
		return nil
	}
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "List and change who may send messages to this machine",
		Long: `Without a command it lists the rules. Messages by NetBIOS are taken from the
subnets of the chosen interfaces and from what is allowed; what is blocked is
never taken.`,
		Example: "  messngr policy\n  messngr policy allow 10.1.0.0/16\n  messngr policy block name:SPAMMER",
		Args:    program.NoSuchCommand,
		RunE:    run,
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the rules",
		Example: "  messngr policy list --json",
		Args:    program.Args(0, 0),
		RunE:    run,
	}
	for _, lister := range []*cobra.Command{cmd, list} {
		lister.Flags().BoolVar(&json, "json", false, "print one JSON object per rule")
	}
	cmd.AddCommand(list, c.ruleCommand("allow", "Take messages from an address, a subnet or a name"),
		c.ruleCommand("block", "Refuse messages from an address, a subnet or a name"), c.policyRemoveCommand())
	return cmd
}

func ruleSource(source string) string {
	switch source {
	case "attached":
		return "subnet of a chosen interface"
	case "config":
		return "configuration"
	case "set":
		return "messngr policy"
	}
	return source
}

func (c Commands) ruleCommand(verdict, short string) *cobra.Command {
	return &cobra.Command{
		Use:     verdict + " ADDRESS|SUBNET|name:NAME",
		Short:   short,
		Long:    short + ". The rule is kept until: messngr policy remove",
		Example: "  messngr policy " + verdict + " 10.1.2.3\n  messngr policy " + verdict + " name:BOSS",
		Args:    program.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.Client().AddRule(cmd.Context(), control.RuleRequest{Verdict: verdict, Match: args[0]}); err != nil {
				return err
			}
			match := args[0]
			if subnet, err := netip.ParsePrefix(match); err == nil {
				match = subnet.Masked().String() // as it is kept
			}
			c.Printf("%s %s\n", verdict, match)
			return nil
		},
	}
}

func (c Commands) policyRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove allow|block ADDRESS|SUBNET|name:NAME",
		Short:   "Remove a rule that was added by messngr policy",
		Example: "  messngr policy remove block 10.1.2.3",
		Args:    program.Args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "allow" && args[0] != "block" {
				return program.Misuse("usage: "+cmd.UseLine(), "a rule begins with allow or block, not with %q", args[0])
			}
			if err := c.Client().RemoveRule(cmd.Context(), control.RuleRequest{Verdict: args[0], Match: args[1]}); err != nil {
				return err
			}
			c.Printf("removed: %s %s\n", args[0], args[1])
			return nil
		},
	}
}
