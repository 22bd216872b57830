package read

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/program"
	"messngr/tray"
)

// Tray is messngr tray.
func (c Commands) Tray() *cobra.Command {
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
		Args: program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch disturb {
			case "":
			case "on", "off":
				return tray.SetDoNotDisturb(cmd.Context(), c.Getenv, disturb == "on")
			case "?":
				c.Printf("%s\n", map[bool]string{true: "on", false: "off"}[tray.DoNotDisturb(c.Getenv)])
				return nil
			default:
				return program.Misuse("use on, off or ?", "--dnd %q is neither on nor off", disturb)
			}
			o.Socket, o.Getenv = c.Socket, c.Getenv
			o.Log = slog.New(slog.NewTextHandler(c.Stderr, nil))
			err := tray.Run(cmd.Context(), o)
			switch {
			case errors.Is(err, tray.ErrRunning):
				c.Printf("it is running already\n")
				return nil
			case errors.Is(err, tray.ErrNoSession):
				c.Complain(err.Error(), "on a terminal use: messngr watch")
				return program.Exit(program.Failed)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&o.Minimized, "min", false, "start as an icon; otherwise the list opens too")
	cmd.Flags().StringVar(&disturb, "dnd", "", "whether nobody is to be disturbed, a `word`: on, off, or ? to ask")
	cmd.Flags().StringVar(&o.PopUp, "popup", "", "lowest `level` that pops up: info, notice, urgent, emergency or never (default: as configured)")
	complete.Flag(cmd, "dnd", "on", "off")
	complete.Flag(cmd, "popup", "info", "notice", "urgent", "emergency", "never")
	return cmd
}
