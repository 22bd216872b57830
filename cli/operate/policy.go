package operate

import (
	"net/netip"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/program"
	"messngr/control"
)

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
		Use:               "remove allow|block ADDRESS|SUBNET|name:NAME",
		Short:             "Remove a rule that was added by messngr policy",
		Example:           "  messngr policy remove block 10.1.2.3",
		Args:              program.Args(2, 2),
		ValidArgsFunction: complete.Rules(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "allow" && args[0] != "block" {
				return program.Misuse("usage: "+cmd.UseLine(), "a rule begins with allow or block, not with %q", args[0])
			}
			if err := c.Client().RemoveRule(cmd.Context(), control.RuleRequest{Verdict: args[0], Match: args[1]}); err != nil {
				return program.Hinted(err, "not_found", "see: messngr policy list")
			}
			c.Printf("removed: %s %s\n", args[0], args[1])
			return nil
		},
	}
}
