// Package cli is the command line: every subcommand of messngr, its help, and
// what it prints to people and to programs. It asks the running service by the
// API of package control and does no work of the service itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"messngr/cli/install"
	"messngr/control"
	"messngr/remote"
	"messngr/wire/oem"
)

// The exit codes of every command, but those of net, which knows only 0 and 2.
const (
	exitOK     = 0 // the state that was asked for is reached, for all
	exitFailed = 1 // it is not, for some
	exitMisuse = 2 // the command was not understood, and nothing was done
)

// Env is what the program gets from the system that it runs on.
type Env struct {
	// Args are the words of the command line; Args[0] is the program's name. A
	// program called "net" understands the subcommands of `messngr net`.
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Serve runs the service until ctx ends.
	Serve func(ctx context.Context, o ServeOptions) error
	// Reference returns a configuration file that names and explains every key.
	Reference func() ([]byte, error)
}

// ServeOptions is what the command line says about the service. Fields that are
// empty leave the choice to the configuration.
type ServeOptions struct {
	Config     string   // path of the configuration file
	State      string   // folder of the store
	Socket     string   // path of the unix socket
	Name       string   // this machine's NetBIOS name
	Workgroup  string   // its workgroup
	Interfaces []string // names of interfaces, or "lan"
	WINS       []string // addresses of name servers
	PortOffset int      // added to every port number
	Stdout     io.Writer
	Stderr     io.Writer
	// Interactive says that Stdout is a terminal, on which arriving messages
	// are to be shown.
	Interactive bool
}

// Main runs one command and returns the exit code of the process.
func Main(ctx context.Context, env Env) int {
	a := &app{env: env}
	args := env.Args[1:]
	if strings.TrimSuffix(filepath.Base(env.Args[0]), ".exe") == "net" {
		args = append([]string{"net"}, args...)
	}
	root := a.root(firstWord(args))
	root.SetArgs(singleDash(args))
	err := root.ExecuteContext(ctx)
	return a.report(err)
}

// app is one run of the program.
type app struct {
	env     Env
	socket  string // --socket
	version bool   // --version
}

// client returns a client of the service.
func (a *app) client() *control.Client {
	return control.NewClient(control.FindSocket(a.socket, a.env.Getenv))
}

// exitError ends the program with a code when everything has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// usageError is a misuse of the command line, with a hint about the right use.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

func misuse(hint, format string, args ...any) error {
	return &usageError{message: fmt.Sprintf(format, args...), hint: hint}
}

// report prints what went wrong, with a hint if there is one, and returns the
// exit code.
func (a *app) report(err error) int {
	var exit exitError
	var usage *usageError
	var declined *control.Error
	var elsewhere *remote.Error
	code, hint := exitFailed, ""
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &usage):
		code, hint = exitMisuse, usage.hint
	case errors.Is(err, control.ErrNoService):
		// One line, as it is what everybody sees first.
		fmt.Fprintf(a.env.Stderr, "messngr: %s; start it with: %s\n", oem.CleanLine(err.Error()), install.StartCommand())
		return exitFailed
	case errors.Is(err, control.ErrNoAccess):
		hint = "ask as root, or as a member of the group messngr"
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	case errors.As(err, &elsewhere):
		hint = elsewhere.Hint
	case errors.Is(err, context.DeadlineExceeded):
		err = errors.New("the service did not answer in time")
	case errors.As(err, &declined):
		hint = declined.Hint
		if declined.Code == "bad_request" {
			code = exitMisuse
		}
	}
	a.complain(err.Error(), hint)
	return code
}

// complain prints an error and, on a line of its own, what to do about it.
func (a *app) complain(message, hint string) {
	fmt.Fprintf(a.env.Stderr, "messngr: %s\n", oem.CleanLine(message))
	if hint != "" {
		fmt.Fprintf(a.env.Stderr, "         %s\n", oem.CleanLine(hint))
	}
}

// printf prints to the standard output.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.env.Stdout, format, args...) }

