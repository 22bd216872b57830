package names_test

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/names"
	"messngr/store/memstore"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// newTable returns a table with the names of PC17 in WORKGROUP.
func newTable(t testing.TB, keeper names.Keeper, networks ...names.Network) *names.Table {
	t.Helper()
	table := names.New(oem.Page{}, networks, keeper, slog.New(slog.DiscardHandler))
	for _, e := range []names.Entry{
		{Name: "pc17", Suffix: netbios.Messenger, Kind: names.Computer},
		{Name: "PC17", Suffix: netbios.Workstation, Kind: names.Computer},
		{Name: "Workgroup", Suffix: netbios.Workstation, Kind: names.Workgroup, Group: true},
	} {
		if err := table.Own(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func alias(name, user string) names.Entry {
	return names.Entry{Name: name, Suffix: netbios.Messenger, Kind: names.Alias, User: user}
}

func TestCanonical(t *testing.T) {
	table := names.New(oem.Page{}, nil, memstore.New(), slog.New(slog.DiscardHandler))
	for name, want := range map[string]string{
		"backup":          "BACKUP",
		"  Help Desk\t":   "HELP DESK",
		"müller":          "MÜLLER",
		"mu\u0308ller":    "MÜLLER", // the accent as a character of its own
		"straße":          "STRAßE", // Windows has no capital for it in a name
		"ÅNGSTRÖM-ÉÑÇØÆÞ": "ÅNGSTRÖM-ÉÑÇØÆÞ",
		"a.b_c-d$":        "A.B_C-D$",
	} {
		got, err := table.Canonical(name)
		if err != nil || got != want {
			t.Errorf("Canonical(%q) = %q, %v; want %q", name, got, err, want)
		}
		if again, err := table.Canonical(got); err != nil || again != got {
			t.Errorf("Canonical(%q) = %q, %v; want it unchanged", got, again, err)
		}
	}
	for _, name := range []string{"", "  ", "*", "*SMBSERVER", "SIXTEEN-LETTERS-", "Ольга", "PC\x0017", "A\nB"} {
		if got, err := table.Canonical(name); !errors.Is(err, names.ErrInvalid) {
			t.Errorf("Canonical(%q) = %q, %v; want ErrInvalid", name, got, err)
		}
	}
}

// The length limit counts bytes of the code page, not letters or UTF-8.
func TestCanonicalKnowsTheCodePage(t *testing.T) {
	for number, rows := range map[string]map[string]bool{
		"850": {"ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜ": true, "ольга": false},
		"866": {"ольгаольгаольга": true, "ольгаольгаольга!": false, "ÄÖÜ": false},
		"932": {"テストテスト１": true, "テストテストテスト": false}, // two bytes a letter
	} {
		page, err := oem.Lookup(number)
		if err != nil {
			t.Fatal(err)
		}
		table := names.New(page, nil, memstore.New(), slog.New(slog.DiscardHandler))
		for name, want := range rows {
			if _, err := table.Canonical(name); (err == nil) != want {
				t.Errorf("page %s: Canonical(%q) = %v, want it to be possible: %v", number, name, err, want)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	page, err := oem.Lookup("866")
	if err != nil {
		t.Fatal(err)
	}
	table := names.New(page, nil, memstore.New(), slog.New(slog.DiscardHandler))
	for _, e := range []names.Entry{
		{Name: "PC17", Suffix: netbios.Messenger, Kind: names.Computer},
		{Name: "PC17", Suffix: netbios.Workstation, Kind: names.Computer},
		{Name: "FS01", Suffix: netbios.Workstation, Kind: names.Computer},
		{Name: "WORKGROUP", Suffix: netbios.Workstation, Kind: names.Workgroup, Group: true},
		alias("Ольга", "olga"),
	} {
		if err := table.Own(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		group bool
		want  string // name of the entry; "": none
		user  string
	}{
		{"PC17", false, "PC17", ""},
		{"pc17 ", false, "PC17", ""},
		{"ОЛЬГА", false, "ОЛЬГА", "olga"},
		{"ольга", false, "ОЛЬГА", "olga"},
		{"WORKGROUP", true, "WORKGROUP", ""},
		{"workgroup", true, "WORKGROUP", ""},
		{"*", true, "WORKGROUP", ""},
		{"*", false, "", ""},
		{"WORKGROUP", false, "", ""}, // nobody sends to one machine by that name
		{"PC17", true, "", ""},       // no group
		{"FS01", false, "", ""},      // ours, but not for messages
		{"PC18", false, "", ""},
		{"OTHERGROUP", true, "", ""},
		{"", false, "", ""},
		{"THIS NAME IS FAR TOO LONG", false, "", ""},
	}
	for _, tt := range tests {
		e, ok := table.Lookup(tt.name, tt.group)
		if ok != (tt.want != "") || e.Name != tt.want || e.User != tt.user {
			t.Errorf("Lookup(%q, %v) = %+v, %v; want %q of %q", tt.name, tt.group, e, ok, tt.want, tt.user)
		}
	}
}

// Lookup stands on the path of every message.
func TestLookupAllocatesNothing(t *testing.T) {
	table := newTable(t, memstore.New())
	if n := testing.AllocsPerRun(1000, func() { table.Lookup("PC17", false) }); n > 0 {
		t.Errorf("%v allocations for each Lookup", n)
	}
}

func TestListIsSortedAndSaysWhereNamesAre(t *testing.T) {
	synctest.Test(t, testList)
}

func testList(t *testing.T) {
	nbt, nbf := newNetwork("nbt"), newNetwork("nbf")
	table := newTable(t, memstore.New(), nbt, nbf)
	table.SetUsers(t.Context(), []string{"bob", "alice"})(t.Context())
	if err := table.Add(t.Context(), alias("BACKUP", "")); err != nil {
		t.Fatal(err)
	}
	places := []names.Place{
		{Carrier: "nbt", Interface: "eth0", State: "registered"},
		{Carrier: "nbf", Interface: "eth0", State: "registered"},
	}
	want := []names.Entry{
		{Name: "PC17", Suffix: 0x00, Kind: names.Computer},
		{Name: "PC17", Suffix: 0x03, Kind: names.Computer},
		{Name: "WORKGROUP", Suffix: 0x00, Kind: names.Workgroup, Group: true},
		{Name: "ALICE", Suffix: 0x03, Kind: names.User, User: "alice"},
		{Name: "BOB", Suffix: 0x03, Kind: names.User, User: "bob"},
		{Name: "BACKUP", Suffix: 0x03, Kind: names.Alias},
	}
	for i := range want {
		want[i].Places = places
	}
	if diff := cmp.Diff(want, table.List(), cmpopts.EquateComparable(names.Place{})); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
}

// In a Japanese name the second byte of a character may be that of a small
// letter: ア is 83 41, but ヂ is 83 61, and both are different letters.
func TestNamesOfTwoByteCharactersReachTheNetworkUnchanged(t *testing.T) {
	synctest.Test(t, testTwoByteCharacters)
}

func testTwoByteCharacters(t *testing.T) {
	page, err := oem.Lookup("932")
	if err != nil {
		t.Fatal(err)
	}
	n := newNetwork("nbt")
	table := names.New(page, []names.Network{n}, memstore.New(), slog.New(slog.DiscardHandler))
	if err := table.Add(t.Context(), alias("ヂ", "")); err != nil {
		t.Fatal(err)
	}
	want := netbios.Name([]byte("\x83\x61             \x03"))
	if !n.has(want) {
		t.Errorf("claimed %v, want %v", n.claimed(), want)
	}
}
