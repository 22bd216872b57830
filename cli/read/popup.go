package read

import (
	"errors"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/program"
	"messngr/tray"
)

// PopUp is messngr popup.
func (c Commands) PopUp() *cobra.Command {
	var level string
	var once, window bool
	cmd := &cobra.Command{
		Use:   "popup",
		Short: "Show pop-ups, or the window, on this desktop",
		Long: `Show a pop-up for every message until Ctrl-C, or the window with all messages.
Both are the program messngr-desktop, which is a package of its own. The tray
starts it by itself when there is something to be seen.`,
		Example: `  messngr popup
  messngr popup --level urgent --once
  messngr popup --window`,
		Args: program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args := []string{"popup", "--level", level}
			if once {
				args = append(args, "--once")
			}
			if window {
				args = []string{"window"}
			}
			if c.Socket != "" {
				args = append(args, "--socket", c.Socket)
			}
			path := tray.DesktopProgram()
			if path == "" {
				c.Complain("the program messngr-desktop is not installed", "it is a package of its own; on a terminal use: messngr watch")
				return program.Exit(program.Failed)
			}
			desktop := exec.CommandContext(cmd.Context(), path, args...)
			desktop.Cancel = func() error { return desktop.Process.Signal(os.Interrupt) }
			desktop.Stdin, desktop.Stdout, desktop.Stderr = c.Stdin, c.Stdout, c.Stderr
			err := desktop.Run()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.Exited() {
				return program.Exit(exit.ExitCode()) // which has said why
			}
			return err
		},
	}
	cmd.Flags().StringVar(&level, "level", "info", "only what has at least this `level`: info, notice, urgent or emergency")
	cmd.Flags().BoolVar(&once, "once", false, "end when nothing is left to show")
	cmd.Flags().BoolVar(&window, "window", false, "the window instead")
	complete.Flag(cmd, "level", "info", "notice", "urgent", "emergency")
	return cmd
}