// terminal returns the file behind a stream if it is a terminal.
func terminal(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// firstWord is the command that is asked for, if that is clear at once.
func firstWord(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// root builds the table of commands; only the row that is wanted, if there is one of
// that name, since a program that runs for four milliseconds notices the others.
func (a *app) root(wanted string) *cobra.Command {
	root := &cobra.Command{
		Use:   "messngr",
		Short: "The Messenger service: NET SEND both ways, kept and shown",
		Long: `messngr receives and sends the messages of NET SEND, WinPopup and the Windows
Messenger service, keeps them, and puts them in front of people.

Without a command it prints how the service is. Commands find the service by
--socket, else $MESSNGR_SOCKET, else /run/messngr/messngr.sock, else
$XDG_RUNTIME_DIR/messngr.sock.`,
		Example: `  messngr serve                          run the service here, on loopback
  messngr send PC17 "Reboot at 18:00"    send a message to a machine or user
  messngr inbox                          list what arrived`,
		Args:          a.noSuchCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          a.overview,
	}
	root.SetIn(a.env.Stdin)
	root.SetOut(a.env.Stdout)
	root.SetErr(a.env.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		what, _, _ := strings.Cut(err.Error(), ": strconv.") // whose words are for programmers
		return misuse("see: "+cmd.CommandPath()+" --help", "%s", what)
	})
	root.PersistentFlags().StringVar(&a.socket, "socket", "", "`path` of the service's socket")
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	root.AddGroup(
		&cobra.Group{ID: groupSend, Title: "Send:"},
		&cobra.Group{ID: groupRead, Title: "Read:"},
		&cobra.Group{ID: groupRun, Title: "Run the service:"},
		&cobra.Group{ID: groupOther, Title: "Other:"},
	)
	commands := a.commands()
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == wanted })
	if i >= 0 && wanted != "docs" { // which describe them all
		commands = commands[i : i+1]
	}
	for _, c := range commands {
		cmd := c.make()
		cmd.GroupID = c.group
		root.AddCommand(cmd)
	}
	root.Flags().BoolVar(&a.version, "version", false, "print the version")
	return root
}

// command is one row of the table of commands.
type command struct {
	group, name string
	make        func() *cobra.Command
}

// commands is the table, in no order that anybody sees.
func (a *app) commands() []command {
	return []command{
		{groupSend, "send", a.sendCommand},
		{groupSend, "reply", a.replyCommand},
		{groupSend, "wall", a.wallCommand},
		{groupSend, "write", a.writeCommand},
		{groupSend, "net", a.netCommand},
		{groupRead, "inbox", a.inboxCommand},
		{groupRead, "watch", a.watchCommand},
		{groupRead, "tray", a.trayCommand},
		{groupRead, "popup", a.popupCommand},
		{groupRead, "sent", a.sentCommand},
		{groupRead, "import", a.importCommand},
		{groupRun, "serve", a.serveCommand},
		{groupRun, "status", a.statusCommand},
		{groupRun, "name", a.nameCommand},
		{groupRun, "nbtstat", a.nbtstatCommand},
		{groupRun, "who", a.whoCommand},
		{groupRun, "policy", a.policyCommand},
		{groupRun, "service", a.serviceCommand},
		{groupRun, "receive", a.receiveCommand},
		{groupOther, "docs", a.docsCommand},
		{groupOther, "version", a.versionCommand},
	}
}

const (
	groupSend  = "send"
	groupRead  = "read"
	groupRun   = "run"
	groupOther = "other"
)

// noSuchCommand refuses words that are no command, and says what may be meant.
func (a *app) noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see: " + cmd.CommandPath() + " --help"
	cmd.SuggestionsMinimumDistance = 1 + min(1, len(args[0])/4)
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		hint = "did you mean: " + cmd.CommandPath() + " " + similar[0]
	} else if cmd == cmd.Root() && len(args) > 1 {
		hint = "to send a message: messngr send " + args[0] + " ..."
	}
	return misuse(hint, "no command %q in %s", args[0], cmd.CommandPath())
}

// completeFlag says which values the shell may offer for an option.
func completeFlag(cmd *cobra.Command, name string, values ...cobra.Completion) {
	fixed := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(name, fixed); err != nil {
		panic(err) // an option that the line above did not add
	}
}

// commandWords are the words of a command behind the program's name.
func commandWords(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// words is the number of words that a command takes; most < 0: any number.
func words(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return misuse("usage: "+cmd.UseLine(), "%s: something is missing", commandWords(cmd))
		case most >= 0 && len(args) > most:
			return misuse("usage: "+cmd.UseLine(), "%s: %q is too much", commandWords(cmd), args[most])
		}
		return nil
	}
}
