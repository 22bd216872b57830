// Package send has the commands that send messages: send, reply, wall and write.
package send

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr"
	"messngr/cli/complete"
	"messngr/cli/find"
	"messngr/cli/program"
	"messngr/cli/words"
	"messngr/control"
	"messngr/wire/oem"
)

// Commands are the commands that send, as parts of one run of the program.
type Commands struct{ *program.Run }

// sendFlags are the options of every command that sends.
type sendFlags struct {
	wait    string
	timeout time.Duration
	json    bool
}

func (f *sendFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.wait, "wait", "", "`state` to wait for (default: the best that the route reports at once)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 10*time.Second, "`time` to wait for it, such as 30s, at most 5m")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per recipient")
	complete.Flag(cmd, "wait", "queued", "sent", "accepted", "delivered", "displayed", "acknowledged", "answered")
	// The text may begin with a dash.
	cmd.Flags().SetInterspersed(false)
}

// apply puts the options into the request.
func (f *sendFlags) apply(req *control.SendRequest) error {
	if f.timeout <= 0 || f.timeout > 5*time.Minute {
		return program.Misuse("use something like --timeout 30s", "--timeout %v is not between 0 and 5m", f.timeout)
	}
	req.TimeoutSeconds = f.timeout.Seconds()
	if f.wait == "" {
		return nil
	}
	var state messngr.State
	if err := state.UnmarshalText([]byte(f.wait)); err != nil || state > messngr.Answered {
		return program.Misuse("states: queued, sent, accepted, delivered, displayed, acknowledged, answered", "nobody can wait for the state %q", f.wait)
	}
	req.Wait = &state
	return nil
}

const sendHelp = `Send a message to each RECIPIENT: a machine, a user or another message name, an
IP address, a DNS name, or USER@HOST. For a broadcast it is "everyone" or '*'
(the own workgroup) or /domain:NAME; nobody can confirm a broadcast, so that a
terminal asks first. /users is everybody with an open session on this server.

The text is the rest of the line, or the standard input if it is - or missing.
Options end at the recipient, so that the text may begin with a dash.

Level, drill, title and the answers asked for travel as such between people of
one machine; the level emergency needs root or the group messngr. To old machines
they are written into the text, and the outcome says so.

The states are queued, sent, accepted, delivered, displayed, acknowledged and
answered. A legacy receiver accepts a message and never says whether anybody saw
it; a broadcast is only sent.

The exit code is 0 if the state that was waited for is reached for all
recipients, 1 if it is not for some, 2 if the command was not understood. The
objects of --json have at least: to, state, via, address and error.`

