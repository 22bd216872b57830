package cli

import (
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"messngr/cli/program"
)

func versionCommand(run *program.Run) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  messngr version",
		Args:    program.Args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			printVersion(run)
			return nil
		},
	}
}

func printVersion(run *program.Run) {
	info, _ := debug.ReadBuildInfo()
	run.Printf("messngr %s\n", version(info))
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
