package cli

import (
	"context"
	"errors"
	"net/netip"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"messngr/cli/install"
)

func (a *app) serveCommand() *cobra.Command {
	var o ServeOptions
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
		Args: words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.PortOffset < 0 || o.PortOffset > 65535-445 {
				return misuse("use --port-offset 10000", "--port-offset %d leads outside of 0 to 65535", o.PortOffset)
			}
			for _, server := range o.WINS {
				if _, err := netip.ParseAddr(server); err != nil {
					return misuse("use something like --wins 10.0.0.2", "--wins %q is no IP address", server)
				}
			}
			if a.env.Serve == nil {
				return errors.New("this program was built without the service")
			}
			o.Socket = a.socket
			o.Stdout, o.Stderr = a.env.Stdout, a.env.Stderr
			_, o.Interactive = terminal(a.env.Stdout)
			return install.Run(cmd.Context(), func(ctx context.Context) error { return a.env.Serve(ctx, o) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `file` (TOML)")
	f.StringVar(&o.State, "state", "", "`folder` for the messages (default: /var/lib/messngr, or that of the user)")
	f.StringVar(&o.Name, "name", "", "NetBIOS `name` of this machine, at most 15 letters (default: from the host name)")
	f.StringVar(&o.Workgroup, "workgroup", "", "`name` of the workgroup or domain (default WORKGROUP)")
	f.StringArrayVar(&o.Interfaces, "interface", nil, "`interface` to listen on, or lan for all with private addresses; may be given several times (default: loopback)")
	f.StringArrayVar(&o.WINS, "wins", nil, "`address` of a NetBIOS name server; may be given several times")
	f.IntVar(&o.PortOffset, "port-offset", 0, "add `n` to every port number")
	return cmd
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  messngr version",
		Args:    words(0, 0),
		RunE: func(*cobra.Command, []string) error {
			a.printVersion()
			return nil
		},
	}
}

func (a *app) printVersion() {
	info, _ := debug.ReadBuildInfo()
	a.printf("messngr %s\n", version(info))
}

// version names the release, or the revision that was built, and the compiler.
func version(info *debug.BuildInfo) string {
	if info == nil {
		return "unknown"
	}
	setting := map[string]string{}
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	if rev := setting["vcs.revision"]; len(rev) >= 12 && !strings.Contains(v, rev[:12]) {
		v += " " + rev[:12]
	}
	if setting["vcs.modified"] == "true" && !strings.HasSuffix(v, "+dirty") {
		v += "+dirty"
	}
	return v + " (" + strings.TrimSpace(info.GoVersion+" "+setting["GOOS"]+"/"+setting["GOARCH"]) + ")"
}