// Send is messngr send.
func (c Commands) Send() *cobra.Command {
	var flags sendFlags
	var content contentFlags
	var req control.SendRequest
	var yes bool
	cmd := &cobra.Command{
		Use:   "send [flags] RECIPIENT[,RECIPIENT...] [TEXT... | -]",
		Short: "Send a message",
		Long:  sendHelp,
		Example: `  messngr send PC17 "Reboot of FS01 at 18:00"
  df -h | messngr send --as FS01 PC17,PC18 -
  messngr send --yes everyone "The canteen is open"
  messngr send --at 10.0.0.17 --wait accepted --json ALICE hello
  messngr send --level urgent --ask "Yes,No,Later" bob "May I restart FS01?"`,
		Args:              program.Args(1, -1),
		ValidArgsFunction: complete.Recipients(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := words.RefuseGlob(args, "messngr send"); err != nil {
				return err
			}
			var err error
			if req.To, err = words.Recipients(args[0]); err != nil {
				return err
			}
			if err := checkAt(req); err != nil {
				return err
			}
			if err := content.apply(&req); err != nil {
				return err
			}
			if req.Text, err = words.Text(cmd.Context(), c.Run, args[1:], "usage: "+cmd.UseLine()); err != nil {
				return err
			}
			if err := c.confirm(cmd.Context(), req.To, yes); err != nil {
				return err
			}
			return c.send(cmd.Context(), flags, req)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&req.From, "as", "", "`name` to send as (default: your login name); old machines show 15 letters of it")
	cmd.Flags().StringVar(&req.Via, "via", "", "the only `route` to use, such as smb or mailslot (default: the best)")
	cmd.Flags().StringVar(&req.Address, "at", "", "`address` of the recipient, if it is not to be looked up")
	content.add(cmd)
	complete.Flag(cmd, "via", "smb", "rpc", "mailslot", "rwall", "local")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask before a broadcast")
	return cmd
}

func checkAt(req control.SendRequest) error {
	if req.Address == "" {
		return nil
	}
	if _, err := netip.ParseAddr(req.Address); err != nil {
		return program.Misuse("use something like --at 10.0.0.17", "--at %q is no IP address", req.Address)
	}
	if len(req.To) > 1 {
		return program.Misuse("send to one recipient at a time", "several recipients cannot all be at %s", req.Address)
	}
	return nil
}

// Reply is messngr reply.
func (c Commands) Reply() *cobra.Command {
	var flags sendFlags
	cmd := &cobra.Command{
		Use:   "reply [flags] [ID] TEXT",
		Short: "Answer a message",
		Long: `Answer the last message of somebody else, or the one with that number or id. The
first word is taken for an id if it looks like one and more words follow: put
quotes around a text that begins with a number.

The answer goes to the sender's name at the address that the message came from,
or to the machine there if it has no such name.`,
		Example: `  messngr reply "Coming down now"
  messngr reply 7 "It is fixed"`,
		Args:              program.Args(1, -1),
		ValidArgsFunction: complete.Message(c.Run),
		RunE: func(cmd *cobra.Command, args []string) error {
			var m control.Message
			var err error
			rest := args
			if len(args) > 1 && find.CanName(args[0]) {
				m, err = find.Message(cmd.Context(), c.Client(), args[0])
				rest = args[1:]
			} else {
				m, err = find.LastOfOthers(cmd.Context(), c.Client())
			}
			if err != nil {
				return err
			}
			text, err := words.Text(cmd.Context(), c.Run, rest, "usage: "+cmd.UseLine())
			if err != nil {
				return err
			}
			req, ok := control.ReplyTo(&m)
			if !ok {
				return program.Misuse("use: messngr send", "the sender %q cannot be answered", m.From)
			}
			req.Text = text
			return c.reply(cmd.Context(), flags, req)
		},
	}
	flags.add(cmd)
	return cmd
}

// Wall is messngr wall.
func (c Commands) Wall() *cobra.Command {
	var flags sendFlags
	cmd := &cobra.Command{
		Use:   "wall [flags] [TEXT... | -]",
		Short: "Show a message to everybody who is logged in here",
		Long: `Show a message on every display of this machine: all terminals and desktops of
all people. The text may come from the standard input.`,
		Example: "  messngr wall \"This server goes down at 18:00\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := words.Text(cmd.Context(), c.Run, args, "usage: "+cmd.UseLine())
			if err != nil {
				return err
			}
			return c.send(cmd.Context(), flags, control.SendRequest{Wall: true, Text: text})
		},
	}
	flags.add(cmd)
	return cmd
}

