package send_test

import (
	"io"
	"os/user"
	"strings"
	"testing"

	"messngr"
	"messngr/cli"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/controltest"
)

// An answer goes to somebody else, unless nobody else has written.
func TestReplyPassesOverOwnMessages(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	own := control.Message{From: me.Username, Proven: me.Username, Trust: messngr.Vouched, To: "PC17", Text: "to all", Via: "local"}
	fake := controltest.New()
	socket := controltest.Start(t, fake)
	reply := func(messages ...control.Message) string {
		fake.Lock()
		for i := range messages {
			messages[i].ID, messages[i].Seq = controltest.ID(i+1), int64(i+1)
		}
		fake.Messages = messages
		fake.Unlock()
		code := cli.Main(t.Context(), program.Env{
			Args: []string{"messngr", "--socket", socket, "reply", "Thanks"}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
			Getenv: func(string) string { return "" },
		})
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
		fake.Lock()
		defer fake.Unlock()
		return fake.LastSend.To[0]
	}
	boss := control.Message{From: "BOSS", To: "PC17", Text: "Please call me.", Via: "smb", Address: "10.0.0.7"}
	pose := control.Message{From: me.Username, To: "PC17", Text: "not proven", Via: "smb", Address: "10.0.0.8"}
	if to := reply(boss, own, own); to != "BOSS" {
		t.Errorf("behind my own the answer goes to %s, want BOSS", to)
	}
	if to := reply(boss, pose); to != me.Username {
		t.Errorf("the answer to somebody of my name goes to %s", to)
	}
	if to := reply(own); to != me.Username+"@localhost" {
		t.Errorf("where all are mine the answer goes to %s", to)
	}
}
