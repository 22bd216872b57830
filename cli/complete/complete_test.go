package complete_test

import (
	"regexp"
	"strings"
	"testing"

	"messngr/cli/clitest"
	"messngr/control"
	"messngr/control/controltest"
)

// offered is what the shell gets behind the words of a line.
func offered(t *testing.T, socket string, line ...string) string {
	t.Helper()
	out, stderr, code := clitest.Run(t, append([]string{"--socket", socket, "__complete"}, line...)...)
	if code != 0 {
		t.Fatalf("%q: exit code %d, %s", line, code, stderr)
	}
	out = regexp.MustCompile(`(\d\d [A-Z][a-z]{2} )?\d\d:\d\d|\d{4}-\d\d-\d\d`).ReplaceAllString(out, "TIME")
	return strings.TrimSuffix(strings.ReplaceAll(out, "\n", " "), " ")
}

// The directives of cobra at the end of what is offered.
const (
	files   = ":0"
	noFiles = ":4"
	folders = ":16"
)

func TestOffers(t *testing.T) {
	fake := controltest.New()
	fake.Sent = []control.SentMessage{{ID: controltest.ID(1), Recipients: []control.RecipientAnswer{
		{To: "PC18", Reached: true}, {To: "$(reboot)", Reached: true}, {To: "help desk", Reached: true}, {To: "PC18", Reached: true}, {To: "NOSUCH"},
	}}}
	fake.Messages = fake.Messages[:1]
	fake.Messages[0].From = "B\x1b;`x`"
	socket := controltest.Start(t, fake)
	for line, want := range map[string]string{
		"send|":                    "/users PC18 everyone " + noFiles,
		"send|PC17,":               "PC17,/users PC17,PC18 PC17,everyone " + noFiles,
		"send|PC17|":               noFiles,
		"send|--via|":              "smb rpc mailslot rwall local " + noFiles,
		"reply|":                   "4\tB___x_ TIME last " + noFiles,
		"inbox|show|":              "4\tB___x_ TIME last " + noFiles,
		"inbox|delete|4|":          "4\tB___x_ TIME last " + noFiles,
		"sent|show|":               "a0b001\tTIME last " + noFiles,
		"name|remove|":             "BACKUP " + noFiles,
		"name|add|":                noFiles,
		"policy|remove|":           "block " + noFiles,
		"policy|remove|block|":     "name:SPAMMER " + noFiles,
		"policy|remove|allow|":     noFiles,
		"net|st":                   "send name start stop pause continue helpmsg help " + noFiles,
		"net|SEND|":                "/users PC18 everyone " + noFiles,
		"net|pause|":               "messenger " + noFiles,
		"watch|":                   noFiles,
		"import|linpopup|":         files,
		"serve|--config|":          files,
		"serve|--state|":           folders,
		"docs|man|":                folders,
		"name|list|--credentials|": files,
	} {
		if got := offered(t, socket, strings.Split(line, "|")...); got != want {
			t.Errorf("%s: offered %q, want %q", line, got, want)
		}
	}
	if got := offered(t, socket, "serve", "--interface", ""); !strings.Contains(" "+got, " lan ") {
		t.Errorf("interfaces: %q", got)
	}
}

// Without a service a shell is offered what needs none, and waits for nothing.
func TestOffersWithoutService(t *testing.T) {
	socket := t.TempDir() + "/none"
	for line, want := range map[string]string{
		"send|": "/users everyone " + noFiles, "inbox|show|": "last " + noFiles, "name|remove|": noFiles, "policy|remove|": noFiles,
	} {
		if got := offered(t, socket, strings.Split(line, "|")...); got != want {
			t.Errorf("%s: offered %q, want %q", line, got, want)
		}
	}
}
