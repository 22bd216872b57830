package browse_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/browse"
	"messngr/wire/smb"
	"messngr/wire/wiretest"
)

// dialogue returns what smbclient and smbd said, in SMB packets, until the list of
// machines and the list of workgroups were read.
func dialogue(t testing.TB) []smb.Packet {
	t.Helper()
	var said []smb.Packet
	for _, p := range wiretest.Packets(t, "browse.pcap") {
		if p.Protocol != 6 || len(p.Payload) < 4 {
			continue
		}
		m, err := smb.Parse(p.Payload[4:])
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, m)
	}
	if len(said) != 28 {
		t.Fatalf("testdata/browse.pcap has %d SMB packets, want 28", len(said))
	}
	return said
}

// answers returns the recorded answers to calls of the pipe.
func answers(t testing.TB) []browse.Answer {
	t.Helper()
	var all []browse.Answer
	for _, p := range dialogue(t) {
		if p.Header.Command != smb.Transaction || p.Header.Flags&smb.Reply == 0 || len(p.Data) > 0x100 {
			continue
		}
		var a browse.Answer
		if whole, err := a.Add(p); err == nil && whole && len(a.Parameters) == 8 {
			all = append(all, a)
		}
	}
	if len(all) != 2 {
		t.Fatalf("testdata/browse.pcap has %d answers with a list, want 2", len(all))
	}
	return all
}

