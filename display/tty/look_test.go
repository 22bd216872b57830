package tty_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/display/tty"
)

func message() *messngr.Message {
	y, m, d := time.Now().Date()
	return &messngr.Message{
		ID: messngr.ID{1}, Time: time.Date(y, m, d, 14, 2, 0, 0, time.Local), Via: "smb", To: "PC17",
		From: messngr.From{Claimed: "ALICE", Address: netip.MustParseAddr("10.0.0.7")},
		Text: "Größe\n日本\t|\n\nend " + strings.Repeat("0123456789 ", 9),
	}
}

const long = "end 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"

func TestWall(t *testing.T) {
	fill := func(s string, columns int) string { return s + strings.Repeat(" ", 79-columns) }
	headline := "Message from ALICE (unverified, SMB from 10.0.0.7) to PC17 at 14:02:"
	want := "\r" + fill("", 0) + "\r\n" +
		fill(headline, len(headline)) + "\a\a\r\n" +
		fill("", 0) + "\r\n" +
		fill("  Größe", 7) + "\r\n" +
		fill("  日本    |", 11) + "\r\n" +
		fill("", 0) + "\r\n" +
		fill("  "+long, 2+len(long)) + "\r\n" +
		fill("  0123456789 0123456789 0123456789", 34) + "\r\n" +
		fill("", 0) + "\r\n"
	if got := tty.Wall(message(), tty.Columns, 0); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestWrite(t *testing.T) {
	want := "\r\n\a\a\aMessage from ALICE (unverified, SMB from 10.0.0.7) to PC17 at 14:02:\r\n" +
		"  Größe\r\n  日本    |\r\n\r\n  " + long + "\r\n  0123456789 0123456789 0123456789\r\nEOF\r\n"
	if got := tty.Write(message(), tty.Columns, 0); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	want = "\r\n\a\a\aMessage from ALICE (unverified, SMB from 10.0.0.7) to PC17 at 14:02:\r\n" +
		"  Größe\r\n  [4 more lines: messngr inbox show 01000000-0000-0000-0000-000000000000]\r\nEOF\r\n"
	if got := tty.Write(message(), tty.Columns, 2); got != want {
		t.Errorf("two lines:\n got %q\nwant %q", got, want)
	}
}
