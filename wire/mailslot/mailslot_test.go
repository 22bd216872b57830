package mailslot_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/mailslot"
)

// The first two are the data of datagrams: one generated and decoded alike by tshark
// 4.0.17 and Samba's parser, one noted from a recording of Windows 98.
var messages = []struct {
	name    string
	value   mailslot.Message
	encoded string
}{
	{"to a workgroup", message("ALICE", "TESTGRP", "Hello world"), "ALICE\x00TESTGRP\x00Hello world\x00"},
	{"from Windows 98", message("WIN98USER", "WORKGROUP", "HELLO WORLD"), "WIN98USER\x00WORKGROUP\x00HELLO WORLD\x00"},
	{"code page 850 and a line break", message("M\x9aLLER", "*", "a\x14\x84"), "M\x9aLLER\x00*\x00a\x14\x84\x00"},
	{"empty", message("", "", ""), "\x00\x00\x00"},
	{"the longest", message("A", "B", strings.Repeat("x", 419)), "A\x00B\x00" + strings.Repeat("x", 419) + "\x00"},
}

func message(from, to, text string) mailslot.Message {
	return mailslot.Message{From: []byte(from), To: []byte(to), Text: []byte(text)}
}

func TestMessage(t *testing.T) {
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.value.Append([]byte("before"))
			if want := "before" + tt.encoded; err != nil || string(b) != want {
				t.Errorf("Append = %q, %v, want %q", b, err, want)
			}
			if got, want := tt.value.Len(), len(tt.encoded); got != want {
				t.Errorf("Len = %d, want %d", got, want)
			}
			got, err := mailslot.Parse([]byte(tt.encoded))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseIsLax(t *testing.T) {
	for _, encoded := range []string{"A\x00B\x00hi", "A\x00B\x00hi\x00\x00\x00", "A\x00B\x00hi\x00more"} {
		got, err := mailslot.Parse([]byte(encoded))
		if diff := cmp.Diff(message("A", "B", "hi"), got); err != nil || diff != "" {
			t.Errorf("Parse(%q): %v (-want +got):\n%s", encoded, err, diff)
		}
	}
	long := "A\x00B\x00" + strings.Repeat("x", 1000)
	if got, err := mailslot.Parse([]byte(long)); err != nil || len(got.Text) != 1000 {
		t.Errorf("Parse of a long text gave %d bytes, %v, want 1000", len(got.Text), err)
	}
}

func TestRefuses(t *testing.T) {
	for _, encoded := range []string{"", "A", "A\x00", "A\x00B"} {
		if m, err := mailslot.Parse([]byte(encoded)); err == nil {
			t.Errorf("Parse(%q) = %q, want an error", encoded, m)
		}
	}
	for _, m := range []mailslot.Message{
		message("A\x00", "B", "hi"),
		message("A", "\x00", "hi"),
		message("A", "B", "h\x00i"),
		message("A", "B", strings.Repeat("x", 420)),
	} {
		if b, err := m.Append([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("Append of %.20q = %d bytes, %v, want an error and nothing appended", m, len(b), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range messages {
		f.Add([]byte(tt.encoded))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := mailslot.Parse(b)
		if err != nil || m.Len() > mailslot.MaxSend {
			return
		}
		again, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := min(len(b), len(again)); !bytes.Equal(again[:n], b[:n]) {
			t.Errorf("encodes to %q, want %q", again, b)
		}
		got, err := mailslot.Parse(again)
		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Errorf("written and read again: %v (-want +got):\n%s", err, diff)
		}
	})
}
