package epm_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/dcerpc/epm"
	"messngr/wire/wiretest"
)

var compareAddr = cmpopts.EquateComparable(netip.Addr{})

var (
	messenger = dcerpc.Syntax{ID: uuid.MustParse("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc"), Major: 1}
	endpoint  = epm.Endpoint(messenger, netip.MustParseAddrPort("10.77.0.2:135"))
)

const (
	handleHex = "00000000 00000000000000000000000000000000"
	floorsHex = "0500 1300 0d f8917b5a00ffd011a9b200c04fb6e6fc 0100 0200 0000" +
		"1300 0d 045d888aeb1cc9119fe808002b104860 0200 0200 0000" + "0100 0a 0200 0000"
	towerHex = "4b000000 4b000000" + floorsHex + "0100 08 0200 0087" + "0100 09 0400 0a4d0002"
	askHex   = "4b000000 4b000000" + floorsHex + "0100 08 0200 0000" + "0100 09 0400 00000000"
)

func TestMap(t *testing.T) {
	question := epm.MapQuestion{Max: 4, Tower: epm.Tower{
		Interface: messenger, Transfer: dcerpc.NDR(), Protocol: epm.Datagrams, Transport: epm.UDP,
	}}
	wire := wiretest.Unhex(t, "01000000 00000000000000000000000000000000 02000000"+askHex+"00"+handleHex+"04000000")
	if got := question.Append(nil, false); !bytes.Equal(got, wire) {
		t.Errorf("question\n got %x\nwant %x", got, wire)
	}
	got, err := epm.ParseMapQuestion(wire, false)
	if diff := cmp.Diff(question, got, compareAddr); diff != "" || err != nil {
		t.Errorf("question: %v (-want +got):\n%s", err, diff)
	}
	if !got.Tower.Wants(messenger) {
		t.Error("the question does not want what it asks for")
	}
	answer := epm.MapAnswer{Towers: []epm.Tower{endpoint}}
	wire = wiretest.Unhex(t, handleHex+"01000000 04000000 00000000 01000000 03000000"+towerHex+"00"+"00000000")
	if got := answer.Append(nil, 4, false); !bytes.Equal(got, wire) {
		t.Errorf("answer\n got %x\nwant %x", got, wire)
	}
	gotAnswer, err := epm.ParseMapAnswer(wire, false)
	if diff := cmp.Diff(answer, gotAnswer, compareAddr); diff != "" || err != nil {
		t.Errorf("answer: %v (-want +got):\n%s", err, diff)
	}
}

func TestMapWithoutPointers(t *testing.T) {
	want := epm.MapQuestion{Max: 1, Handle: epm.Handle{19: 7}}
	got, err := epm.ParseMapQuestion(wiretest.Unhex(t, "00000000 00000000 00000000 00000000000000000000000000000007 00000001"), true)
	if diff := cmp.Diff(want, got, compareAddr); diff != "" || err != nil {
		t.Errorf("question: %v (-want +got):\n%s", err, diff)
	}
	answer, err := epm.ParseMapAnswer(wiretest.Unhex(t, handleHex+"00000000 00000001 00000000 00000001 00000000 16c9a0d6"), true)
	wantAnswer := epm.MapAnswer{Towers: make([]epm.Tower, 1), Status: epm.NotRegistered}
	if diff := cmp.Diff(wantAnswer, answer, compareAddr); diff != "" || err != nil {
		t.Errorf("answer: %v (-want +got):\n%s", err, diff)
	}
}

