package docs_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"messngr/cli/docs"
)

func tree() *cobra.Command {
	root := &cobra.Command{Use: "tool", Short: "Does things", Annotations: map[string]string{"FILES": "/etc/tool: settings\n.rc: others"}, Long: ".dots and 'quotes'\n\n  kept as it is\n\nback\\slash", Example: "  tool run x"}
	run := &cobra.Command{Use: "run [flags] X", Short: "Run", Run: func(*cobra.Command, []string) {}}
	run.Flags().StringP("as", "a", "", "the `name` of it")
	run.Flags().Int("count", 3, "how many")
	run.AddCommand(&cobra.Command{Use: "secret", Hidden: true, Run: run.Run})
	root.AddCommand(run)
	root.PersistentFlags().Bool("all", false, "everything")
	return root
}

func TestPages(t *testing.T) {
	pages := docs.Pages(tree())
	if len(pages) != 2 {
		t.Fatalf("Pages has %d pages, want tool.1 and tool-run.1", len(pages))
	}
	for page, lines := range map[string][]string{
		"tool.1":     {`.TH "TOOL" 1`, `tool \- Does things`, `\&.dots and \(aqquotes\(aq`, "  kept as it is", ".SH FILES", ".B /etc/tool\nsettings", ".B \\&.rc", `back\eslash`, ".BR tool\\-run (1)"},
		"tool-run.1": {`.TH "TOOL-RUN" 1`, `.B \-a, \-\-as \fIname\fR`, "the name of it", `how many (default 3)`, ".SH OPTIONS OF ALL COMMANDS", ".BR tool (1)"},
	} {
		for _, line := range lines {
			if !strings.Contains("\n"+pages[page], "\n"+line+"\n") {
				t.Errorf("%s has no line %q:\n%s", page, line, pages[page])
			}
		}
	}
}

// TestPagesFormat has the formatter itself read the pages.
func TestPagesFormat(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		return // TestPages holds without it
	}
	for name, page := range docs.Pages(tree()) {
		cmd := exec.CommandContext(t.Context(), groff, "-man", "-ww", "-Tutf8", "-z")
		cmd.Stdin = strings.NewReader(page)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("groff on %s: %v\n%s", name, err, out)
		}
	}
}

func TestMarkdown(t *testing.T) {
	got := docs.Markdown(tree())
	for _, part := range []string{"## tool\n", "## tool run\n", "Examples:\n\n```sh\ntool run x\n```", "-a, --as name"} {
		if !strings.Contains(got, part) {
			t.Errorf("Markdown lacks %q:\n%s", part, got)
		}
	}
	if strings.Contains(got, "secret") {
		t.Error("Markdown tells of a hidden command")
	}
}
