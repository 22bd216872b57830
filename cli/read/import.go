package read

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
	"messngr/wire/linpopup"
	"messngr/wire/oem"
)

const (
	// linpopupFile is where LinPopUp keeps its messages.
	linpopupFile = "/var/lib/linpopup/messages.dat"
	// maxImport is the largest file that is read: over 16,000 messages.
	maxImport = 64 << 20
	// importBatch is how many messages go into one request; they fit, however
	// long they are.
	importBatch = 20
)

// Import is messngr import.
func (c Commands) Import() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "import",
		Short:   "Take in the old messages of another program",
		Example: "  messngr import linpopup " + linpopupFile,
		Args:    program.NoSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return program.Misuse("usage: messngr import linpopup [FILE]", "import from what?")
		},
	}
	cmd.AddCommand(c.importLinPopUpCommand())
	return cmd
}

func (c Commands) importLinPopUpCommand() *cobra.Command {
	var req control.ImportRequest
	var charset string
	cmd := &cobra.Command{
		Use:   "linpopup [flags] [FILE]",
		Short: "Take in the messages of LinPopUp or LinPopUp 2",
		Long: `Take the messages of LinPopUp into your inbox, from a file of any machine that it
ran on (default: ` + linpopupFile + `). What was read there is read here. The file
stays as it is; a second import within a day takes nothing twice.

The time and the machine of the sender stand in the title of each message.`,
		Example: `  messngr import linpopup
  sudo messngr import linpopup --machine
  messngr import linpopup --charset 1251 old/messages.dat`,
		Args:              program.Args(0, 1),
		ValidArgsFunction: complete.Files,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := linpopupFile
			if len(args) == 1 {
				file = args[0]
			}
			if req.User != "" && req.Machine {
				return program.Misuse("choose one of them", "--user and --machine are two places")
			}
			page, err := oem.Lookup(charset)
			if err != nil {
				return program.Misuse("use a number such as 1252, 1251 or 850", "--charset %q is no code page", charset)
			}
			records, err := readLinPopUp(file)
			if err != nil {
				return err
			}
			return c.importLinPopUp(cmd.Context(), req, records, page)
		},
	}
	cmd.Flags().StringVar(&req.User, "user", "", "`login` whose inbox they go to (default: yours; others need root or the group messngr)")
	cmd.Flags().BoolVar(&req.Machine, "machine", false, "for everybody on this machine (needs root or the group messngr)")
	cmd.Flags().StringVar(&charset, "charset", "1252", "code `page` of texts that are not UTF-8")
	return cmd
}

func readLinPopUp(file string) ([]linpopup.Record, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) && file == linpopupFile {
		return nil, program.Misuse("if they are elsewhere: messngr import linpopup FILE", "LinPopUp has left no messages in %s", file)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxImport+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxImport {
		return nil, fmt.Errorf("%s is larger than %d MB", file, maxImport>>20)
	}
	records, _, err := linpopup.Parse(b)
	if errors.Is(err, linpopup.ErrFormat) {
		return nil, program.Misuse("LinPopUp keeps its messages in "+linpopupFile, "%s is not a message file of LinPopUp", file)
	}
	return records, err
}

// importLinPopUp takes the records in, in portions.
func (c Commands) importLinPopUp(ctx context.Context, req control.ImportRequest, records []linpopup.Record, page oem.Page) error {
	req.Program = "linpopup"
	var sum control.ImportAnswer
	for len(records) > 0 {
		n := min(len(records), importBatch)
		req.Messages = req.Messages[:0]
		for _, r := range records[:n] {
			req.Messages = append(req.Messages, control.OldMessage{
				From: page.Decode([]byte(r.Sender)), Host: page.Decode([]byte(r.Host)), To: page.Decode([]byte(r.To)),
				Text: page.Decode([]byte(r.Text)), Sent: r.Sent, Read: !r.New,
			})
		}
		answer, err := c.Client().Import(ctx, req)
		if err != nil {
			if sum.Taken > 0 {
				c.Printf("imported: %s, before it went wrong\n", phrase.Count(sum.Taken))
			}
			return err
		}
		sum.Taken += answer.Taken
		sum.Known += answer.Known
		records = records[n:]
	}
	c.Printf("imported: %s\n", phrase.Count(sum.Taken))
	if sum.Known > 0 {
		c.Printf("%s had been imported before\n", phrase.Count(sum.Known))
	}
	return nil
}
