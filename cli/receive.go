package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr"
	"messngr/control"
)

const (
	// defaultSpool is where messages wait for a service that is down.
	defaultSpool = "/var/spool/messngr"
	// receiveTime bounds the whole command: smbd does not answer the sender before
	// its end.
	receiveTime = 5 * time.Second
	// maxReceived is how much of the text is read, in bytes.
	maxReceived = messngr.MaxText
)

// receiveCommand stands in smb.conf, in the place of LinPopUp.
func (a *app) receiveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "receive [-min] [--ip ADDRESS] [--spool FOLDER] [--] FROM MACHINE FILE [TO]",
		Short: "Hand over a message that Samba has taken",
		Long: `Hand a message to the service that Samba's file server has taken: FROM and MACHINE
sent it, FILE holds its text and is removed. It stands in smb.conf, as LinPopUp did,
whose line works as it is:

  message command = messngr receive --ip %I -- "%f" "%m" %s

While the service does not run, the message waits in a folder of its own. With
--pending alone what waits there is handed over; the service does that too, when it
starts, where it may read the folder.

This way is lossy: smbd answers the sender before, and does not tell the addressee.
Where it can be, let messngr have port 139 instead (smb ports = 445 in smb.conf).

Options of this command stand in front of FROM:

  -min, --min       is ignored, as LinPopUp's own line has it
  --ip ADDRESS      where the sender's machine is
  --spool FOLDER    where messages wait (default ` + defaultSpool + `)
  --keep            do not remove FILE
  --pending         hand over what waits`,
		Example: `  messngr receive --ip 10.0.0.7 -- bob PC17 /tmp/smbmsg.x
  messngr receive --pending`,
		// What smbd says of the sender may look like an option.
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return cmd.Help()
			}
			o, err := a.parseReceive(args)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), receiveTime)
			defer cancel()
			if o.pending {
				return a.handOverPending(ctx, o)
			}
			return a.receive(ctx, o)
		},
	}
	return cmd
}

// receiveOptions is what the words of the command mean.
type receiveOptions struct {
	ip, spool                 string
	keep, pending             bool
	from, machine, file, to string
}

// parseReceive reads the words. Strangers choose FROM and MACHINE, so a word is an
// option only as long as enough words for the message are left.
func (a *app) parseReceive(args []string) (receiveOptions, error) {
	const least, most = 3, 4
	o := receiveOptions{spool: defaultSpool}
	for len(args) > 0 {
		n := a.receiveOption(&o, args)
		if n == 0 || len(args)-n < least && !o.pending {
			break
		}
		end := args[0] == "--"
		if args = args[n:]; end {
			break
		}
	}
	switch {
	case o.pending && len(args) == 0:
		return o, nil
	case len(args) < least || len(args) > most || o.pending:
		return o, misuse("see: messngr receive --help", "receive needs FROM, MACHINE and FILE")
	}
	o.from, o.machine, o.file = args[0], args[1], args[2]
	if len(args) == most {
		o.to = args[3]
	}
	return o, nil
}

// receiveOption takes an option in, and returns of how many words it consists; 0 for
// what is none.
func (a *app) receiveOption(o *receiveOptions, args []string) int {
	word, value, joined := strings.Cut(args[0], "=")
	into := map[string]*string{"--ip": &o.ip, "-ip": &o.ip, "--spool": &o.spool, "--socket": &a.socket}[word]
	switch {
	case into != nil && joined:
		*into = value
		return 1
	case into != nil && len(args) > 1:
		*into = args[1]
		return 2
	}
	switch args[0] {
	case "-min", "--min", "--":
		return 1
	case "--keep":
		o.keep = true
		return 1
	case "--pending":
		o.pending = len(args) < 4
		if o.pending {
			return 1
		}
	}
	return 0
}
