package msgnames_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/msgnames"
	"messngr/wire/wiretest"
)

// The stubs of the tests are made by hand from the IDL (MS-MSRP 6).
const (
	server = "00000200 05000000 00000000 05000000 4200450054004100 0000 0000"
	alice  = "06000000 00000000 06000000 41004c00490043004500 0000"
)

func requests() []struct {
	name string
	op   uint16
	hex  string
	want msgnames.Request
} {
	return []struct {
		name string
		op   uint16
		hex  string
		want msgnames.Request
	}{
		{"add", msgnames.Add, server + alice, msgnames.Request{Server: "BETA", Name: "ALICE"}},
		{"delete, no server", msgnames.Del, "00000000" + alice, msgnames.Request{Name: "ALICE"}},
		{"info", msgnames.GetInfo, "00000000" + alice + "01000000", msgnames.Request{Name: "ALICE", Level: 1}},
		{"list", msgnames.Enum, "00000000 00000000 00000000 0c000200 00000000 00000000 ffffffff 1c000200 00000000",
			msgnames.Request{PrefMaxLen: msgnames.AllBytes, HasResume: true}},
		{"go on with the list", msgnames.Enum, server + "01000000 01000000 2c000200 00000000 00000000 00010000 3c000200 07000000",
			msgnames.Request{Server: "BETA", Level: 1, PrefMaxLen: 256, HasResume: true, Resume: 7}},
		{"list, no container", msgnames.Enum, "00000000 00000000 00000000 00000000 00100000 00000000",
			msgnames.Request{PrefMaxLen: 4096}},
		{"unknown level", msgnames.Enum, "00000000 02000000 02000000", msgnames.Request{Level: 2}},
	}
}

