// Package read has the commands for those who read messages: lists of what came and of
// what was sent, and what shows messages as they arrive.
package read

import (
	"cmp"
	"context"
	"slices"
	"strconv"
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

// Commands are the commands that read, as parts of one run of the program.
type Commands struct{ *program.Run }

// Inbox is messngr inbox.
func (c Commands) Inbox() *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:   "inbox",
		Short: "List, read, search, mark, delete and export received messages",
		Long: `Without a command it lists the newest messages. A message is named by its number in
the list, by the end of its id, or as: last.`,
		Example: `  messngr inbox
  messngr inbox show last
  messngr inbox search reboot`,
		Args: program.Missing("show", find.CanName),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.list(cmd.Context(), list, "") },
	}
	list.add(cmd)
	cmd.AddCommand(c.inboxListCommand(), c.inboxShowCommand(), c.inboxSearchCommand(),
		c.inboxMarkCommand(), c.inboxDeleteCommand(), c.inboxExportCommand())
	return cmd
}

// listFlags say which messages are listed, and how.
type listFlags struct {
	unread bool
	limit  int
	json   bool
}

func (f *listFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.unread, "unread", false, "only unread messages")
	cmd.Flags().IntVar(&f.limit, "limit", 20, "at most this `number` of messages, the newest; up to 10000")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per message")
}

func (c Commands) inboxListCommand() *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the newest messages",
		Long: `List the newest messages, the newest first. Unread ones have an asterisk. From is
what the sender claims to be; trust says how far that is proven.

The objects of --json have at least: id, from, to, text, via, trust, address,
received_at and level; via is the route, such as smb or mailslot.`,
		Example: "  messngr inbox list --unread\n  messngr inbox list --json --limit 1",
		Args:    program.Args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.list(cmd.Context(), list, "") },
	}
	list.add(cmd)
	return cmd
}

func (c Commands) inboxSearchCommand() *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:   "search [flags] WORD...",
		Short: "Find messages by their words",
		Long: `List the messages that contain all words in sender, recipient, title or text. Case
and accents do not matter; the last word may be the beginning of one.`,
		Example: "  messngr inbox search muller reboot",
		Args:    program.Args(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.list(cmd.Context(), list, strings.Join(args, " "))
		},
	}
	list.add(cmd)
	return cmd
}

func (c Commands) list(ctx context.Context, f listFlags, search string) error {
	if f.limit < 1 || f.limit > 10_000 {
		return program.Misuse("messngr inbox export has no limit", "--limit %d is not between 1 and 10000", f.limit)
	}
	l, err := c.Client().Messages(ctx, control.MessageQuery{Unread: f.unread, Limit: f.limit, Search: search})
	if err != nil {
		return err
	}
	if f.json {
		for _, m := range l.Messages {
			if err := c.JSON(m); err != nil {
				return err
			}
		}
		return nil
	}
	if len(l.Messages) > 0 {
		c.Table(inboxRows(l.Messages))
	}
	switch n := len(l.Messages); {
	case n == 0 && search != "":
		c.Printf("nothing found among %s\n", phrase.Count(l.Total))
	case n == 0:
		c.Printf("no messages (%d in the inbox, %d unread)\n", l.Total, l.Unread)
	case search != "" && n == f.limit:
		c.Printf("found: the newest %d; more with --limit\n", n)
	case search != "":
		c.Printf("found: %d of %s\n", n, phrase.Count(l.Total))
	default:
		c.Printf("%d of %d, %d unread\n", n, l.Total, l.Unread)
	}
	return nil
}

// inboxRows is the table of messages. Where some are for one person alone it says
// whom they are for.
func inboxRows(messages []control.Message) [][]string {
	personal := slices.ContainsFunc(messages, func(m control.Message) bool { return m.Audience != "" })
	head := []string{"", "NO", "ID", "TIME", "FROM", "TRUST"}
	if personal {
		head = append(head, "FOR")
	}
	rows := [][]string{append(head, "TEXT")}
	for _, m := range messages {
		mark := ""
		if m.ReadAt == nil {
			mark = "*"
		}
		row := []string{
			mark, strconv.FormatInt(m.Seq, 10), phrase.ShortID(m.ID), phrase.Clock(m.ReceivedAt, time.Now()),
			console.Cut(oem.CleanLine(m.From), 16), m.Trust.String(),
		}
		if personal {
			row = append(row, cmp.Or(m.Audience, "everybody"))
		}
		rows = append(rows, append(row, phrase.Emphasis(m.Drill, m.Level)+phrase.Titled(m.Title, m.Text)))
	}
	return rows
}

