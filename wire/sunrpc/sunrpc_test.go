package sunrpc_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/sunrpc"
	"messngr/wire/wiretest"
)

const head = "00000007 00000000 00000002 000186a8 00000001 00000002 "

func TestCalls(t *testing.T) {
	wall := sunrpc.Call{XID: 7, Program: sunrpc.WallProgram, Version: 1, Procedure: 2, Args: []byte{}}
	for _, tt := range []struct {
		name string
		hex  string
		want sunrpc.Call
	}{
		{"bare", head + "00000000 00000000 00000000 00000000", wall},
		{"credentials", head + "00000001 00000005 6162636465000000 00000006 00000001 78000000 01020304", sunrpc.Call{
			XID: 7, Program: sunrpc.WallProgram, Version: 1, Procedure: 2,
			Credential: sunrpc.Auth{Flavor: sunrpc.AuthSys, Body: []byte("abcde")},
			Verifier:   sunrpc.Auth{Flavor: 6, Body: []byte("x")},
			Args:       []byte{1, 2, 3, 4},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Unhex(t, tt.hex)
			got, err := sunrpc.ParseCall(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
			if again, err := got.Append(nil); err != nil || !bytes.Equal(again, b) {
				t.Errorf("written as %x, %v, want %x", again, err, b)
			}
		})
	}
}

func TestNoCalls(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":               "",
		"a reply":               "00000007 00000001 00000000 00000000 00000000 00000000",
		"no credential":         head,
		"credential too long":   head + "00000000 00000191" + strings.Repeat("00", 404) + "00000000 00000000",
		"credential without":    head + "00000000 00000190 00000000",
		"lying about 4 GB":      head + "00000000 ffffffff 00000000",
		"padding that is short": head + "00000000 00000000 00000000 00000001 61",
	} {
		if c, err := sunrpc.ParseCall(wiretest.Unhex(t, s)); err == nil {
			t.Errorf("%s: %+v, want an error", name, c)
		}
	}
	c, err := sunrpc.ParseCall(wiretest.Unhex(t, "00000007 00000000 00000003"))
	if !errors.Is(err, sunrpc.ErrVersion) || c.XID != 7 {
		t.Errorf("version 3: %+v, %v, want ErrVersion and the number of the call", c, err)
	}
	if b, err := (sunrpc.Call{Credential: sunrpc.Auth{Body: make([]byte, 401)}}).Append(nil); err == nil {
		t.Errorf("a credential of 401 bytes is written as %x", b)
	}
}

func TestReplies(t *testing.T) {
	for _, tt := range []struct {
		hex  string
		want sunrpc.Reply
	}{
		{"00000007 00000001 00000000 00000000 00000000 00000000 2a2b2c2d", sunrpc.Reply{XID: 7, Results: []byte("*+,-")}},
		{"00000007 00000001 00000000 00000000 00000000 00000001", sunrpc.Reply{XID: 7, Status: sunrpc.ProgramUnavailable}},
		{"00000007 00000001 00000000 00000000 00000000 00000002 00000002 00000004", sunrpc.Reply{
			XID: 7, Status: sunrpc.ProgramMismatch, Low: 2, High: 4}},
		{"00000007 00000001 00000000 00000000 00000000 00000003", sunrpc.Reply{XID: 7, Status: sunrpc.ProcedureUnavailable}},
		{"00000007 00000001 00000000 00000000 00000000 00000004", sunrpc.Reply{XID: 7, Status: sunrpc.GarbageArguments}},
		{"00000007 00000001 00000000 00000001 00000002 61620000 00000005", sunrpc.Reply{
			XID: 7, Status: sunrpc.SystemError, Verifier: sunrpc.Auth{Flavor: 1, Body: []byte("ab")}}},
		{"00000007 00000001 00000001 00000000 00000002 00000002", sunrpc.Reply{
			XID: 7, Status: sunrpc.RPCMismatch, Low: 2, High: 2}},
		{"00000007 00000001 00000001 00000001 00000005", sunrpc.Reply{XID: 7, Status: sunrpc.AuthError, Why: sunrpc.TooWeak}},
	} {
		t.Run(tt.want.Status.Error(), func(t *testing.T) {
			b := wiretest.Unhex(t, tt.hex)
			got, err := sunrpc.ParseReply(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
			if again, err := got.Append(nil); err != nil || !bytes.Equal(again, b) {
				t.Errorf("written as %x, %v, want %x", again, err, b)
			}
		})
	}
}

func TestNoReplies(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":             "",
		"a call":              head,
		"unknown kind":        "00000007 00000001 00000002 00000000 00000000 00000000",
		"unknown status":      "00000007 00000001 00000000 00000000 00000000 00000006",
		"unknown denial":      "00000007 00000001 00000001 00000002 00000000",
		"mismatch of what":    "00000007 00000001 00000001 00000000 00000002",
		"verifier cut short":  "00000007 00000001 00000000 00000000 00000100 00000000",
		"verifier of 4 GB":    "00000007 00000001 00000000 00000000 fffffffc 00000000",
		"denied for whatever": "00000007 00000001 00000001 00000001",
	} {
		if r, err := sunrpc.ParseReply(wiretest.Unhex(t, s)); err == nil {
			t.Errorf("%s: %+v, want an error", name, r)
		}
	}
}

