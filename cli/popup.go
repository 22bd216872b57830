package cli

import (
	"errors"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"messngr/tray"
)

func (a *app) popupCommand() *cobra.Command {
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
		Args: words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args := []string{"popup", "--level", level}
			if once {
				args = append(args, "--once")
			}
			if window {
				args = []string{"window"}
			}
			if a.socket != "" {
				args = append(args, "--socket", a.socket)
			}
			path := tray.DesktopProgram()
			if path == "" {
				a.complain("the program messngr-desktop is not installed", "it is a package of its own; on a terminal use: messngr watch")
				return exitError(exitFailed)
			}
			program := exec.CommandContext(cmd.Context(), path, args...)
			program.Cancel = func() error { return program.Process.Signal(os.Interrupt) }
			program.Stdin, program.Stdout, program.Stderr = a.env.Stdin, a.env.Stdout, a.env.Stderr
			err := program.Run()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.Exited() {
				return exitError(exit.ExitCode()) // which has said why
			}
			return err
		},
	}
	cmd.Flags().StringVar(&level, "level", "info", "only what is at least so important: info, notice, urgent or emergency")
	cmd.Flags().BoolVar(&once, "once", false, "end when nothing is left to show")
	cmd.Flags().BoolVar(&window, "window", false, "the window instead")
	completeFlag(cmd, "level", "info", "notice", "urgent", "emergency")
	return cmd
}
