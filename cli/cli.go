// Package cli is the command line: the table of all commands, whose help, man pages
// and completions come from it. Commands ask the running service by the API of package
// control and do no work of the service themselves.
package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/docs"
	"messngr/cli/netcmd"
	"messngr/cli/operate"
	"messngr/cli/program"
	"messngr/cli/read"
	"messngr/cli/send"
)

// Main runs one command and returns the exit code of the process.
func Main(ctx context.Context, env program.Env) int {
	run := &program.Run{Env: env}
	args := env.Args[1:]
	if strings.TrimSuffix(filepath.Base(env.Args[0]), ".exe") == "net" {
		args = append([]string{"net"}, args...)
	}
	root := root(run, firstWord(args))
	root.SetArgs(singleDash(args))
	return run.End(root.ExecuteContext(ctx))
}

// firstWord is the command that is asked for, if that is clear at once.
func firstWord(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// singleDash makes the option that LinPopUp spelled with one dash one of ours.
func singleDash(args []string) []string {
	if len(args) == 0 || args[0] != "tray" {
		return args
	}
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "-min" {
			out[i] = "--min"
		}
	}
	return out
}

// root builds the table of commands; only the row that is wanted, if there is one of
// that name, since a program that runs for four milliseconds notices the others.
func root(run *program.Run, wanted string) *cobra.Command {
	var version bool
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
		Annotations:   sections(),
		Args:          program.NoSuchCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if version {
				printVersion(run)
				return nil
			}
			return operate.Commands{Run: run}.Overview(cmd, args)
		},
	}
	root.SetIn(run.Stdin)
	root.SetOut(run.Stdout)
	root.SetErr(run.Stderr)
	root.SetFlagErrorFunc(program.WrongFlag)
	root.PersistentFlags().StringVar(&run.Socket, "socket", "", "`path` of the service's socket")
	complete.FlagBy(root, "socket", complete.Files)
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.SetHelpCommand(helpCommand())
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	root.AddGroup(
		&cobra.Group{ID: groupSend, Title: "Send:"},
		&cobra.Group{ID: groupRead, Title: "Read:"},
		&cobra.Group{ID: groupRun, Title: "Run the service:"},
		&cobra.Group{ID: groupOther, Title: "Other:"},
	)
	rows := table(run)
	i := slices.IndexFunc(rows, func(r row) bool { return r.name == wanted })
	if i >= 0 && wanted != "docs" { // which describe them all
		rows = rows[i : i+1]
	}
	for _, r := range rows {
		cmd := r.command()
		cmd.GroupID = r.group
		root.AddCommand(cmd)
	}
	return root
}

// sections are those of the manual page of the whole program.
func sections() map[string]string {
	return map[string]string{
		"ENVIRONMENT": `MESSNGR_SOCKET: path of the service's socket
MESSNGR_PASSWORD: password of --as at the machine of --server, for scripts
COLUMNS: width of tables (default: the terminal's)`,
		"EXIT STATUS": `0: what was asked for is reached, for all
1: it is not, for some
2: the command was not understood, and nothing was done; or, of messngr net, it failed`,
		"FILES": `/etc/messngr/messngr.toml: configuration, which messngr docs config explains
/var/lib/messngr: the messages, and what else is kept over restarts; of anybody else's service: ~/.local/state/messngr
/run/messngr/messngr.sock: the service's socket
~/.config/messngr/tray.toml: configuration of messngr tray`,
	}
}

// row is one row of the table of commands.
type row struct {
	group, name string
	command     func() *cobra.Command
}

// table is the table of commands, in no order that anybody sees.
func table(run *program.Run) []row {
	send, read, operate := send.Commands{Run: run}, read.Commands{Run: run}, operate.Commands{Run: run}
	return []row{
		{groupSend, "send", send.Send},
		{groupSend, "reply", send.Reply},
		{groupSend, "wall", send.Wall},
		{groupSend, "write", send.Write},
		{groupSend, "net", func() *cobra.Command { return netcmd.Command(run) }},
		{groupRead, "inbox", read.Inbox},
		{groupRead, "watch", read.Watch},
		{groupRead, "tray", read.Tray},
		{groupRead, "popup", read.PopUp},
		{groupRead, "sent", read.Sent},
		{groupRead, "import", read.Import},
		{groupRun, "serve", operate.Serve},
		{groupRun, "status", operate.Status},
		{groupRun, "name", operate.Name},
		{groupRun, "nbtstat", operate.Nbtstat},
		{groupRun, "who", operate.Who},
		{groupRun, "policy", operate.Policy},
		{groupRun, "service", operate.Service},
		{groupRun, "receive", operate.Receive},
		{groupOther, "docs", func() *cobra.Command { return docs.Command(run) }},
		{groupOther, "version", func() *cobra.Command { return versionCommand(run) }},
	}
}

const (
	groupSend  = "send"
	groupRead  = "read"
	groupRun   = "run"
	groupOther = "other"
)