func TestLookup(t *testing.T) {
	question := epm.LookupQuestion{Inquiry: epm.ByInterface, Interface: messenger, Versions: epm.AllVersions, Max: 500}
	wire := wiretest.Unhex(t, "01000000 01000000 00000000000000000000000000000000 02000000 f8917b5a00ffd011a9b200c04fb6e6fc 0100 0000"+
		"01000000"+handleHex+"f4010000")
	if got := question.Append(nil, false); !bytes.Equal(got, wire) {
		t.Errorf("question\n got %x\nwant %x", got, wire)
	}
	got, err := epm.ParseLookupQuestion(wire, false)
	if diff := cmp.Diff(question, got); diff != "" || err != nil {
		t.Errorf("question: %v (-want +got):\n%s", err, diff)
	}
	answer := epm.LookupAnswer{Entries: []epm.Entry{
		{Tower: endpoint, Annotation: "Messenger"}, {Tower: endpoint, Annotation: "x"},
	}}
	wire = wiretest.Unhex(t, handleHex+"02000000 f4010000 00000000 02000000"+
		"00000000000000000000000000000000 03000000 00000000 0a000000 4d657373656e67657200 0000"+
		"00000000000000000000000000000000 04000000 00000000 02000000 7800 0000"+
		towerHex+"00"+towerHex+"00"+"00000000")
	if got := answer.Append(nil, 500, false); !bytes.Equal(got, wire) {
		t.Errorf("answer\n got %x\nwant %x", got, wire)
	}
	gotAnswer, err := epm.ParseLookupAnswer(wire, false)
	if diff := cmp.Diff(answer, gotAnswer, compareAddr); diff != "" || err != nil {
		t.Errorf("answer: %v (-want +got):\n%s", err, diff)
	}
	long := epm.LookupAnswer{Entries: []epm.Entry{{Annotation: strings.Repeat("a", 100)}}}
	cut, err := epm.ParseLookupAnswer(long.Append(nil, 1, true), true)
	if err != nil || cut.Entries[0].Annotation != strings.Repeat("a", 63) {
		t.Errorf("a long annotation: %+v, %v, want 63 bytes of it", cut, err)
	}
}

func TestLookupWants(t *testing.T) {
	served := dcerpc.Syntax{ID: messenger.ID, Major: 2, Minor: 3}
	version := func(major, minor uint16) dcerpc.Syntax {
		return dcerpc.Syntax{ID: messenger.ID, Major: major, Minor: minor}
	}
	for _, tt := range []struct {
		inquiry, versions uint32
		asked             dcerpc.Syntax
		want              bool
	}{
		{epm.AllElements, 0, dcerpc.Syntax{}, true},
		{epm.ByObject, epm.AllVersions, version(2, 3), false},
		{epm.ByBoth, epm.AllVersions, version(2, 3), false},
		{epm.ByInterface, epm.AllVersions, version(9, 9), true},
		{epm.ByInterface, epm.AllVersions, dcerpc.Syntax{Major: 2, Minor: 3}, false},
		{epm.ByInterface, epm.CompatibleVer, version(2, 3), true},
		{epm.ByInterface, epm.CompatibleVer, version(2, 4), false},
		{epm.ByInterface, epm.CompatibleVer, version(1, 0), false},
		{epm.ByInterface, epm.ExactVersion, version(2, 3), true},
		{epm.ByInterface, epm.ExactVersion, version(2, 2), false},
		{epm.ByInterface, epm.MajorVersion, version(2, 9), true},
		{epm.ByInterface, epm.MajorVersion, version(3, 3), false},
		{epm.ByInterface, epm.UpToVersion, version(3, 0), true},
		{epm.ByInterface, epm.UpToVersion, version(2, 2), false},
		{epm.ByInterface, 6, version(2, 3), false},
	} {
		q := epm.LookupQuestion{Inquiry: tt.inquiry, Versions: tt.versions, Interface: tt.asked}
		if got := q.Wants(served); got != tt.want {
			t.Errorf("inquiry %d, option %d for %v: %v, want %v", tt.inquiry, tt.versions, tt.asked, got, tt.want)
		}
	}
}

func TestTowerWants(t *testing.T) {
	for _, change := range []func(*epm.Tower){
		func(w *epm.Tower) { w.Interface.Major = 2 },
		func(w *epm.Tower) { w.Transfer.Major = 1 },
		func(w *epm.Tower) { w.Protocol = epm.Connections },
		func(w *epm.Tower) { w.Transport = epm.TCP },
	} {
		other := endpoint
		change(&other)
		if other.Wants(messenger) {
			t.Errorf("%+v wants the Messenger's interface in datagrams", other)
		}
	}
}

