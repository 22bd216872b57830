package operate

import (
	"os"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/install"
	"messngr/cli/program"
)

// Service is messngr service.
func (c Commands) Service() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "service",
		Short:   "Install or uninstall the service where no package does it",
		Example: "  sudo messngr service install --interface lan\n  sudo messngr service uninstall --purge",
		Args:    program.NoSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			return program.Misuse("usage: messngr service install|uninstall", "service needs to know what to do")
		},
	}
	var o install.Options
	add := &cobra.Command{
		Use:   "install",
		Short: "Start the service with this machine, from now on",
		Long: `Install this program as a service of the system, with a user of its own and only
the capabilities that it needs, and start it. Not needed where a package was
installed.`,
		Example: "  sudo messngr service install --interface lan",
		Args:    program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			return install.Service(cmd.Context(), c.Stdout, c.Stderr, program, o)
		},
	}
	add.Flags().StringArrayVar(&o.Interfaces, "interface", nil, "`name` of an interface to listen on, or lan for all private ones; repeatable (default: loopback)")
	add.Flags().StringVar(&o.Config, "config", "", "configuration `file` (TOML)")
	complete.FlagBy(add, "interface", complete.Interfaces)
	complete.FlagBy(add, "config", complete.Files)
	var purge bool
	remove := &cobra.Command{
		Use:   "uninstall",
		Short: "Stop the service and remove it",
		Long: `Stop the service and remove what install made. Messages stay, unless --purge removes
them as well.`,
		Example: "  sudo messngr service uninstall\n  sudo messngr service uninstall --purge",
		Args:    program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return install.Remove(cmd.Context(), c.Stdout, c.Stderr, purge)
		},
	}
	remove.Flags().BoolVar(&purge, "purge", false, "remove all messages, and the service's user, too")
	cmd.AddCommand(add, remove)
	return cmd
}
