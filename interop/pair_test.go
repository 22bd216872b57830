//go:build linux

package interop_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/labtest"
)

// Two of ours: what Samba's client cannot say, and the answer back.
func TestOwnPair(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta")
	watch(ctx, t, hosts[0])
	watch(ctx, t, hosts[1])
	alpha, _ := serve(ctx, t, hosts[0], "")
	beta, _ := serve(ctx, t, hosts[1], "")
	for i, test := range slices.Concat(texts, longTexts) {
		outcomes, code, err := alpha.Send(ctx, test.text, "--as", "alice", "BETA")
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if code != 0 || len(outcomes) != 1 || outcomes[0].State != "accepted" {
			t.Fatalf("%s: got %+v, exit code %d", test.name, outcomes, code)
		}
		got, err := beta.Received(ctx, i+1)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		// The default code page, 850, lacks the rest: what it cannot say is not this test's question.
		if test.page != "" && test.page != "850" {
			continue
		}
		if !same(got[i].Text, test.text) {
			t.Errorf("%s: got %q, want %q", test.name, first(got[i].Text), first(test.text))
		}
	}
}

// `net send` as Windows people type it, and the answer to it.
func TestNetSendAndReply(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "cls-mem67495")
	alpha, _ := serve(ctx, t, hosts[0], "")
	beta, _ := serve(ctx, t, hosts[1], "")
	if out, err := says(ctx, alpha, "net", "send", "cls-mem67495", "This is a message."); err != nil ||
		!strings.Contains(out, "successfully sent") {
		t.Fatalf("net send: %v: %s", err, out)
	}
	got, err := beta.Received(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Text != "This is a message." || got[0].From == "" {
		t.Errorf("got %+v", got[0])
	}
	if out, err := says(ctx, beta, "reply", "Heard you"); err != nil {
		t.Fatalf("reply: %v: %s", err, out)
	}
	back, err := alpha.Received(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if back[0].Text != "Heard you" {
		t.Errorf("got %+v", back[0])
	}
	if out, err := says(ctx, alpha, "net", "send", "nobody-there", "hello"); err == nil || !strings.Contains(out, "2273") {
		t.Errorf("net send to nobody: %v: %s", err, out)
	}
}
