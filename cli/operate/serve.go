// Package operate has the commands of those who run the service: it itself, how it is,
// its names, its neighbours, and who may send to it.
package operate

import (
	"context"
	"errors"
	"net/netip"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/install"
	"messngr/cli/program"
)

// Commands are the commands that operate the service, as parts of one run of the program.
type Commands struct{ *program.Run }

// Serve is messngr serve.
func (c Commands) Serve() *cobra.Command {
	var o program.ServeOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service",
		Long: `Run the Messenger service until Ctrl-C. Without --interface it listens on
loopback only and lists the interfaces that it could use. The real ports need
root or CAP_NET_BIND_SERVICE; with --port-offset 10000 anybody can try it.

Options overrule the configuration file, whose keys messngr docs config explains.`,
		Example: `  sudo messngr serve --interface lan
  messngr serve --port-offset 10000
  messngr serve --name PC17 --workgroup OFFICE --wins 10.0.0.2`,
		Args: program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.PortOffset < 0 || o.PortOffset > 65535-445 {
				return program.Misuse("use --port-offset 10000", "--port-offset %d leads outside of 0 to 65535", o.PortOffset)
			}
			for _, server := range o.WINS {
				if _, err := netip.ParseAddr(server); err != nil {
					return program.Misuse("use something like --wins 10.0.0.2", "--wins %q is no IP address", server)
				}
			}
			if c.Env.Serve == nil {
				return errors.New("this program was built without the service")
			}
			o.Socket = c.Socket
			o.Stdout, o.Stderr = c.Stdout, c.Stderr
			_, o.Interactive = program.Terminal(c.Stdout)
			return install.Run(cmd.Context(), func(ctx context.Context) error { return c.Env.Serve(ctx, o) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `file` (TOML)")
	f.StringVar(&o.State, "state", "", "`folder` for the messages (default: /var/lib/messngr, or the user's)")
	f.StringVar(&o.Name, "name", "", "NetBIOS `name` of this machine, at most 15 letters (default: from the host name)")
	f.StringVar(&o.Workgroup, "workgroup", "", "`name` of the workgroup or domain (default WORKGROUP)")
	f.StringArrayVar(&o.Interfaces, "interface", nil, "`name` of an interface to listen on, or lan for all private ones; repeatable (default: loopback)")
	f.StringArrayVar(&o.WINS, "wins", nil, "`address` of a NetBIOS name server; repeatable")
	f.IntVar(&o.PortOffset, "port-offset", 0, "add `n` to every port number")
	complete.FlagBy(cmd, "config", complete.Files)
	complete.FlagBy(cmd, "state", complete.Folders)
	complete.FlagBy(cmd, "interface", complete.Interfaces)
	return cmd
}
