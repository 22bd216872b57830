package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/cli/clitest"
)

const golden = "testdata/help.golden"

// commands lists every command by asking for help, the hidden ones too.
func commands(t *testing.T) []string {
	t.Helper()
	var all []string
	var visit func(path string)
	visit = func(path string) {
		all = append(all, path)
		args := strings.Fields(path)
		help, _, code := clitest.Run(t, append(args, "--help")...)
		if code != 0 {
			t.Fatalf("messngr %s --help: exit code %d", path, code)
		}
		inList := false
		for line := range strings.Lines(help) {
			switch {
			case strings.HasPrefix(line, "  ") && inList:
				if name := strings.Fields(line)[0]; name != "help" && name != "completion" {
					visit(strings.TrimSpace(path + " " + name))
				}
			default:
				inList = regexp.MustCompile(`^(Send|Read|Run the service|Other|Available Commands):`).MatchString(line)
			}
		}
	}
	visit("")
	visit("docs")
	return all
}

// TestHelp holds the help of every command to what was read and found good. It
// is written anew with UPDATE=1 in the environment.
func TestHelp(t *testing.T) {
	var b strings.Builder
	for _, path := range commands(t) {
		help, _, _ := clitest.Run(t, append(strings.Fields(path), "--help")...)
		b.WriteString("==== messngr " + path + "\n" + help)
		if !strings.Contains(help, "\nExamples:\n") {
			t.Errorf("messngr %s --help has no example", path)
		}
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("help has changed (UPDATE=1 writes it anew), -want +got:\n%s", diff)
	}
}

func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := clitest.Run(t, "docs", "man", dir); code != 0 {
		t.Fatalf("docs man: exit code %d, %s", code, stderr)
	}
	for _, path := range commands(t) {
		if strings.HasPrefix(path, "docs") {
			continue
		}
		name := strings.Join(append([]string{"messngr"}, strings.Fields(path)...), "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("no manual page for messngr %s: %v", path, err)
		} else if !strings.Contains(string(page), "\n.SH EXAMPLES\n") {
			t.Errorf("%s has no examples", name)
		}
	}
}

// TestReference holds doc/cli.md to the program.
func TestReference(t *testing.T) {
	want, _, _ := clitest.Run(t, "docs", "markdown")
	const file = "../doc/cli.md"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("doc/cli.md is out of date (messngr docs markdown > doc/cli.md):\n%s", diff)
	}
}

// TestDocumentsAreReal holds that every line of messngr in a document, and in
// the examples of the help, is a command with options that exist.
func TestDocumentsAreReal(t *testing.T) {
	known := commands(t)
	for _, path := range slices.Clone(known) { // name is called names, too
		if rest, ok := strings.CutPrefix(path, "name"); ok && (rest == "" || rest[0] == ' ') {
			known = append(known, "names"+rest)
		}
	}
	documents, err := filepath.Glob("../doc/*.md")
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, "../README.md", golden)
	found := 0
	for _, file := range documents {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range commandLines(string(b)) {
			found++
			checkLine(t, file, line, known)
		}
	}
	if found < 50 {
		t.Errorf("found only %d lines with commands, so this test looks in the wrong place", found)
	}
}

// commandLines finds the lines of code that call the program. In a recorded
// session only what follows a prompt counts.
func commandLines(text string) []string {
	var lines []string
	call := regexp.MustCompile(`^\s*(\$ )?(?:.*\| )?(?:sudo )?(?:/usr/bin/|/usr/local/bin/|\./)?messngr ([a-z-].*)$`)
	for i, block := range strings.Split(text, "```") {
		fenced := i%2 == 1
		session := fenced && strings.Contains(block, "\n$ ")
		for line := range strings.Lines(block) {
			m := call.FindStringSubmatch(strings.TrimRight(line, "\n"))
			if m != nil && (fenced || strings.HasPrefix(line, "  ")) && (!session || m[1] != "") {
				lines = append(lines, m[2])
			}
		}
	}
	return lines
}

// checkLine checks the command and the options of one line.
func checkLine(t *testing.T, file, line string, known []string) {
	t.Helper()
	fields := strings.Fields(line)
	path, rest := "", fields
	for len(rest) > 0 && slices.Contains(known, strings.TrimSpace(path+" "+rest[0])) {
		path, rest = strings.TrimSpace(path+" "+rest[0]), rest[1:]
	}
	if path == "" {
		switch fields[0] {
		case "completion", "help", "[command]", "[flags]":
		default:
			t.Errorf("%s: messngr %s: there is no such command", file, line)
		}
		return
	}
	help, _, _ := clitest.Run(t, append(strings.Fields(path), "--help")...)
	for _, word := range rest {
		option, _, _ := strings.Cut(strings.Trim(word, "[]`.,;"), "=")
		if strings.HasPrefix(option, "--") && !regexp.MustCompile(regexp.QuoteMeta(option)+`\b`).MatchString(help) {
			t.Errorf("%s: messngr %s: %s has no option %s", file, line, path, option)
		}
	}
}

// TestDependencies holds doc/dependencies.md to the direct dependencies of the
// module: each has a line, and no line is left over.
func TestDependencies(t *testing.T) {
	page, err := os.ReadFile("../doc/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z.]+/[^ ]+) \|`).FindAllStringSubmatch(string(page), -1) {
		described = append(described, m[1])
	}
	gomod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, m := range regexp.MustCompile(`(?m)^\t([^ ]+) v[^ ]+( // indirect)?$`).FindAllStringSubmatch(string(gomod), -1) {
		if m[2] == "" {
			direct = append(direct, m[1])
		} else if !strings.Contains(string(gomod), "\n)\n\nrequire (") {
			// Before the first "go mod tidy" every line says indirect.
			return
		}
	}
	slices.Sort(described)
	slices.Sort(direct)
	if diff := cmp.Diff(direct, described); diff != "" {
		t.Errorf("-go.mod +doc/dependencies.md:\n%s", diff)
	}
}