func (c Commands) inboxShowCommand() *cobra.Command {
	var json, keep bool
	cmd := &cobra.Command{
		Use:               "show [flags] [ID...]",
		Short:             "Show whole messages, and mark them as read",
		Example:           "  messngr inbox show last\n  messngr inbox show --keep-unread 7 a0b003",
		ValidArgsFunction: complete.Messages(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"last"}
			}
			for i, word := range args {
				m, err := find.Message(cmd.Context(), c.Client(), word)
				if err != nil {
					return err
				}
				if json {
					err = c.JSON(m)
				} else {
					if i > 0 {
						c.Printf("\n")
					}
					c.show(&m)
				}
				if err == nil && !keep && m.ReadAt == nil {
					_, err = c.Client().Mark(cmd.Context(), control.MarkRequest{IDs: []messngr.ID{m.ID}, As: "read"})
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print one JSON object per message")
	cmd.Flags().BoolVar(&keep, "keep-unread", false, "do not mark them as read")
	return cmd
}

// show prints all of one message.
func (c Commands) show(m *control.Message) {
	field := func(name, value string) {
		if value != "" {
			c.Printf("%-10s%s\n", name, oem.CleanLine(value))
		}
	}
	field("From:", phrase.Sender(m))
	field("To:", m.To)
	field("Received:", m.ReceivedAt.Local().Format("2006-01-02 15:04:05"))
	if m.ExpiresAt != nil {
		name := "Expires:"
		if time.Now().After(*m.ExpiresAt) {
			name = "Expired:"
		}
		field(name, m.ExpiresAt.Local().Format("2006-01-02 15:04:05"))
	}
	field("Number:", strconv.FormatInt(m.Seq, 10)+" ("+m.ID.String()+")")
	if m.Level != messngr.LevelInfo {
		field("Level:", m.Level.String())
	}
	if m.Drill {
		field("Drill:", "this is an exercise")
	}
	field("Warning:", m.Warning)
	field("Title:", m.Title)
	field("Answers:", strings.Join(m.Answers, ", "))
	c.Printf("\n")
	console.Indent(c.Stdout, m.Text)
}

func (c Commands) inboxMarkCommand() *cobra.Command {
	var as string
	var json bool
	cmd := &cobra.Command{
		Use:               "mark [flags] ID...",
		Short:             "Mark messages as read, unread or acknowledged",
		Long:              "Mark messages as read, unread or acknowledged. What is acknowledged is read, too.",
		Example:           "  messngr inbox mark 4 7\n  messngr inbox mark --as acknowledged last",
		Args:              program.Args(1, -1),
		ValidArgsFunction: complete.Messages(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			marks := []string{as}
			switch as {
			case "read", "unread":
			case "acknowledged":
				marks = append(marks, "read")
			default:
				return program.Misuse("use read, unread or acknowledged", "a message cannot be marked as %q", as)
			}
			ids, err := c.resolveAll(cmd.Context(), args)
			if err != nil {
				return err
			}
			n := 0
			for _, mark := range marks {
				if n, err = c.Client().Mark(cmd.Context(), control.MarkRequest{IDs: ids, As: mark}); err != nil {
					return err
				}
			}
			return c.changed(as, n, json)
		},
	}
	cmd.Flags().StringVar(&as, "as", "read", "the `state` that they get: read, unread or acknowledged")
	cmd.Flags().BoolVar(&json, "json", false, "print how many they were as a JSON object")
	complete.Flag(cmd, "as", "read", "unread", "acknowledged")
	return cmd
}

func (c Commands) inboxDeleteCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:               "delete [flags] ID...",
		Short:             "Delete messages for ever",
		Example:           "  messngr inbox delete 4 a0b003",
		Args:              program.Args(1, -1),
		ValidArgsFunction: complete.Messages(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			// All are found before the first is deleted: a wrong name deletes nothing.
			ids, err := c.resolveAll(cmd.Context(), args)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := c.Client().Delete(cmd.Context(), id); err != nil {
					return err
				}
			}
			return c.changed("deleted", len(ids), json)
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print how many they were as a JSON object")
	return cmd
}

// changed says what was done to how many messages.
func (c Commands) changed(what string, n int, json bool) error {
	if json {
		return c.JSON(control.CountAnswer{Count: n})
	}
	c.Printf("%s: %s\n", what, phrase.Count(n))
	return nil
}

// resolveAll finds the messages that words name, each once.
func (c Commands) resolveAll(ctx context.Context, words []string) ([]messngr.ID, error) {
	ids := make([]messngr.ID, 0, len(words))
	for _, word := range words {
		m, err := find.Message(ctx, c.Client(), word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, m.ID) {
			ids = append(ids, m.ID)
		}
	}
	return ids, nil
}
