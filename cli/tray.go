package cli

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"messngr/tray"
)

func (a *app) trayCommand() *cobra.Command {
	var o tray.Options
	var disturb string
	cmd := &cobra.Command{
		Use:   "tray",
		Short: "Show messages in this desktop session",
		Long: `Show messages as notifications of the desktop, with an icon in the tray, until the
session ends. The packages start it at login. What came while nobody was logged
in is shown when it starts; many messages become one digest. Where the desktop
program is installed it opens the list, and pop-ups for what has to be seen.

While nobody is to be disturbed (--dnd on, or the menu of the icon) only urgent
messages and emergencies are shown. On a locked screen texts are hidden. Both can
be changed in ~/.config/messngr/tray.toml, or for everybody in
/etc/xdg/messngr/tray.toml.`,
		Example: `  messngr tray --min        as an icon, as the packages start it
  messngr tray --dnd on     say nothing for now that is not urgent
  messngr tray --popup info
                            a pop-up for every message`,
		Args: words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch disturb {
			case "":
			case "on", "off":
				return tray.SetDoNotDisturb(cmd.Context(), a.env.Getenv, disturb == "on")
			case "?":
				a.printf("%s\n", map[bool]string{true: "on", false: "off"}[tray.DoNotDisturb(a.env.Getenv)])
				return nil
			default:
				return misuse("use on, off or ?", "--dnd %q is neither on nor off", disturb)
			}
			o.Socket, o.Getenv = a.socket, a.env.Getenv
			o.Log = slog.New(slog.NewTextHandler(a.env.Stderr, nil))
			err := tray.Run(cmd.Context(), o)
			switch {
			case errors.Is(err, tray.ErrRunning):
				a.printf("it is running already\n")
				return nil
			case errors.Is(err, tray.ErrNoSession):
				a.complain(err.Error(), "on a terminal use: messngr watch")
				return exitError(exitFailed)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&o.Minimized, "min", false, "start as an icon; otherwise the list opens too")
	cmd.Flags().StringVar(&disturb, "dnd", "", "on, off, or ? to ask: whether nobody is to be disturbed")
	cmd.Flags().StringVar(&o.PopUp, "popup", "", "the lowest `level` that opens a pop-up: info, notice, urgent, emergency or never (default: the configuration's)")
	completeFlag(cmd, "dnd", "on", "off")
	completeFlag(cmd, "popup", "info", "notice", "urgent", "emergency", "never")
	return cmd
}

// singleDash makes the option that LinPopUp spelled with one dash one of ours.
func singleDash(args []string) []string {
	if len(args) == 0 || args[0] != "tray" {
		return args
	}
	out := make([]string, len(args))
	for i, arg := range args {
		if out[i] = arg; arg == "-min" {
			out[i] = "--min"
		}
	}
	return out
}
