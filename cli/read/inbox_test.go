package read_test

import (
	"io"
	"strings"
	"testing"

	"messngr"
	"messngr/cli"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/controltest"
)

// What is no ordinary message shows that at once, in lists and as it comes.
func TestUrgentMessagesShowIt(t *testing.T) {
	fake := controltest.New()
	fake.Messages[2] = control.Message{
		ID: controltest.ID(3), Seq: 7, From: "BOSS", To: "PC17", Title: "Fire", Text: "Leave now.\n\n", Via: "local",
		Level: messngr.LevelEmergency, Drill: true, Answers: []string{"Out", "Help"}, ReceivedAt: controltest.Time(),
	}
	socket := controltest.Start(t, fake)
	for args, want := range map[string]string{
		"inbox --limit 1":           "[DRILL EMERGENCY] Fire: Leave now.\n",
		"watch --after 5 --count 1": "  [DRILL EMERGENCY] BOSS (unverified, local) to PC17, number 7\n  Fire\n  Leave now.\n  Answers: Out / Help\n",
	} {
		var out strings.Builder
		code := cli.Main(t.Context(), program.Env{
			Args: append([]string{"messngr", "--socket", socket}, strings.Fields(args)...), Stdout: &out, Stderr: io.Discard,
			Getenv: func(string) string { return "" },
		})
		if code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d\n%s\nwant it to have\n%s", args, code, out.String(), want)
		}
	}
}

func TestListsSayWhomMessagesAreFor(t *testing.T) {
	fake := controltest.New()
	socket := controltest.Start(t, fake)
	list := func() string {
		var out strings.Builder
		cli.Main(t.Context(), program.Env{
			Args: []string{"messngr", "--socket", socket, "inbox"}, Stdout: &out, Stderr: io.Discard,
			Getenv: func(string) string { return "" },
		})
		return out.String()
	}
	if got := list(); strings.Contains(got, "FOR") {
		t.Errorf("all are for everybody:\n%s", got)
	}
	fake.Lock()
	fake.Messages[0].Audience = "alice"
	fake.Unlock()
	got := list()
	for _, want := range []string{"TRUST       FOR        TEXT\n", "unverified  alice      Please call me.\n", "unverified  everybody  Reboot"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant it to have %q", got, want)
		}
	}
}
