package smb_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/smb"
	"messngr/wire/wiretest"
)

func TestNegotiate(t *testing.T) {
	const (
		core = "PC NETWORK PROGRAM 1.0"
		lan  = "LANMAN1.0"
		nt   = "NT LM 0.12"
	)
	tests := []struct {
		name     string
		dialects []string
		answer   string
	}{
		{"the oldest wins", []string{nt, lan, core}, "01 0200 0000"},
		{"LAN Manager", []string{"other", lan}, "0d 0100 0000 0411 0100 0100 0000 00000000 0000 0000 0000 0000 0000 0000"},
		{"what DOS calls it", []string{"DOS LM1.2X002"}, "0d 0000 0000 0411 0100 0100 0000 00000000 0000 0000 0000 0000 0000 0000"},
		{"NT", []string{nt}, "11 0000 00 0100 0100 04110000 00000000 00000000 00000000 0000000000000000 0000 00 0200 0000"},
		{"none", []string{"SMB 2.002"}, "01 ffff 0000"},
		{"nothing offered", nil, "01 ffff 0000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := []byte{}
			for _, d := range tt.dialects {
				data = append(data, "\x02"+d+"\x00"...)
			}
			request := smb.Packet{Header: smb.Header{Command: smb.Negotiate, MultiplexID: 1}, Data: data}
			got, err := request.Dialects()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.dialects, got); diff != "" {
				t.Errorf("dialects (-want +got):\n%s", diff)
			}
			answer := request.Header.AppendNegotiated(nil, got)
			want := wiretest.Unhex(t, "ff534d42 72 00000000 80"+strings.Repeat("00", 20)+"0100"+tt.answer)
			if !bytes.Equal(answer, want) {
				t.Errorf("answer\n%x, want\n%x", answer, want)
			}
			if _, err := smb.Parse(answer); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNegotiateRefuses(t *testing.T) {
	tests := []struct{ name, words, data string }{
		{"words", "xx", "\x02A\x00"},
		{"other format", "", "\x04A\x00"},
		{"no end", "", "\x02A"},
		{"too many", "", strings.Repeat("\x02A\x00", 65)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := smb.Packet{Words: []byte(tt.words), Data: []byte(tt.data)}
			if got, err := p.Dialects(); err == nil {
				t.Errorf("Dialects = %q, want an error", got)
			}
		})
	}
}
