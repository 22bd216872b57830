package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr"
	"messngr/cli/console"
	"messngr/control"
	"messngr/wire/oem"
)

func (a *app) sentCommand() *cobra.Command {
	var limit int
	var json bool
	flags := func(cmd *cobra.Command) {
		cmd.Flags().IntVar(&limit, "limit", 20, "at most so many messages, the newest; up to 10000")
		cmd.Flags().BoolVar(&json, "json", false, "print one JSON object per message")
	}
	run := func(cmd *cobra.Command, _ []string) error { return a.listSent(cmd.Context(), limit, json) }
	cmd := &cobra.Command{
		Use:     "sent",
		Short:   "List sent messages, and show what became of them",
		Long:    "Without a command it lists the newest messages that you sent. A message is named by the end of its id, or as: last.",
		Example: "  messngr sent\n  messngr sent show last",
		Args:    a.noSuchCommand,
		RunE:    run,
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List sent messages",
		Example: "  messngr sent list --limit 5\n  messngr sent list --json",
		Args:    words(0, 0),
		RunE:    run,
	}
	flags(cmd)
	flags(list)
	cmd.AddCommand(list, a.sentShowCommand(), a.sentRetractCommand())
	return cmd
}

func (a *app) listSent(ctx context.Context, limit int, json bool) error {
	if limit < 1 || limit > 10_000 {
		return misuse("use --limit 100", "--limit %d is not between 1 and 10000", limit)
	}
	l, err := a.client().Sent(ctx, control.MessageQuery{Limit: limit})
	if err != nil {
		return err
	}
	rows := [][]string{{"ID", "TIME", "TO", "STATE", "TEXT"}}
	for _, m := range l.Messages {
		if json {
			if err := a.printJSON(m); err != nil {
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
		rows = append(rows, []string{shortID(m.ID), clock(m.SentAt, time.Now()), console.Cut(oem.CleanLine(strings.Join(to, ",")), 24), strings.Join(states, ","), emphasis(false, m.Level) + titled(m.Title, m.Text)})
	}
	switch {
	case json:
	case len(l.Messages) == 0:
		a.printf("nothing sent\n")
	default:
		console.Table(a.env.Stdout, a.width(), rows)
	}
	return nil
}

func (a *app) sentShowCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:     "show [ID]",
		Short:   "Show one sent message with every attempt to deliver it",
		Example: "  messngr sent show last\n  messngr sent show --json 91ba44",
		Args:    words(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := a.resolveSent(cmd.Context(), strings.Join(append(args, "last")[:1], ""))
			if err != nil {
				return err
			}
			m, err := a.client().SentMessage(cmd.Context(), id)
			if err != nil {
				return err
			}
			if json {
				return a.printJSON(m)
			}
			a.showSent(&m)
			return nil
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON object")
	return cmd
}

func (a *app) sentRetractCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "retract [ID]",
		Short: "Take a sent message back on this machine",
		Long: `Take a message back that you sent: on this machine it leaves the screens of those who
have it, whether they have seen it or not, and stays in their inboxes as one whose time
is over. No old protocol can take back what another machine has.`,
		Example: "  messngr sent retract last\n  messngr sent retract 91ba44",
		Args:    words(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := a.resolveSent(cmd.Context(), strings.Join(append(args, "last")[:1], ""))
			if err != nil {
				return err
			}
			answer, err := a.client().Retract(cmd.Context(), id)
			if err != nil {
				return err
			}
			if json {
				err = a.printJSON(answer)
			} else if answer.Count > 0 {
				a.printf("%s on this machine taken back\n", count(answer.Count))
			}
			switch {
			case err != nil:
				return err
			case len(answer.Beyond) > 0:
				a.complain("not taken back: what is on its way to "+oem.CleanLine(strings.Join(answer.Beyond, ", ")),
					"what another machine has, or may still get, is out of reach")
			case answer.Count == 0:
				a.complain("it reached nobody, so there is nothing to take back", "")
			default:
				return nil
			}
			return exitError(exitFailed)
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON object")
	return cmd
}

func (a *app) showSent(m *control.SentMessage) {
	a.printf("From:     %s\n", oem.CleanLine(m.From))
	a.printf("Sent:     %s\n", m.SentAt.Local().Format("2006-01-02 15:04:05"))
	if m.ExpiresAt != nil {
		a.printf("Expires:  %s\n", m.ExpiresAt.Local().Format("2006-01-02 15:04:05"))
	}
	a.printf("Id:       %s\n", m.ID)
	if m.Level != messngr.LevelInfo {
		a.printf("Level:    %s\n", m.Level)
	}
	if m.Title != "" {
		a.printf("Title:    %s\n", oem.CleanLine(m.Title))
	}
	a.printf("\n")
	console.Indent(a.env.Stdout, m.Text)
	a.printf("\n")
	for _, r := range m.Recipients {
		a.printf("%s\n", oem.CleanLine(outcome(r)))
	}
	if len(m.Attempts) > 0 {
		a.printf("\n")
	}
	for _, t := range m.Attempts {
		what := t.State.String()
		if t.Detail != "" {
			what += " (" + t.Detail + ")"
		}
		if t.Error != "" {
			what += ": " + t.Error
		}
		at := strings.TrimSpace(viaWord(t.Via) + " " + t.Address)
		a.printf("  %s  %s by %s: %s\n", t.Began.Local().Format("15:04:05.000"), oem.CleanLine(t.To), oem.CleanLine(at), oem.CleanLine(what))
	}
}