func TestRecordedLists(t *testing.T) {
	var got []browse.List
	for _, a := range answers(t) {
		l, err := browse.ParseList(a.Parameters, a.Data)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	want := []browse.List{
		{Entries: []browse.Entry{{Name: "ALPHA", Type: 0x819a03, Comment: "The master"}}, Available: 1},
		{Entries: []browse.Entry{{Name: "TESTGRP", Type: 0x80001000}}, Available: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}

func TestRecordedCalls(t *testing.T) {
	var got []browse.ListRequest
	for _, p := range dialogue(t) {
		params, err := browse.ParseCall(p)
		if err != nil {
			continue
		}
		r, err := browse.ParseListRequest(params)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	want := []browse.ListRequest{{Types: browse.All, Workgroup: "TESTGRP"}, {Types: browse.Workgroups, Workgroup: "TESTGRP"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// What opens the session is held against what smbclient says in the same place.
func TestOpening(t *testing.T) {
	said := dialogue(t)
	at := func(c smb.Command, reply bool) smb.Packet {
		i := slices.IndexFunc(said, func(p smb.Packet) bool {
			return p.Header.Command == c && (p.Header.Flags&smb.Reply != 0) == reply
		})
		return said[i]
	}
	parse := func(b []byte, err error) smb.Packet {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		p, err := smb.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	offered, err := parse(browse.AppendNegotiate(nil)).Dialects()
	if err != nil || !slices.Equal(offered, []string{"NT LM 0.12"}) {
		t.Errorf("dialects offered: %q, %v", offered, err)
	}
	setup, theirs := parse(browse.AppendSessionSetup(nil)), at(0x73, false)
	if setup.Header.Command != 0x73 || len(setup.Words) != len(theirs.Words) || setup.Words[0] != theirs.Words[0] {
		t.Errorf("session set-up %x, smbclient says %x", setup.Words, theirs.Words)
	}
	tree, theirs := parse(browse.AppendTreeConnect(nil, smb.Header{UserID: 7}, "ALPHA")), at(0x75, false)
	if tree.Header.Command != 0x75 || tree.Header.UserID != 7 || len(tree.Words) != len(theirs.Words) ||
		string(tree.Data) != "\x00\\\\ALPHA\\IPC$\x00IPC\x00" {
		t.Errorf("tree connect %x %q, smbclient says %x %q", tree.Words, tree.Data, theirs.Words, theirs.Data)
	}
	if b, err := browse.AppendTreeConnect(nil, smb.Header{}, "A\x00B"); err == nil {
		t.Errorf("a server with a zero in its name was written as %q", b)
	}
	if err := browse.CheckNegotiated(at(smb.Negotiate, true)); err != nil {
		t.Errorf("smbd's answer: %v", err)
	}
	refusal := smb.Packet{Header: smb.Header{Command: smb.Negotiate}, Words: []byte{0xFF, 0xFF}}
	if err := browse.CheckNegotiated(refusal); err == nil {
		t.Error("a refused dialect counts as agreed")
	}
}

func TestCall(t *testing.T) {
	params := []byte("some parameters")
	b, err := browse.AppendCall(nil, smb.Header{UserID: 1, TreeID: 2}, params)
	if err != nil {
		t.Fatal(err)
	}
	p, err := smb.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := browse.ParseCall(p); err != nil || !bytes.Equal(got, params) {
		t.Errorf("ParseCall = %q, %v, want %q", got, err, params)
	}
	if b, err := browse.AppendCall(nil, smb.Header{}, make([]byte, 2000)); err == nil {
		t.Errorf("a call of %d bytes was written", len(b))
	}
	for _, change := range []func(*smb.Packet){
		func(p *smb.Packet) { p.Header.Command = smb.Negotiate },
		func(p *smb.Packet) { p.Words = p.Words[:26] },
		func(p *smb.Packet) { p.Header.Flags = smb.Reply },
		func(p *smb.Packet) { p.Words[20] = 0xFF },
		func(p *smb.Packet) { p.Words[18] = 0xFF },
	} {
		bad, _ := smb.Parse(bytes.Clone(b))
		change(&bad)
		if got, err := browse.ParseCall(bad); err == nil {
			t.Errorf("ParseCall = %q, want an error", got)
		}
	}
}

// piece is one packet of an answer of 8 and 20 bytes in all.
func piece(params string, paramsFrom byte, data string, dataFrom byte) smb.Packet {
	const at = 32 + 1 + 20 + 2
	return smb.Packet{
		Header: smb.Header{Command: smb.Transaction, Flags: smb.Reply},
		Words: []byte{
			8, 0, 20, 0, 0, 0, byte(len(params)), 0, at, 0, paramsFrom, 0,
			byte(len(data)), 0, at + byte(len(params)), 0, dataFrom, 0, 0, 0,
		},
		Data: []byte(params + data),
	}
}

func TestAnswerInPieces(t *testing.T) {
	var a browse.Answer
	for i, p := range []smb.Packet{piece("12345678", 0, "abcdefghij", 0), piece("", 0, "klmno", 10), piece("", 0, "pqrst", 15)} {
		whole, err := a.Add(p)
		if err != nil || whole != (i == 2) {
			t.Fatalf("piece %d: whole is %v, %v", i+1, whole, err)
		}
	}
	if string(a.Parameters) != "12345678" || string(a.Data) != "abcdefghijklmnopqrst" {
		t.Errorf("got %q and %q", a.Parameters, a.Data)
	}
	for name, p := range map[string]smb.Packet{
		"nothing":        piece("", 0, "", 0),
		"a hole":         piece("12345678", 0, "abc", 5),
		"twice the same": piece("12345678", 8, "", 0),
		"not an answer":  {Header: smb.Header{Command: smb.Negotiate}},
		"too few words":  {Header: smb.Header{Command: smb.Transaction}, Words: make([]byte, 18)},
	} {
		var a browse.Answer
		if whole, err := a.Add(p); err == nil {
			t.Errorf("%s: whole is %v, want an error", name, whole)
		}
	}
}

// A server that never ends is not listened to for ever.
func TestAnswerIsBounded(t *testing.T) {
	var a browse.Answer
	p := smb.Packet{Header: smb.Header{Command: smb.Transaction}, Data: make([]byte, 60000)}
	p.Words = []byte{0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 0xEA, 55, 0, 0, 0, 0, 0}
	if _, err := a.Add(p); err != nil {
		t.Fatal(err)
	}
	p.Words[16], p.Words[17] = 0x60, 0xEA
	if _, err := a.Add(p); err == nil {
		t.Errorf("%d bytes were taken", len(a.Data))
	}
}

func FuzzAnswer(f *testing.F) {
	for _, p := range dialogue(f) {
		b, err := p.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := smb.Parse(b)
		if err != nil {
			return
		}
		var a browse.Answer
		whole, err := a.Add(p)
		if err != nil || !whole || len(a.Parameters) > 64 || len(a.Data) > 0xFFE0 {
			return
		}
		again, err := browse.AppendAnswer(nil, p.Header, a.Parameters, a.Data)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = smb.Parse(again); err != nil {
			t.Fatal(err)
		}
		var got browse.Answer
		if whole, err := got.Add(p); err != nil || !whole || !bytes.Equal(got.Parameters, a.Parameters) || !bytes.Equal(got.Data, a.Data) {
			t.Errorf("read again: %v, %v: %x, %x, want %x, %x", whole, err, got.Parameters, got.Data, a.Parameters, a.Data)
		}
	})
}
