package read

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/find"
	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
	"messngr/wire/oem"
)

func (c Commands) inboxExportCommand() *cobra.Command {
	var format string
	var unread bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the whole inbox, oldest first",
		Long: `Print all messages, oldest first, for a backup or another program: as JSON, one
object per line, or as a mailbox that mail programs read.`,
		Example: "  messngr inbox export > messages.jsonl\n  messngr inbox export --format mbox > messages.mbox",
		Args:    program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write := func(m control.Message) error { return c.JSON(m) }
			switch format {
			case "json", "jsonl":
			case "mbox":
				write = func(m control.Message) error { return writeMbox(c.Stdout, &m) }
			default:
				return program.Misuse("use json or mbox", "there is no format %q", format)
			}
			return find.Each(cmd.Context(), c.Client(), control.MessageQuery{Unread: unread, Oldest: true}, write)
		},
	}
	cmd.Flags().StringVar(&format, "format", "json", "the `format`: json or mbox")
	cmd.Flags().Bool("json", false, "the same as --format json")
	cmd.MarkFlagsMutuallyExclusive("format", "json")
	complete.Flag(cmd, "format", "json", "mbox")
	cmd.Flags().BoolVar(&unread, "unread", false, "only unread messages")
	return cmd
}

// writeMbox writes one message in the "mboxrd" form of a mailbox (RFC 4155): a
// line of the text that looks like the start of a message is quoted.
func writeMbox(w io.Writer, m *control.Message) error {
	at := m.ReceivedAt.UTC()
	var b strings.Builder
	fmt.Fprintf(&b, "From messngr %s\n", at.Format(time.ANSIC))
	header := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, oem.CleanLine(value))
		}
	}
	header("From", mailbox(m.From))
	header("To", mailbox(m.To))
	header("Date", at.Format(time.RFC1123Z))
	header("Message-ID", "<"+m.ID.String()+"@messngr>")
	header("Subject", m.Title)
	header("X-Messngr-Sender", phrase.Sender(m))
	header("X-Messngr-Warning", m.Warning)
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "8bit")
	b.WriteByte('\n')
	for line := range strings.SplitSeq(oem.Clean(oem.Normalize(m.Text)), "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
			line = ">" + line
		}
		b.WriteString(line + "\n")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// mailbox writes a message name as a mail address that leads nowhere.
func mailbox(name string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oem.CleanLine(name))
	return `"` + quoted + `" <messngr@invalid>`
}
