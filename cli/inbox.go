package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"messngr"
	"messngr/cli/console"
	"messngr/control"
	"messngr/wire/oem"
)

func (a *app) inboxCommand() *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:   "inbox",
		Short: "List, read, search, mark, delete and export received messages",
		Long:  "Without a command it lists the newest messages. A message is named by its number in the list, by the end of its id, or as: last.",
		Example: `  messngr inbox
  messngr inbox show last
  messngr inbox search reboot`,
		Args: a.noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), list, "") },
	}
	list.add(cmd)
	cmd.AddCommand(a.inboxListCommand(), a.inboxShowCommand(), a.inboxSearchCommand(),
		a.inboxMarkCommand(), a.inboxDeleteCommand(), a.inboxExportCommand())
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
	cmd.Flags().IntVar(&f.limit, "limit", 20, "at most so many messages, the newest; up to 10000")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per message")
}

func (a *app) inboxListCommand() *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the newest messages",
		Long:    "List the newest messages, the newest first. Unread ones have an asterisk. From is what the sender claims to be; trust says how far that is proven.",
		Example: "  messngr inbox list --unread\n  messngr inbox list --json --limit 1",
		Args:    words(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), list, "") },
	}
	list.add(cmd)
	return cmd
}

func (a *app) inboxSearchCommand() *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:     "search [flags] WORD...",
		Short:   "Find messages by their words",
		Long:    "List the messages that contain all words in sender, recipient, title or text. Case and accents do not matter; the last word may be the beginning of one.",
		Example: "  messngr inbox search muller reboot",
		Args:    words(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.list(cmd.Context(), list, strings.Join(args, " "))
		},
	}
	list.add(cmd)
	return cmd
}

func (a *app) list(ctx context.Context, f listFlags, search string) error {
	if f.limit < 1 || f.limit > 10_000 {
		return misuse("messngr inbox export has no limit", "--limit %d is not between 1 and 10000", f.limit)
	}
	l, err := a.client().Messages(ctx, control.MessageQuery{Unread: f.unread, Limit: f.limit, Search: search})
	if err != nil {
		return err
	}
	if f.json {
		for _, m := range l.Messages {
			if err := a.printJSON(m); err != nil {
				return err
			}
		}
		return nil
	}
	if len(l.Messages) == 0 {
		a.printf("no messages (%d in the inbox, %d unread)\n", l.Total, l.Unread)
		return nil
	}
	console.Table(a.env.Stdout, a.width(), inboxRows(l.Messages))
	a.printf("%d of %d, %d unread\n", len(l.Messages), l.Total, l.Unread)
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
			mark, strconv.FormatInt(m.Seq, 10), shortID(m.ID), clock(m.ReceivedAt, time.Now()),
			console.Cut(oem.CleanLine(m.From), 16), m.Trust.String(),
		}
		if personal {
			row = append(row, cmp.Or(m.Audience, "everybody"))
		}
		rows = append(rows, append(row, emphasis(m.Drill, m.Level)+titled(m.Title, m.Text)))
	}
	return rows
}

// emphasis is what a list says of a message before its text: that it is no ordinary
// one.
func emphasis(drill bool, level messngr.Level) string {
	words := ""
	if drill {
		words = "DRILL "
	}
	if level >= messngr.LevelUrgent {
		words += strings.ToUpper(level.String()) + " "
	}
	if words == "" {
		return ""
	}
	return "[" + strings.TrimSpace(words) + "] "
}

// titled is a text in a list, behind its title.
func titled(title, text string) string {
	if title != "" && strings.TrimSpace(text) != "" {
		title += ": "
	}
	return strings.TrimSpace(title + text)
}

// width is how many columns a line may have; 0 if nobody counts them.
func (a *app) width() int {
	if n, err := strconv.Atoi(a.env.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := terminal(a.env.Stdout); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// clock writes a time as short as it can be understood.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("02 Jan 15:04")
	}
	return t.Format("2006-01-02")
}

func (a *app) inboxShowCommand() *cobra.Command {
	var json, keep bool
	cmd := &cobra.Command{
		Use:     "show [flags] [ID...]",
		Short:   "Show whole messages, and mark them as read",
		Example: "  messngr inbox show last\n  messngr inbox show --keep-unread 7 a0b003",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"last"}
			}
			for i, word := range args {
				m, err := a.resolve(cmd.Context(), word)
				if err != nil {
					return err
				}
				if json {
					err = a.printJSON(m)
				} else {
					if i > 0 {
						a.printf("\n")
					}
					a.show(&m)
				}
				if err == nil && !keep && m.ReadAt == nil {
					_, err = a.client().Mark(cmd.Context(), control.MarkRequest{IDs: []messngr.ID{m.ID}, As: "read"})
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
func (a *app) show(m *control.Message) {
	field := func(name, value string) {
		if value != "" {
			a.printf("%-10s%s\n", name, oem.CleanLine(value))
		}
	}
	field("From:", sender(m))
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
	a.printf("\n")
	console.Indent(a.env.Stdout, m.Text)
}

func (a *app) inboxMarkCommand() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:     "mark [flags] ID...",
		Short:   "Mark messages as read, unread or acknowledged",
		Example: "  messngr inbox mark 4 7\n  messngr inbox mark --as acknowledged last",
		Args:    words(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch as {
			case "read", "unread", "acknowledged":
			default:
				return misuse("use read, unread or acknowledged", "a message cannot be marked as %q", as)
			}
			ids, err := a.resolveAll(cmd.Context(), args)
			if err != nil {
				return err
			}
			n, err := a.client().Mark(cmd.Context(), control.MarkRequest{IDs: ids, As: as})
			if err != nil {
				return err
			}
			a.printf("%s: %s\n", as, count(n))
			return nil
		},
	}
	cmd.Flags().StringVar(&as, "as", "read", "what they become: read, unread or acknowledged")
	completeFlag(cmd, "as", "read", "unread", "acknowledged")
	return cmd
}

func (a *app) inboxDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "delete ID...",
		Short:   "Delete messages for ever",
		Example: "  messngr inbox delete 4 a0b003",
		Args:    words(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// All are found before the first is deleted: a wrong name deletes nothing.
			ids, err := a.resolveAll(cmd.Context(), args)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := a.client().Delete(cmd.Context(), id); err != nil {
					return err
				}
			}
			a.printf("deleted: %s\n", count(len(ids)))
			return nil
		},
	}
}

func (a *app) resolveAll(ctx context.Context, words []string) ([]messngr.ID, error) {
	ids := make([]messngr.ID, 0, len(words))
	for _, word := range words {
		m, err := a.resolve(ctx, word)
		if err != nil {
			return nil, err
		}
		ids = append(ids, m.ID)
	}
	return ids, nil
}

func count(n int) string {
	if n == 1 {
		return "1 message"
	}
	return strconv.Itoa(n) + " messages"
}
