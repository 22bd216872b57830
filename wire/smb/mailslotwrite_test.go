package smb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/smb"
	"messngr/wire/wiretest"
)

const messngr = `\MAILSLOT\MESSNGR`

func TestMailslotWrite(t *testing.T) {
	tests := []struct {
		name    string
		value   smb.MailslotWrite
		encoded string
	}{
		{"padded to four", smb.MailslotWrite{Name: messngr, Priority: 1, Data: []byte("A\x00B\x00hi\x00")},
			"11 0000 0700 0000 0000 00 00 0200 00000000 0000 0000 0000 0700 5800 03 00 0100 0100 0200" +
				"1a00 5c4d41494c534c4f545c4d4553534e475200 00 41004200686900"},
		{"no padding needed", smb.MailslotWrite{Name: `\MAILSLOT\MESSNG`, Priority: 9, Data: []byte("x")},
			"11 0000 0100 0000 0000 00 00 0200 00000000 0000 0000 0000 0100 5800 03 00 0100 0900 0200" +
				"1400 5c4d41494c534c4f545c4d4553534e4700 0000 78"},
		{"no data", smb.MailslotWrite{Name: "abc"},
			"11 0000 0000 0000 0000 00 00 0200 00000000 0000 0000 0000 0000 4c00 03 00 0100 0000 0200" +
				"0700 61626300 000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := wiretest.Unhex(t, "ff534d42 25"+zeros+tt.encoded)
			b, err := tt.value.Append([]byte("before"))
			if err != nil || !bytes.Equal(b, append([]byte("before"), want...)) {
				t.Errorf("Append = %x, %v, want %x", b, err, want)
			}
			got, err := smb.ParseMailslotWrite(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("parsed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRecordedMailslotWrites(t *testing.T) {
	generated := recording(t, "mailslot.pcap")[0]
	got, err := smb.ParseMailslotWrite(generated)
	if err != nil {
		t.Fatal(err)
	}
	want := smb.MailslotWrite{Name: messngr, Priority: 1, Data: []byte("ALICE\x00TESTGRP\x00Hello world\x00")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("generated (-want +got):\n%s", diff)
	}
	// nmbd neither pads its data nor asks for no answer, so its bytes are its own.
	real := recording(t, "nmbd.pcap")[0]
	got, err = smb.ParseMailslotWrite(real)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != `\MAILSLOT\BROWSE` || len(got.Data) != 19 || got.Data[0] != 8 {
		t.Errorf("nmbd wrote %q to %q, want an election request of 19 bytes", got.Data, got.Name)
	}
}

// mailslotWrite returns a good write of "data", changed at one place.
func mailslotWrite(t testing.TB, at int, change ...byte) []byte {
	t.Helper()
	b, err := smb.MailslotWrite{Name: messngr, Data: []byte("data")}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[at:], change)
	return b
}

func TestMailslotWriteIsLax(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
	}{
		{"wrong number of bytes", mailslotWrite(t, 67, 0xff, 0xff)},
		{"class 1", mailslotWrite(t, 65, 1)},
		{"padding that is not zero, by Windows 98", mailslotWrite(t, 87, 'B')},
		{"data in all not counted", mailslotWrite(t, 35, 0, 0)},
		{"bytes behind the data", append(mailslotWrite(t, 0), "more"...)},
		{"flags of Windows", mailslotWrite(t, 9, 0x18, 4, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := smb.ParseMailslotWrite(tt.b)
			if err != nil || string(w.Data) != "data" {
				t.Errorf("ParseMailslotWrite = %+v, %v, want data", w, err)
			}
		})
	}
}

func TestMailslotWriteWithMoreWords(t *testing.T) {
	b := mailslotWrite(t, 32, 18)
	b = append(b[:67], append([]byte{0, 0}, b[67:]...)...)
	binary.LittleEndian.PutUint16(b[57:], 90)
	if w, err := smb.ParseMailslotWrite(b); err != nil || w.Name != messngr || string(w.Data) != "data" {
		t.Errorf("ParseMailslotWrite = %+v, %v, want data", w, err)
	}
}

func TestMailslotWriteRefuses(t *testing.T) {
	good := mailslotWrite(t, 0)
	tests := []struct {
		name string
		b    []byte
	}{
		{"cut in the words", good[:60]},
		{"cut behind the words", good[:68]},
		{"cut in the name", good[:80]},
		{"cut in the data", good[:len(good)-1]},
		{"other command", mailslotWrite(t, 4, 0xd0)},
		{"16 words", mailslotWrite(t, 32, 16)},
		{"255 words", mailslotWrite(t, 32, 255)},
		{"2 words of set-up", mailslotWrite(t, 59, 2)},
		{"other operation", mailslotWrite(t, 61, 2)},
		{"data inside of the header", mailslotWrite(t, 57, 4, 0)},
		{"data inside of the name", mailslotWrite(t, 57, 86, 0)},
		{"data behind the end", mailslotWrite(t, 57, 89, 0)},
		{"offset far away", mailslotWrite(t, 57, 0xff, 0xff)},
		{"more data than bytes", mailslotWrite(t, 55, 0xff, 0xff)},
		{"not all of the data", mailslotWrite(t, 35, 5, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if w, err := smb.ParseMailslotWrite(tt.b); err == nil {
				t.Errorf("ParseMailslotWrite = %+v, want an error", w)
			}
		})
	}
	if _, err := smb.ParseMailslotWrite([]byte("no")); !errors.Is(err, smb.ErrNotSMB) {
		t.Errorf("error %v, want ErrNotSMB", err)
	}
	for _, w := range []smb.MailslotWrite{
		{Name: strings.Repeat("x", 129)},
		{Name: "a\x00b"},
		{Name: messngr, Data: make([]byte, 65535-87)},
	} {
		if b, err := w.Append([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("Append to %.20q = %d bytes, %v, want an error", w.Name, len(b), err)
		}
	}
}

func FuzzMailslotWrite(f *testing.F) {
	f.Add(recording(f, "mailslot.pcap")[0])
	f.Add(recording(f, "nmbd.pcap")[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := smb.ParseMailslotWrite(b)
		if err != nil {
			return
		}
		again, err := w.Append(nil)
		if err != nil {
			if len(w.Data) > 65535-256 {
				return // its gap was smaller than ours
			}
			t.Fatal(err)
		}
		got, err := smb.ParseMailslotWrite(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("written and read again (-want +got):\n%s", diff)
		}
	})
}