func TestRefuses(t *testing.T) {
	question := func(tower string) string {
		return "00000000 02000000" + tower + handleHex + "04000000"
	}
	for name, stub := range map[string]string{
		"nothing":                     "",
		"a tower that is too long":    question("01020000 01020000" + strings.Repeat("00", 513)),
		"two lengths":                 question("04000000 02000000 0000"),
		"an empty tower":              question("00000000 00000000"),
		"a floor without a side":      question("02000000 02000000 0100"),
		"a floor with half a side":    question("05000000 05000000 0100 0500 0d"),
		"a floor with an empty side":  question("06000000 06000000 0100 0000 0000"),
		"a floor without its 2nd":     question("05000000 05000000 0100 0100 0d"),
		"a first floor of another id": question("08000000 08000000 0100 0100 07 0000 00"),
	} {
		if q, err := epm.ParseMapQuestion(wiretest.Unhex(t, stub), false); err == nil {
			t.Errorf("%s: %+v, want an error", name, q)
		}
	}
	for name, stub := range map[string]string{
		"more than there is room for": handleHex + "02000000 01000000 00000000 02000000",
		"an offset":                   handleHex + "01000000 02000000 01000000 01000000",
		"too many":                    handleHex + "f5010000 f5010000 00000000 f5010000" + strings.Repeat("00", 16000),
		"cut short":                   handleHex + "01000000 01000000 00000000 01000000",
	} {
		if a, err := epm.ParseMapAnswer(wiretest.Unhex(t, stub), false); err == nil {
			t.Errorf("map, %s: %+v, want an error", name, a)
		}
		if a, err := epm.ParseLookupAnswer(wiretest.Unhex(t, stub), false); err == nil {
			t.Errorf("lookup, %s: %+v, want an error", name, a)
		}
	}
	long := handleHex + "01000000 01000000 00000000 01000000 00000000000000000000000000000000 03000000 00000000 41000000"
	if a, err := epm.ParseLookupAnswer(wiretest.Unhex(t, long+strings.Repeat("00", 400)), false); err == nil {
		t.Errorf("an annotation of 65 bytes: %+v, want an error", a)
	}
}

func FuzzStubs(f *testing.F) {
	mapQuestion := epm.MapQuestion{Max: 4, Tower: endpoint}
	mapAnswer := epm.MapAnswer{Towers: []epm.Tower{endpoint, {}}, Status: epm.NotRegistered}
	lookupQuestion := epm.LookupQuestion{Inquiry: 1, Interface: messenger, Versions: 1, Max: 1}
	lookupAnswer := epm.LookupAnswer{Entries: []epm.Entry{{Tower: endpoint, Annotation: "Messenger"}}}
	for _, big := range []bool{false, true} {
		f.Add(mapQuestion.Append(nil, big), big)
		f.Add(mapAnswer.Append(nil, 4, big), big)
		f.Add(lookupQuestion.Append(nil, big), big)
		f.Add(lookupAnswer.Append(nil, 4, big), big)
	}
	f.Fuzz(func(t *testing.T, b []byte, big bool) {
		if q, err := epm.ParseMapQuestion(b, big); err == nil {
			got, err := epm.ParseMapQuestion(q.Append(nil, big), big)
			if diff := cmp.Diff(q, got, compareAddr); diff != "" || err != nil {
				t.Errorf("map question, %v (-first +second):\n%s", err, diff)
			}
		}
		if a, err := epm.ParseMapAnswer(b, big); err == nil {
			got, err := epm.ParseMapAnswer(a.Append(nil, 500, big), big)
			if diff := cmp.Diff(a, got, compareAddr); diff != "" || err != nil {
				t.Errorf("map answer, %v (-first +second):\n%s", err, diff)
			}
		}
		if q, err := epm.ParseLookupQuestion(b, big); err == nil {
			got, err := epm.ParseLookupQuestion(q.Append(nil, big), big)
			if diff := cmp.Diff(q, got); diff != "" || err != nil {
				t.Errorf("lookup question, %v (-first +second):\n%s", err, diff)
			}
		}
		if a, err := epm.ParseLookupAnswer(b, big); err == nil {
			got, err := epm.ParseLookupAnswer(a.Append(nil, 500, big), big)
			if diff := cmp.Diff(a, got, compareAddr); diff != "" || err != nil {
				t.Errorf("lookup answer, %v (-first +second):\n%s", err, diff)
			}
		}
	})
}
