package control_test

import (
	"testing"

	"messngr/control"
	"messngr/control/controltest"
)

// TestReplyTo holds that a claimed name cannot turn an answer into a broadcast
// or lead it to another machine.
func TestReplyTo(t *testing.T) {
	for _, from := range []string{"*", "EVERYONE", "/domain", "/DOMAIN:X", "/users", "BOSS@10.0.0.66", "10.0.0.66", "evil.example", "A,B", ""} {
		req, ok := control.ReplyTo(&control.Message{From: from, Address: "10.0.0.7", Via: "smb"})
		if !ok || len(req.To) != 1 || req.To[0] != "10.0.0.7" {
			t.Errorf("the answer to %q goes to %q, %v; want the address", from, req.To, ok)
		}
		if _, ok := control.ReplyTo(&control.Message{From: from, Via: "local"}); ok {
			t.Errorf("%q without an address can be answered", from)
		}
	}
	req, ok := control.ReplyTo(&control.Message{From: "ALICE", Address: "10.0.0.7", Via: "smb"})
	if !ok || req.To[0] != "ALICE" || req.Address != "10.0.0.7" || req.Via != "" {
		t.Errorf("the answer to ALICE is %+v, %v", req, ok)
	}
	req, ok = control.ReplyTo(&control.Message{From: "FS01", Proven: "alice.smith", Via: "local"})
	if !ok || req.To[0] != "alice.smith@localhost" || req.Via != "local" {
		t.Errorf("the answer to what alice.smith sent as FS01 is %+v, %v", req, ok)
	}
	req, ok = control.ReplyTo(&control.Message{From: "alice", Via: "local"})
	if !ok || req.To[0] != "alice" || req.Via != "local" {
		t.Errorf("the answer to alice is %+v, %v", req, ok)
	}
}

// Nobody stands behind the service's own notes, but somebody may call himself so
// on another machine, or without a proof here.
func TestReplyToTheService(t *testing.T) {
	for _, tt := range []struct {
		m  control.Message
		to string
		ok bool
	}{
		{control.Message{From: "messngr", Proven: "messngr", Via: "local"}, "messngr@localhost", false},
		{control.Message{From: "FS01", Proven: "messngr", Via: "local"}, "messngr@localhost", false},
		{control.Message{From: "messngr", Proven: "alice", Via: "local"}, "alice@localhost", true},
		{control.Message{From: "messngr", Via: "local"}, "messngr", true},
		{control.Message{From: "MESSNGR", Address: "10.0.0.7", Via: "smb"}, "MESSNGR", true},
	} {
		req, ok := control.ReplyTo(&tt.m)
		if req.To[0] != tt.to || ok != tt.ok {
			t.Errorf("the answer to %+v goes to %q, %v; want %q, %v", tt.m, req.To, ok, tt.to, tt.ok)
		}
	}
}

func TestReplyGoesToTheMachineIfNobodyHasTheName(t *testing.T) {
	fake := controltest.New()
	c := control.NewClient(controltest.Start(t, fake))
	for from, want := range map[string]string{"NOBODY": "10.0.0.7", "ALICE": "ALICE"} {
		req, _ := control.ReplyTo(&control.Message{From: from, Address: "10.0.0.7", Via: "smb"})
		req.Text = "yes"
		answer, toMachine, err := c.Reply(t.Context(), req)
		if err != nil || !answer.Reached || toMachine != (from == "NOBODY") {
			t.Errorf("Reply to %s = %+v, %v, %v", from, answer, toMachine, err)
		}
		if got := fake.LastSend.To[0]; got != want {
			t.Errorf("the answer to %s went to %s, want %s", from, got, want)
		}
		if req.To[0] != from {
			t.Errorf("the request now addresses %s", req.To[0])
		}
	}
}
