package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr"
	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/spool"
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

// Receive is messngr receive, which stands in smb.conf in the place of LinPopUp.
func (c Commands) Receive() *cobra.Command {
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
		DisableFlagParsing:    true,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return cmd.Help()
			}
			o, err := c.parseReceive(args)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), receiveTime)
			defer cancel()
			if o.pending {
				return c.handOverPending(ctx, o)
			}
			return c.receive(ctx, o)
		},
	}
	return cmd
}

// receiveOptions is what the words of the command mean.
type receiveOptions struct {
	ip, spool               string
	keep, pending           bool
	from, machine, file, to string
}

// parseReceive reads the words. Strangers choose FROM and MACHINE, so a word is an
// option only as long as enough words for the message are left.
func (c Commands) parseReceive(args []string) (receiveOptions, error) {
	const least, most = 3, 4
	args = beforeSemicolon(args)
	if o, rest := c.receiveOptions(args, 0); len(rest) == 0 && o.pending {
		return o, nil
	}
	o, rest := c.receiveOptions(args, least)
	if len(rest) < least || len(rest) > most || o.pending {
		return o, program.Misuse("see: messngr receive --help", "receive needs FROM, MACHINE and FILE")
	}
	o.from, o.machine, o.file = rest[0], rest[1], rest[2]
	if len(rest) == most {
		o.to = rest[3]
	}
	return o, nil
}

// beforeSemicolon leaves out what stands behind a semicolon, as in LinPopUp's line: smbd
// hands no semicolon to the shell, but makes it a part of the words.
func beforeSemicolon(args []string) []string {
	for i, word := range args {
		if front, found := strings.CutSuffix(word, ";"); found && i >= 2 {
			args = slices.Clone(args[:i])
			if front != "" {
				args = append(args, front)
			}
			break
		}
	}
	return args
}

// receiveOptions takes in options as long as so many words remain, and returns those.
func (c Commands) receiveOptions(args []string, remain int) (receiveOptions, []string) {
	o := receiveOptions{spool: defaultSpool}
	for ended := false; len(args) > 0 && !ended; {
		n, apply := c.receiveOption(&o, args)
		if n == 0 || len(args)-n < remain {
			break
		}
		apply()
		ended, args = args[0] == "--", args[n:]
	}
	return o, args
}

// receiveOption returns of how many words the option consists that args begin with, 0 for
// what is none, and what it does.
func (c Commands) receiveOption(o *receiveOptions, args []string) (int, func()) {
	word, value, joined := strings.Cut(args[0], "=")
	into := map[string]*string{"--ip": &o.ip, "-ip": &o.ip, "--spool": &o.spool, "--socket": &c.Socket}[word]
	switch {
	case into != nil && joined:
		return 1, func() { *into = value }
	case into != nil && len(args) > 1:
		return 2, func() { *into = args[1] }
	}
	switch args[0] {
	case "-min", "--min", "--":
		return 1, func() {}
	case "--keep":
		return 1, func() { o.keep = true }
	case "--pending":
		return 1, func() { o.pending = true }
	}
	return 0, nil
}

// receive hands one message over, or puts it where it waits, and removes its file.
func (c Commands) receive(ctx context.Context, o receiveOptions) error {
	r, err := o.request()
	if err != nil {
		return err
	}
	answer, err := c.handOver(ctx, o.spool, r)
	if err != nil {
		return err
	}
	if !o.keep {
		if err := os.Remove(o.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if answer.Code != "" {
		c.Complain("not taken: "+answer.Error, "")
		return program.Exit(program.Failed)
	}
	return nil
}

// request reads the message.
func (o *receiveOptions) request() (control.InjectRequest, error) {
	id, err := messngr.NewID()
	if err != nil {
		return control.InjectRequest{}, err
	}
	r := control.InjectRequest{ID: id, From: o.from, Machine: o.machine, To: o.to, At: time.Now()}
	// An address that is none is not worth the message.
	if addr, err := netip.ParseAddr(o.ip); err == nil {
		r.Address = addr.Unmap().WithZone("").String()
	}
	f, err := os.Open(o.file)
	if err != nil {
		return r, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	if !info.Mode().IsRegular() {
		return r, fmt.Errorf("%s is not a file", o.file)
	}
	if r.Text, err = io.ReadAll(io.LimitReader(f, maxReceived)); err != nil {
		return r, err
	}
	if info.Size() > maxReceived {
		r.Length = info.Size()
	}
	return r, nil
}

// handOver first puts the message where it survives whatever happens, and then hands it
// to the service, with all that waits there; without a place to wait it is handed over
// at once or not at all. A message that waits counts as handed over.
func (c Commands) handOver(ctx context.Context, folder string, r control.InjectRequest) (control.InjectAnswer, error) {
	waiting, err := openSpool(folder)
	if err == nil {
		defer waiting.Close()
		err = waiting.Put(r)
	}
	if err != nil {
		answer, failed := c.Client().Inject(ctx, r)
		if failed != nil {
			return answer, fmt.Errorf("%w; nor can it wait: %w", failed, err)
		}
		return answer, nil
	}
	var verdict control.InjectAnswer
	_, err = waiting.Drain(ctx, 0, func(ctx context.Context, w control.InjectRequest) (control.InjectAnswer, error) {
		answer, err := c.Client().Inject(ctx, w)
		if w.ID == r.ID && err == nil {
			verdict = answer
		}
		return answer, err
	})
	if err != nil {
		c.Complain(err.Error(), "the message waits in "+folder)
	}
	return verdict, nil
}

// openSpool opens the folder where messages wait, and makes it where this user can.
func openSpool(folder string) (*spool.Spool, error) {
	if err := spool.Make(folder, os.Getuid()); err != nil {
		return nil, err
	}
	return spool.Open(folder)
}

// handOverPending hands over what waits.
func (c Commands) handOverPending(ctx context.Context, o receiveOptions) error {
	waiting, err := spool.Open(o.spool)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer waiting.Close()
	n, err := waiting.Drain(ctx, 0, c.Client().Inject)
	if n > 0 {
		c.Printf("%s handed over\n", phrase.Count(n))
	}
	return err
}
