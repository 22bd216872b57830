package cli

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"messngr/cli/console"
	"messngr/control"
)

func (a *app) nameCommand() *cobra.Command {
	var json bool
	var other otherMachine
	run := func(cmd *cobra.Command, _ []string) error {
		if other.given() {
			return a.listRemoteNames(cmd.Context(), other, json)
		}
		l, err := a.client().Names(cmd.Context())
		if err != nil {
			return err
		}
		if json {
			for _, n := range l.Names {
				if err := a.printJSON(n); err != nil {
					return err
				}
			}
			return nil
		}
		console.Table(a.env.Stdout, a.width(), nameRows(l.Names))
		return nil
	}
	cmd := &cobra.Command{
		Use:     "name",
		Aliases: []string{"names"},
		Short:   "List, add and remove the names that this machine receives for",
		Long:    "Without a command it lists the names of this machine.",
		Example: "  messngr name\n  messngr name add BACKUP\n  messngr name remove BACKUP\n  messngr name list --server FS01 --as admin",
		Args:    a.noSuchCommand,
		RunE:    run,
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the names of this machine, or of another",
		Long:    "List the names that messages are received for." + otherMachineHelp,
		Example: "  messngr name list --json\n  messngr name list --server FS01 --as 'OFFICE\\admin'",
		Args:    words(0, 0),
		RunE:    run,
	}
	other.flags(list)
	for _, c := range []*cobra.Command{cmd, list} {
		c.Flags().BoolVar(&json, "json", false, "print one JSON object per name")
	}
	cache := &cobra.Command{
		Use:     "cache",
		Short:   "List the names of other machines whose place is remembered",
		Example: "  messngr names cache",
		Args:    words(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.nameCache(cmd) },
	}
	cmd.AddCommand(list, a.nameAddCommand(), a.nameRemoveCommand(), cache)
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

func (a *app) nameAddCommand() *cobra.Command {
	var req control.NameRequest
	var other otherMachine
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Claim a name on the network",
		Long: `Claim NAME on the network, so that messages for it arrive here. It fails if
another machine has the name, and says which one.` + otherMachineHelp,
		Example: "  messngr name add --persist BACKUP\n  messngr name add --server FS01 --as admin BACKUP",
		Args:    words(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = strings.TrimSpace(args[0])
			if req.Name == "" {
				return misuse("usage: "+cmd.UseLine(), "the name is empty")
			}
			if other.given() {
				if req.Persist || req.User != "" {
					return misuse("such a name is that machine's, until it is removed there", "--persist and --user are for names of this machine")
				}
				return a.addRemoteName(cmd.Context(), other, req.Name)
			}
			n, err := a.client().AddName(cmd.Context(), req)
			if err != nil {
				return err
			}
			a.printf("%s is %s here\n", n.Name, n.State)
			return nil
		},
	}
	cmd.Flags().BoolVar(&req.Persist, "persist", false, "keep the name over restarts of the service")
	cmd.Flags().StringVar(&req.User, "user", "", "`login` name of the person whom messages for it are shown to")
	other.flags(cmd)
	return cmd
}

func (a *app) nameRemoveCommand() *cobra.Command {
	var other otherMachine
	cmd := &cobra.Command{
		Use:     "remove NAME",
		Short:   "Give a name up",
		Long:    "Give NAME up: messages for it arrive here no longer." + otherMachineHelp,
		Example: "  messngr name remove BACKUP\n  messngr name remove --server FS01 --as admin BACKUP",
		Args:    words(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if other.given() {
				return a.removeRemoteName(cmd.Context(), other, strings.TrimSpace(args[0]))
			}
			if err := a.client().RemoveName(cmd.Context(), args[0]); err != nil {
				return err
			}
			a.printf("%s is given up\n", strings.ToUpper(args[0]))
			return nil
		},
	}
	other.flags(cmd)
	return cmd
}

func (a *app) policyCommand() *cobra.Command {
	var json bool
	run := func(cmd *cobra.Command, _ []string) error {
		l, err := a.client().Rules(cmd.Context())
		if err != nil {
			return err
		}
		rows := [][]string{{"VERDICT", "MATCH", "SOURCE"}}
		for _, r := range l.Rules {
			if json {
				if err := a.printJSON(r); err != nil {
					return err
				}
			}
			rows = append(rows, []string{r.Verdict, r.Match, ruleSource(r.Source)})
		}
		if !json {
			console.Table(a.env.Stdout, a.width(), rows)
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
		Args:    a.noSuchCommand,
		RunE:    run,
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the rules",
		Example: "  messngr policy list --json",
		Args:    words(0, 0),
		RunE:    run,
	}
	for _, c := range []*cobra.Command{cmd, list} {
		c.Flags().BoolVar(&json, "json", false, "print one JSON object per rule")
	}
	cmd.AddCommand(list, a.ruleCommand("allow", "Take messages from an address, a subnet or a name"),
		a.ruleCommand("block", "Refuse messages from an address, a subnet or a name"), a.policyRemoveCommand())
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

func (a *app) ruleCommand(verdict, short string) *cobra.Command {
	return &cobra.Command{
		Use:     verdict + " ADDRESS|SUBNET|name:NAME",
		Short:   short,
		Long:    short + ". The rule is kept until: messngr policy remove",
		Example: "  messngr policy " + verdict + " 10.1.2.3\n  messngr policy " + verdict + " name:BOSS",
		Args:    words(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.client().AddRule(cmd.Context(), control.RuleRequest{Verdict: verdict, Match: args[0]}); err != nil {
				return err
			}
			match := args[0]
			if subnet, err := netip.ParsePrefix(match); err == nil {
				match = subnet.Masked().String() // as it is kept
			}
			a.printf("%s %s\n", verdict, match)
			return nil
		},
	}
}

func (a *app) policyRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove allow|block ADDRESS|SUBNET|name:NAME",
		Short:   "Remove a rule that was added by messngr policy",
		Example: "  messngr policy remove block 10.1.2.3",
		Args:    words(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "allow" && args[0] != "block" {
				return misuse("usage: "+cmd.UseLine(), "a rule begins with allow or block, not with %q", args[0])
			}
			if err := a.client().RemoveRule(cmd.Context(), control.RuleRequest{Verdict: args[0], Match: args[1]}); err != nil {
				return err
			}
			a.printf("removed: %s %s\n", args[0], args[1])
			return nil
		},
	}
}