func TestSys(t *testing.T) {
	b := wiretest.Unhex(t, "5f000001 00000005 616c706861000000 000003e8 00000064 00000002 00000064 0000001b")
	want := sunrpc.Sys{Stamp: 0x5f000001, Machine: "alpha", UID: 1000, GID: 100, Groups: []uint32{100, 27}}
	got, err := sunrpc.ParseSys(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("AUTH_SYS (-want +got):\n%s", diff)
	}
	if again, err := got.Append(nil); err != nil || !bytes.Equal(again, b) {
		t.Errorf("written as %x, %v, want %x", again, err, b)
	}
	for name, s := range map[string]string{
		"17 groups":         "00000000 00000000 00000000 00000000 00000011" + strings.Repeat("00", 4*17),
		"groups missing":    "00000000 00000000 00000000 00000000 00000002 00000000",
		"too long a name":   "00000000 00000100" + strings.Repeat("61", 256) + "00000000 00000000 00000000",
		"more than it says": "00000000 00000000 00000000 00000000 00000000 00000000",
		"nothing":           "",
	} {
		if s, err := sunrpc.ParseSys(wiretest.Unhex(t, s)); err == nil {
			t.Errorf("%s: %+v, want an error", name, s)
		}
	}
	for _, s := range []sunrpc.Sys{{Machine: strings.Repeat("a", 256)}, {Groups: make([]uint32, 17)}} {
		if b, err := s.Append(nil); err == nil {
			t.Errorf("written as %x, want an error", b)
		}
	}
}

// FuzzMessages: what can be read is written as it is read again.
func FuzzMessages(f *testing.F) {
	for _, file := range []string{"rwall.pcap", "rwall-2.pcap"} {
		for _, b := range recording(f, file) {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := sunrpc.ParseCall(b); err == nil {
			again, err := c.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sunrpc.ParseCall(again)
			if diff := cmp.Diff(c, got); err != nil || diff != "" {
				t.Errorf("%v, call (-want +got):\n%s", err, diff)
			}
			if s, err := sunrpc.ParseSys(c.Credential.Body); err == nil {
				if _, err := s.Append(nil); err != nil {
					t.Error(err)
				}
			}
			fuzzArgs(t, c.Args)
		}
		if r, err := sunrpc.ParseReply(b); err == nil {
			again, err := r.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sunrpc.ParseReply(again)
			if diff := cmp.Diff(r, got); err != nil || diff != "" {
				t.Errorf("%v, reply (-want +got):\n%s", err, diff)
			}
			fuzzArgs(t, r.Results)
		}
	})
}

func fuzzArgs(t *testing.T, b []byte) {
	if v, err := sunrpc.ParseBinding(b); err == nil {
		got, err := sunrpc.ParseBinding(v.Append(nil))
		if err != nil || got != v {
			t.Errorf("binding %+v, %v, want %+v", got, err, v)
		}
	}
	if m, err := sunrpc.ParseMapping(b); err == nil {
		if got := m.Append(nil); !bytes.Equal(got, b[:len(got)]) {
			t.Errorf("mapping is written as %x, want %x", got, b)
		}
	}
	if s, err := sunrpc.ParseString(b, 1000); err == nil {
		if at, err := sunrpc.ParseAddress(string(s)); err == nil {
			if again, err := sunrpc.ParseAddress(sunrpc.FormatAddress(at)); err != nil || again != at {
				t.Errorf("address %v, %v, want %v", again, err, at)
			}
		}
	}
}
