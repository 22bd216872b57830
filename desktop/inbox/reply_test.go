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

func TestReplyTo(t *testing.T) {
	id := messngr.ID{15: 7}
	for _, tt := range []struct {
		name string
		m    control.Message
		want control.SendRequest
		ok   bool
	}{
		{
			"legacy", control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"},
			control.SendRequest{To: []string{"ALICE"}, Address: "10.0.0.7"}, true,
		},
		{
			"a name that means everybody", control.Message{From: "*", Via: "smb", Address: "10.0.0.7"},
			control.SendRequest{To: []string{"10.0.0.7"}, Address: "10.0.0.7"}, true,
		},
		{
			"a name that means another machine", control.Message{From: "x@EVIL", Via: "smb", Address: "10.0.0.7"},
			control.SendRequest{To: []string{"10.0.0.7"}, Address: "10.0.0.7"}, true,
		},
		{
			"everyone", control.Message{From: "Everyone", Via: "smb", Address: "10.0.0.7"},
			control.SendRequest{To: []string{"10.0.0.7"}, Address: "10.0.0.7"}, true,
		},
		{"nobody", control.Message{Via: "mailslot"}, control.SendRequest{To: []string{""}}, false},
		{
			"local, under another name", control.Message{From: "FS01", Proven: "root", Via: "local"},
			control.SendRequest{To: []string{"root"}, Via: "local"}, true,
		},
		{
			"the service", control.Message{From: "messngr", Proven: "messngr", Via: "local"},
			control.SendRequest{To: []string{"messngr"}, Via: "local"}, false,
		},
	} {
		tt.m.ID, tt.want.InReplyTo = id, id
		got, ok := inbox.ReplyTo(&tt.m)
		if d := cmp.Diff(tt.want, got); d != "" || ok != tt.ok {
			t.Errorf("%s: ok %v, want %v\n%s", tt.name, ok, tt.ok, d)
		}
	}
}

// sender takes messages for a machine on which only some names exist.
type sender struct {
	known []string
	sent  []string
	err   error
}

func (s *sender) Send(_ context.Context, r control.SendRequest) (control.SendAnswer, error) {
	if s.err != nil {
		return control.SendAnswer{}, s.err
	}
	s.sent = append(s.sent, r.To[0]+": "+r.Text)
	a := control.RecipientAnswer{To: r.To[0], State: messngr.Accepted, Reached: true}
	if !slices.Contains(s.known, r.To[0]) {
		a = control.RecipientAnswer{To: r.To[0], State: messngr.Failed, Code: "unknown_name"}
	}
	return control.SendAnswer{Recipients: []control.RecipientAnswer{a}, Reached: a.Reached}, nil
}

func TestReply(t *testing.T) {
	m := control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"}
	for _, tt := range []struct {
		name    string
		s       sender
		want    []string
		reached bool
	}{
		{"the sender's name", sender{known: []string{"ALICE"}}, []string{"ALICE: yes"}, true},
		{"the machine", sender{known: []string{"10.0.0.7"}}, []string{"ALICE: yes", "10.0.0.7: yes"}, true},
		{"neither", sender{}, []string{"ALICE: yes", "10.0.0.7: yes"}, false},
	} {
		a, err := inbox.Reply(t.Context(), &tt.s, &m, "yes")
		if err != nil || a.Reached != tt.reached || !slices.Equal(tt.s.sent, tt.want) {
			t.Errorf("%s: sent %q, reached %v, %v", tt.name, tt.s.sent, a.Reached, err)
		}
	}
	broken := sender{err: errors.New("no service")}
	if _, err := inbox.Reply(t.Context(), &broken, &m, "yes"); !errors.Is(err, broken.err) {
		t.Errorf("got %v, want the sender's error", err)
	}
	var none sender
	if _, err := inbox.Reply(t.Context(), &none, &control.Message{}, "yes"); err == nil || len(none.sent) > 0 {
		t.Errorf("nobody was answered: %v, %q", err, none.sent)
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
