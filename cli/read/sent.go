package read

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr"
	"messngr/cli/complete"
	"messngr/cli/console"
	"messngr/cli/find"
	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
	"messngr/wire/oem"
)

// Sent is messngr sent.
func (c Commands) Sent() *cobra.Command {
	var limit int
	var json bool
	flags := func(cmd *cobra.Command) {
		cmd.Flags().IntVar(&limit, "limit", 20, "at most this `number` of messages, the newest; up to 10000")
		cmd.Flags().BoolVar(&json, "json", false, "print one JSON object per message")
	}
	run := func(cmd *cobra.Command, _ []string) error { return c.listSent(cmd.Context(), limit, json) }
	cmd := &cobra.Command{
		Use:   "sent",
		Short: "List sent messages, and show what became of them",
		Long: `Without a command it lists the newest messages that you sent. A message is named by
the end of its id, or as: last.`,
		Example: "  messngr sent\n  messngr sent show last",
		Args:    program.Missing("show", find.CanName),
		RunE:    run,
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List sent messages",
		Example: "  messngr sent list --limit 5\n  messngr sent list --json",
		Args:    program.Args(0, 0),
		RunE:    run,
	}
	flags(cmd)
	flags(list)
	cmd.AddCommand(list, c.sentShowCommand(), c.sentRetractCommand())
	return cmd
}

func (c Commands) listSent(ctx context.Context, limit int, json bool) error {
	if limit < 1 || limit > 10_000 {
		return program.Misuse("use --limit 100", "--limit %d is not between 1 and 10000", limit)
	}
	l, err := c.Client().Sent(ctx, control.MessageQuery{Limit: limit})
	if err != nil {
		return err
	}
	rows := [][]string{{"ID", "TIME", "TO", "STATE", "TEXT"}}
	for _, m := range l.Messages {
		if json {
			if err := c.JSON(m); err != nil {
				return err
			}
			continue
		}
		var to, states []string
		for _, r := range m.Recipients {
			to = append(to, r.To)
			if s := r.State.String(); len(states) == 0 || states[len(states)-1] != s {
				states = append(states, s)
			}
		}
		rows = append(rows, []string{phrase.ShortID(m.ID), phrase.Clock(m.SentAt, time.Now()), console.Cut(oem.CleanLine(strings.Join(to, ",")), 24), strings.Join(states, ","), phrase.Emphasis(false, m.Level) + phrase.Titled(m.Title, m.Text)})
	}
	switch {
	case json:
	case len(l.Messages) == 0:
		c.Printf("nothing sent\n")
	default:
		c.Table(rows)
	}
	return nil
}

// sentID finds the sent message that the words of a command name: the last if there are none.
func (c Commands) sentID(ctx context.Context, args []string) (messngr.ID, error) {
	return find.Sent(ctx, c.Client(), append(args, "last")[0])
}

func (c Commands) sentShowCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:               "show [flags] [ID]",
		Short:             "Show one sent message with every attempt to deliver it",
		Example:           "  messngr sent show last\n  messngr sent show --json 91ba44",
		Args:              program.Args(0, 1),
		ValidArgsFunction: complete.Sent(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := c.sentID(cmd.Context(), args)
			if err != nil {
				return err
			}
			m, err := c.Client().SentMessage(cmd.Context(), id)
			if err != nil {
				return err
			}
			if json {
				return c.JSON(m)
			}
			c.showSent(&m)
			return nil
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON object")
	return cmd
}

func (c Commands) sentRetractCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "retract [flags] [ID]",
		Short: "Take a sent message back on this machine",
		Long: `Take a message back that you sent: on this machine it leaves the screens of those who
have it, whether they have seen it or not, and stays in their inboxes as one whose time
is over. No old protocol can take back what another machine has.`,
		Example:           "  messngr sent retract last\n  messngr sent retract 91ba44",
		Args:              program.Args(0, 1),
		ValidArgsFunction: complete.Sent(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := c.sentID(cmd.Context(), args)
			if err != nil {
				return err
			}
			answer, err := c.Client().Retract(cmd.Context(), id)
			if err != nil {
				return err
			}
			if json {
				err = c.JSON(answer)
			} else if answer.Count > 0 {
				c.Printf("%s on this machine taken back\n", phrase.Count(answer.Count))
			}
			switch {
			case err != nil:
				return err
			case len(answer.Beyond) > 0:
				c.Complain("not taken back: what is on its way to "+oem.CleanLine(strings.Join(answer.Beyond, ", ")),
					"what another machine has, or may still get, is out of reach")
			case answer.Count == 0:
				c.Complain("it reached nobody, so there is nothing to take back", "")
			default:
				return nil
			}
			return program.Exit(program.Failed)
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON object")
	return cmd
}

func (c Commands) showSent(m *control.SentMessage) {
	c.Printf("From:     %s\n", oem.CleanLine(m.From))
	c.Printf("Sent:     %s\n", m.SentAt.Local().Format("2006-01-02 15:04:05"))
	if m.ExpiresAt != nil {
		c.Printf("Expires:  %s\n", m.ExpiresAt.Local().Format("2006-01-02 15:04:05"))
	}
	c.Printf("Id:       %s\n", m.ID)
	if m.Level != messngr.LevelInfo {
		c.Printf("Level:    %s\n", m.Level)
	}
	if m.Title != "" {
		c.Printf("Title:    %s\n", oem.CleanLine(m.Title))
	}
	c.Printf("\n")
	console.Indent(c.Stdout, m.Text)
	c.Printf("\n")
	for _, r := range m.Recipients {
		c.Printf("%s\n", oem.CleanLine(phrase.Outcome(r)))
	}
	if len(m.Attempts) > 0 {
		c.Printf("\n")
	}
	for _, t := range m.Attempts {
		what := t.State.String()
		if t.Detail != "" {
			what += " (" + t.Detail + ")"
		}
		if t.Error != "" {
			what += ": " + phrase.Reason(t.Error, t.Address)
		}
		to := t.To
		if t.Address != "" && t.Address != t.To {
			to += " at " + t.Address
		}
		if t.Via != "" { // otherwise it ended without one
			to += " by " + phrase.Via(t.Via)
		}
		c.Printf("  %s  to %s: %s\n", t.Began.Local().Format("15:04:05.000"), oem.CleanLine(to), oem.CleanLine(what))
	}
}