// Write is messngr write.
func (c Commands) Write() *cobra.Command {
	var flags sendFlags
	cmd := &cobra.Command{
		Use:   "write [flags] USER[@HOST] [TTY] [TEXT... | -]",
		Short: "Show a message on a user's terminal",
		Long: `Show a message to one person who is logged in here, or on another host. TTY is
the name of a terminal, such as pts/3 or /dev/tty1, and only local.`,
		Example: `  messngr write alice "Lunch?"
  messngr write alice pts/3 "Your job on this terminal is done"
  messngr write bob@PC18 "Please call me"`,
		Args: program.Args(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := control.SendRequest{To: []string{args[0]}}
			rest := args[1:]
			if !strings.Contains(args[0], "@") {
				req.Via = "local"
				if len(rest) > 0 && words.IsTTY(rest[0]) {
					req.Terminal, rest = strings.TrimPrefix(rest[0], "/dev/"), rest[1:]
					if _, err := os.Stat("/dev/" + req.Terminal); errors.Is(err, fs.ErrNotExist) {
						c.Complain("there is no terminal "+req.Terminal+" here: the message goes to the inbox alone", "")
					}
				}
			} else if len(rest) > 0 && words.IsTTY(rest[0]) {
				return program.Misuse("leave the terminal out; the other host chooses it", "a terminal can only be named on this host")
			}
			var err error
			if req.Text, err = words.Text(cmd.Context(), c.Run, rest, "usage: "+cmd.UseLine()); err != nil {
				return err
			}
			return c.send(cmd.Context(), flags, req)
		},
	}
	flags.add(cmd)
	return cmd
}

// confirm asks before a broadcast.
func (c Commands) confirm(ctx context.Context, to []string, yes bool) error {
	if yes {
		return nil
	}
	for _, name := range to {
		if !words.IsBroadcast(name) {
			continue
		}
		in, ok := program.Terminal(c.Stdin)
		if !ok {
			return program.Misuse("add --yes before the recipient if that is meant", "%s is a broadcast", name)
		}
		fmt.Fprintf(c.Stderr, "This goes to %s, and nobody can take it back. Send it? [y/N] ", words.Broadcast(name))
		var answer string
		err := program.Await(ctx, func() error {
			answer, _ = bufio.NewReader(in).ReadString('\n') // an end is no yes
			return nil
		})
		if err != nil {
			return err
		}
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			return errors.New("not sent")
		}
	}
	return nil
}

// send sends the message and prints what became of it.
func (c Commands) send(ctx context.Context, flags sendFlags, req control.SendRequest) error {
	if err := flags.apply(&req); err != nil {
		return err
	}
	answer, err := c.Client().Send(ctx, req)
	return c.printAnswer(flags, &req, answer, err)
}

// reply is send for an answer.
func (c Commands) reply(ctx context.Context, flags sendFlags, req control.SendRequest) error {
	if err := flags.apply(&req); err != nil {
		return err
	}
	answer, toMachine, err := c.Client().Reply(ctx, req)
	if toMachine {
		fmt.Fprintf(c.Stderr, "messngr: nobody is called %s there; it goes to the machine\n", oem.CleanLine(req.To[0]))
	}
	return c.printAnswer(flags, &req, answer, err)
}

// printAnswer prints what became of a message, and returns an exitError if not
// everybody was reached.
func (c Commands) printAnswer(flags sendFlags, req *control.SendRequest, answer control.SendAnswer, err error) error {
	if err != nil {
		if flags.json {
			c.failAll(req, err)
		}
		return err
	}
	for _, r := range answer.Recipients {
		if flags.json {
			if err := c.JSON(recipientLine{ID: answer.ID, RecipientAnswer: r}); err != nil {
				return err
			}
			continue
		}
		c.printOutcome(r, req)
	}
	if !answer.Reached {
		return program.Exit(program.Failed)
	}
	return nil
}

// recipientLine is what --json prints of each recipient.
type recipientLine struct {
	control.RecipientAnswer
	ID messngr.ID `json:"id,omitzero"`
}

// failAll prints the same failure for every recipient, so that a program gets
// one object for each whatever happens.
func (c Commands) failAll(req *control.SendRequest, err error) {
	code := "unavailable"
	var declined *control.Error
	if errors.As(err, &declined) {
		code = declined.Code
	}
	for _, to := range req.To {
		c.JSON(recipientLine{RecipientAnswer: control.RecipientAnswer{
			To: to, State: messngr.Failed, Error: err.Error(), Code: code,
		}})
	}
}
