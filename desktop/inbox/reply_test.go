package inbox_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
	"messngr/desktop/inbox"
)

// Whom an answer goes to is for package control to say.
func TestAddressee(t *testing.T) {
	for _, tt := range []struct {
		m         control.Message
		addressee string
		ok        bool
	}{
		{control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"}, "ALICE (10.0.0.7)", true},
		{control.Message{From: "*", Via: "smb", Address: "10.0.0.7"}, "10.0.0.7", true},
		{control.Message{From: "FS01", Proven: "root", Via: "local"}, "root", true},
		{control.Message{From: "everyone", Via: "local"}, "everyone", false},
		{control.Message{From: "messngr", Proven: "messngr", Via: "local"}, "messngr", false},
		{control.Message{Via: "mailslot"}, "", false},
	} {
		req, ok := control.ReplyTo(&tt.m)
		if got := inbox.Addressee(&req); got != tt.addressee || ok != tt.ok {
			t.Errorf("%+v: to %q, %v; want %q, %v", tt.m, got, ok, tt.addressee, tt.ok)
		}
	}
}

// replier sends answers.
type replier struct {
	sent []control.SendRequest
	err  error
}

func (r *replier) Reply(_ context.Context, req control.SendRequest) (control.SendAnswer, bool, error) {
	r.sent = append(r.sent, req)
	return control.SendAnswer{Reached: r.err == nil}, false, r.err
}

func TestReply(t *testing.T) {
	id := messngr.ID{15: 7}
	var r replier
	a, err := inbox.Reply(t.Context(), &r, &control.Message{ID: id, From: "bob", Proven: "alice", Via: "local"}, "yes")
	want := []control.SendRequest{{To: []string{"alice@localhost"}, Via: "local", Text: "yes", InReplyTo: id}}
	if d := cmp.Diff(want, r.sent); d != "" || err != nil || !a.Reached {
		t.Errorf("reached %v, %v\n%s", a.Reached, err, d)
	}
	r = replier{err: errors.New("no service")}
	if _, err := inbox.Reply(t.Context(), &r, &control.Message{Via: "mailslot"}, "yes"); err == nil {
		t.Error("nobody to answer, and no error")
	}
	if _, err := inbox.Reply(t.Context(), &r, &control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"}, "yes"); !errors.Is(err, r.err) {
		t.Errorf("got %v, want the service's error", err)
	}
	if len(r.sent) != 1 {
		t.Errorf("sent %+v", r.sent)
	}
}

type marker struct {
	marks []string
	fail  string
}

func (k *marker) Mark(_ context.Context, r control.MarkRequest) (int, error) {
	k.marks = append(k.marks, r.As)
	if r.As == k.fail {
		return 0, errors.New("no")
	}
	return len(r.IDs), nil
}

func TestAcknowledge(t *testing.T) {
	var k marker
	if err := inbox.Acknowledge(t.Context(), &k, messngr.ID{}); err != nil || !slices.Equal(k.marks, []string{"acknowledged", "read"}) {
		t.Errorf("marked %q, %v", k.marks, err)
	}
	k = marker{fail: "acknowledged"}
	if err := inbox.Acknowledge(t.Context(), &k, messngr.ID{}); err == nil || len(k.marks) != 1 {
		t.Errorf("marked %q, %v; want nothing read that is not acknowledged", k.marks, err)
	}
}
