package netcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/install"
	"messngr/cli/login"
	"messngr/cli/program"
	"messngr/cli/words"
)

// Command is messngr net, as a part of one run of the program.
func Command(run *program.Run) *cobra.Command {
	return &cobra.Command{
		Use:   "net COMMAND",
		Short: "The NET commands of Windows NT, as they were",
		Long: `NET SEND, NAME, START, STOP, PAUSE, CONTINUE, HELPMSG and HELP with the syntax,
the answers and the error numbers of Windows NT. The exit code is 0 or 2. A link
to this program that is called net does the same:

  ln -s /usr/bin/messngr ~/bin/net`,
		Example: `  messngr net send cls-mem67495 "This is a message."
  messngr net name BACKUP /add
  messngr net name '\\FS01' /user:admin
  messngr net helpmsg 2273`,
		// Its options have slashes, and its texts may have dashes.
		DisableFlagParsing: true,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return offer(run, cmd, takeSocket(run, args), typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
				return cmd.Help()
			}
			args = takeSocket(run, args)
			if len(args) > 2 && strings.EqualFold(args[0], "send") {
				if err := words.RefuseGlob(args[1:], "net send"); err != nil {
					return err
				}
				if _, err := words.CheckText(strings.Join(args[2:], " ")); err != nil {
					return err
				}
			}
			code := Run(cmd.Context(), Env{
				Stdout: run.Stdout, Stderr: run.Stderr, Service: run.Client(),
				Start: func(ctx context.Context) error { return install.Start(ctx, run.Stdout, run.Stderr) },
				Remote: func(ctx context.Context, computer, user string) (NameTable, error) {
					table, err := login.Options{Server: computer, User: user}.Connect(ctx, run)
					if wrong, ok := errors.AsType[*program.UsageError](err); ok {
						err = fmt.Errorf("%w: %s", wrong, wrong.Hint)
					}
					return table, err
				},
			}, args)
			if code != 0 {
				return program.Exit(code)
			}
			return nil
		},
	}
}

// takeSocket takes the one option of all commands from the front of the words.
func takeSocket(run *program.Run, args []string) []string {
	if len(args) > 1 && args[0] == "--socket" {
		run.Socket, args = args[1], args[2:]
	}
	return args
}

// offer says what the shell may offer behind net.
func offer(run *program.Run, cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	command := ""
	if len(args) > 0 {
		command = strings.ToUpper(args[0])
	}
	var words []cobra.Completion
	switch command {
	case "", "HELP":
		for _, t := range topics() {
			words = append(words, strings.ToLower(t.command))
		}
	case "SEND":
		return complete.Recipients(run)(cmd, args[1:], typed)
	case "NAME":
		return complete.Aliases(run)(cmd, args[1:], typed)
	case "START", "STOP", "PAUSE", "CONTINUE":
		words = []cobra.Completion{"messenger"}
	}
	if len(args) > 1 {
		words = nil
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