func TestRequests(t *testing.T) {
	for _, tt := range requests() {
		t.Run(tt.name, func(t *testing.T) {
			got, err := msgnames.ParseRequest(tt.op, wiretest.Unhex(t, tt.hex), false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			for _, big := range []bool{false, true} {
				again, err := msgnames.ParseRequest(tt.op, got.Append(nil, tt.op, big), big)
				if tt.want.Level > 1 {
					again.PrefMaxLen = 0
				}
				if diff := cmp.Diff(got, again); err != nil || diff != "" {
					t.Errorf("written and read (big-endian %v): %v (-want +got):\n%s", big, err, diff)
				}
			}
		})
	}
}

func answers() []struct {
	name string
	op   uint16
	hex  string
	want msgnames.Answer
} {
	return []struct {
		name string
		op   uint16
		hex  string
		want msgnames.Answer
	}{
		{"added", msgnames.Add, "00000000", msgnames.Answer{}},
		{"not removed", msgnames.Del, "e6080000", msgnames.Answer{Status: msgnames.DelComputerName}},
		{"info", msgnames.GetInfo, "00000000 04000200 08000200" + alice + "00000000", msgnames.Answer{Names: []string{"ALICE"}}},
		{"info of level 1", msgnames.GetInfo, "01000000 04000200 08000200 00000000 00000000" + alice + "00000000",
			msgnames.Answer{Level: 1, Names: []string{"ALICE"}}},
		{"no such name", msgnames.GetInfo, "00000000 00000000 ed080000", msgnames.Answer{Status: msgnames.NotLocalName}},
		{"info of another level", msgnames.GetInfo, "05000000 7c000000", msgnames.Answer{Level: 5, Status: msgnames.InvalidLevel}},
		{"list", msgnames.Enum, "00000000 00000000 08000200 02000000 10000200 02000000 18000200 1c000200" +
			"05000000 00000000 05000000 4200450054004100 0000 0000" + alice +
			"02000000 00000000 00000000", msgnames.Answer{Names: []string{"BETA", "ALICE"}, Total: 2}},
		{"list of level 1, with more to come", msgnames.Enum, "01000000 01000000 08000200 01000000 10000200 01000000" +
			"18000200 00000000 00000000" + alice + "01000000 40000200 01000000 4b080000",
			msgnames.Answer{Level: 1, Names: []string{"ALICE"}, Total: 1, HasResume: true, Resume: 1, Status: msgnames.BufTooSmall}},
		{"nobody", msgnames.Enum, "00000000 00000000 08000200 00000000 00000000 00000000 00000000 05000000",
			msgnames.Answer{Status: msgnames.AccessDenied}},
		{"list of another level", msgnames.Enum, "02000000 02000000 00000000 00000000 7c000000",
			msgnames.Answer{Level: 2, Status: msgnames.InvalidLevel}},
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range answers() {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Unhex(t, tt.hex)
			got, err := msgnames.ParseAnswer(tt.op, b, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			// The ids of pointers are ours to choose, and chosen as above.
			if again := got.Append(nil, tt.op, false); hex.EncodeToString(again) != hex.EncodeToString(b) {
				t.Errorf("written as\n%x, want\n%x", again, b)
			}
			again, err := msgnames.ParseAnswer(tt.op, got.Append(nil, tt.op, true), true)
			if diff := cmp.Diff(got, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("big-endian: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestNonsense(t *testing.T) {
	for name, tt := range map[string]struct {
		op  uint16
		hex string
	}{
		"nothing":             {msgnames.Add, ""},
		"no name":             {msgnames.Del, "00000000"},
		"too long a name":     {msgnames.Add, "00000000 01010000 00000000 01010000" + strings.Repeat("4100", 257)},
		"no level":            {msgnames.GetInfo, "00000000" + alice},
		"two levels":          {msgnames.Enum, "00000000 00000000 01000000 00000000 00000000 00000000"},
		"two counts":          {msgnames.Enum, "00000000 00000000 00000000 0c000200 01000000 10000200 02000000"},
		"entries of 4 GB":     {msgnames.Enum, "00000000 00000000 00000000 0c000200 ffffffff 10000200 ffffffff"},
		"entries that lack":   {msgnames.Enum, "00000000 00000000 00000000 0c000200 00040000 10000200 00040000 00000000"},
		"another procedure":   {4, "00000000" + alice},
		"no preferred length": {msgnames.Enum, "00000000 00000000 00000000 00000000"},
	} {
		if q, err := msgnames.ParseRequest(tt.op, wiretest.Unhex(t, tt.hex), false); err == nil {
			t.Errorf("%s: %+v, want an error", name, q)
		}
	}
	for op, s := range map[uint16]string{msgnames.Add: "0000", msgnames.Enum: "00000000 01000000", msgnames.GetInfo: "00000000 04000200 08000200"} {
		if a, err := msgnames.ParseAnswer(op, wiretest.Unhex(t, s), false); err == nil {
			t.Errorf("answer of %d: %+v, want an error", op, a)
		}
	}
	for s := range msgnames.Status(3000) {
		if s != msgnames.Success && s.Error() == "" {
			t.Errorf("no words for %d", s)
		}
	}
}

func FuzzMsgnames(f *testing.F) {
	for _, tt := range requests() {
		f.Add(tt.op, wiretest.Unhex(f, tt.hex), false)
	}
	for _, tt := range answers() {
		f.Add(tt.op, wiretest.Unhex(f, tt.hex), false)
	}
	f.Fuzz(func(t *testing.T, op uint16, b []byte, big bool) {
		if q, err := msgnames.ParseRequest(op, b, big); err == nil && len(q.Name) < 250 && q.Level < 2 && len(q.Server) < 1000 {
			got, err := msgnames.ParseRequest(op, q.Append(nil, op, big), big)
			if diff := cmp.Diff(q, got); err != nil || diff != "" {
				t.Errorf("%v, request (-want +got):\n%s", err, diff)
			}
		}
		if a, err := msgnames.ParseAnswer(op, b, big); err == nil && !strings.Contains(fmt.Sprint(a.Names), "\ufffd") {
			got, err := msgnames.ParseAnswer(op, a.Append(nil, op, big), big)
			for _, name := range a.Names {
				if len(name) >= 250 {
					return
				}
			}
			if diff := cmp.Diff(a, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%v, answer (-want +got):\n%s", err, diff)
			}
		}
	})
}
