package smb_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/smb"
	"messngr/wire/wiretest"
)

// appender is what all messages are but End, whose Append cannot fail.
type appender interface {
	Append(b []byte, h smb.Header) ([]byte, error)
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name    string
		value   appender
		encoded string
	}{
		// The first is the example of the specification of single blocks.
		{"single", smb.Single{From: []byte("ALICE"), To: []byte("BOB"), Text: []byte("Hello, world!")},
			"d0" + zeros + "00 1c00 04 414c49434500 04 424f4200 01 0d00 48656c6c6f2c20776f726c6421"},
		{"broadcast", smb.Single{Broadcast: true, From: []byte("A"), To: []byte("*"), Text: []byte("x")},
			"d1" + zeros + "00 0a00 04 4100 04 2a00 01 0100 78"},
		{"broadcast without recipient", smb.Single{Broadcast: true, From: []byte("A"), Text: []byte("x")},
			"d1" + zeros + "00 0700 04 4100 01 0100 78"},
		{"empty", smb.Single{From: []byte{}, To: []byte{}, Text: []byte{}},
			"d0" + zeros + "00 0700 04 00 04 00 01 0000"},
		{"start", smb.Start{From: []byte("alice"), To: []byte("BETA")},
			"d5" + zeros + "00 0d00 04 616c69636500 04 4245544100"},
		{"text", smb.Text{Group: 0x0201, Text: []byte("Gr\x81\xe1e\x14")},
			"d7" + zeros + "01 0102 0900 01 0600 4772 81e1 65 14"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := wiretest.Unhex(t, "ff534d42"+tt.encoded)
			b, err := tt.value.Append(nil, smb.Header{})
			if err != nil || !bytes.Equal(b, want) {
				t.Errorf("Append = %x, %v, want %x", b, err, want)
			}
			p, err := smb.Parse(want)
			if err != nil {
				t.Fatal(err)
			}
			var got appender
			switch tt.value.(type) {
			case smb.Single:
				got, err = p.Single()
			case smb.Start:
				got, err = p.Start()
			case smb.Text:
				got, err = p.Text()
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("parsed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnd(t *testing.T) {
	want := wiretest.Unhex(t, "ff534d42 d6"+zeros+"01 0102 0000")
	if got := (smb.End{Group: 0x0201}).Append(nil, smb.Header{}); !bytes.Equal(got, want) {
		t.Errorf("Append = %x, want %x", got, want)
	}
	p, err := smb.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.End(); err != nil || got.Group != 0x0201 {
		t.Errorf("End = %+v, %v, want group 0x0201", got, err)
	}
}

func TestTerminatedTextIsTaken(t *testing.T) {
	p, err := smb.Parse(wiretest.Unhex(t, "ff534d42 d7"+zeros+"01 0000 0600 01 0200 6869 00"))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := p.Text(); err != nil || string(m.Text) != "hi" {
		t.Errorf("Text = %q, %v, want hi", m.Text, err)
	}
}

func TestMessagesWithLies(t *testing.T) {
	single := func(p smb.Packet) error { _, err := p.Single(); return err }
	start := func(p smb.Packet) error { _, err := p.Start(); return err }
	text := func(p smb.Packet) error { _, err := p.Text(); return err }
	end := func(p smb.Packet) error { _, err := p.End(); return err }
	tests := []struct {
		name  string
		parse func(smb.Packet) error
		words string
		data  string
	}{
		{"single with words", single, "xx", "\x04A\x00\x04B\x00\x01\x01\x00x"},
		{"single without names", single, "", ""},
		{"sender without format", single, "", "A\x00\x04B\x00\x01\x01\x00x"},
		{"sender without end", single, "", "\x04A"},
		{"recipient without format", single, "", "\x04A\x00B\x00\x01\x01\x00x"},
		{"recipient without end", single, "", "\x04A\x00\x04B"},
		{"single without text", single, "", "\x04A\x00\x04B\x00"},
		{"text without format", single, "", "\x04A\x00\x04B\x00\x02\x01\x00x"},
		{"text without length", single, "", "\x04A\x00\x04B\x00\x01\x01"},
		{"text longer than its packet", single, "", "\x04A\x00\x04B\x00\x01\xf4\x01short"},
		{"text shorter than its packet", single, "", "\x04A\x00\x04B\x00\x01\x01\x00xy"},
		{"start with words", start, "xx", "\x04A\x00\x04B\x00"},
		{"start with text", start, "", "\x04A\x00\x04B\x00\x01\x01\x00x"},
		{"start with one name", start, "", "\x04A\x00"},
		{"text without group", text, "", "\x01\x01\x00x"},
		{"text with two words", text, "xxxx", "\x01\x01\x00x"},
		{"text with nothing", text, "xx", ""},
		{"text with a lying length", text, "xx", "\x01\xff\xffx"},
		{"end without group", end, "", ""},
		{"end with text", end, "xx", "\x01\x01\x00x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.parse(smb.Packet{Words: []byte(tt.words), Data: []byte(tt.data)}); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestMessagesThatCannotBe(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 65536)
	tests := []struct {
		name  string
		value appender
	}{
		{"zero byte in From", smb.Single{From: []byte("A\x00B")}},
		{"zero byte in To", smb.Start{To: []byte("A\x00B")}},
		{"long single", smb.Single{Text: long}},
		{"long name", smb.Start{From: long}},
		{"long text", smb.Text{Text: long[:65533]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if b, err := tt.value.Append([]byte("x"), smb.Header{}); err == nil || string(b) != "x" {
				t.Errorf("Append = %d bytes, %v, want an error and nothing appended", len(b), err)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	h := smb.Header{Command: smb.SendStart, ProcessID: 0x1544}
	const tail = "0000 0000 0000000000000000 0000 0000 4415 0000 0000"
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"success", h.AppendAnswer(nil, 0), "ff534d42 d5 00000000 80" + tail + "00 0000"},
		{"started", h.AppendStarted(nil, 0x0201), "ff534d42 d5 00000000 80" + tail + "01 0102 0000"},
		{"no room", h.AppendAnswer(nil, smb.NoRoom), "ff534d42 d5 02005300 80" + tail + "00 0000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if want := wiretest.Unhex(t, tt.want); !bytes.Equal(tt.got, want) {
				t.Errorf("answer %x, want %x", tt.got, want)
			}
		})
	}
	for group, b := range map[uint16][]byte{0x0201: h.AppendStarted(nil, 0x0201), 0: h.AppendAnswer(nil, 0)} {
		p, err := smb.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Group(); got != group {
			t.Errorf("Group = %#x, want %#x", got, group)
		}
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	b, err := smb.Text{Text: []byte(strings.Repeat("x", smb.MaxBlock))}.Append(nil, smb.Header{})
	if err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 0, 64)
	allocs := testing.AllocsPerRun(100, func() {
		p, err := smb.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Text(); err != nil {
			t.Fatal(err)
		}
		answer = p.Header.AppendAnswer(answer[:0], 0)
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
