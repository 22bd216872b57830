package lmhosts_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/lmhosts"
	"messngr/wire/netbios"
)

func name(label string, suffix netbios.Suffix) netbios.Name {
	n, err := netbios.New(label, suffix)
	if err != nil {
		panic(err)
	}
	return n
}

func TestParse(t *testing.T) {
	at := netip.MustParseAddr("10.0.0.17")
	entry := func(e lmhosts.Entry) []lmhosts.Item {
		e.Addr = at
		return []lmhosts.Item{{Entry: e}}
	}
	pc17 := name("PC17", netbios.Workstation)
	tests := []struct {
		name     string
		file     string
		want     []lmhosts.Item
		problems int
	}{
		{"plain", "10.0.0.17 pc17\n", entry(lmhosts.Entry{Name: pc17}), 0},
		{"tabs and a comment", "\t10.0.0.17\t\tPC17\t# the printer\r\n", entry(lmhosts.Entry{Name: pc17}), 0},
		{"comment without a blank", "10.0.0.17 PC17 #the printer", entry(lmhosts.Entry{Name: pc17}), 0},
		{"tags", "10.0.0.17 PC17 #PRE #dom:Sales #MH # all of them",
			entry(lmhosts.Entry{Name: pc17, Preload: true, Domain: name("SALES", netbios.DomainControllers), Multihomed: true}), 0},
		{"tag behind a comment", "10.0.0.17 PC17 # not #PRE", entry(lmhosts.Entry{Name: pc17}), 0},
		{"suffix", `10.0.0.17 "ALICE          \0x03" #PRE`,
			entry(lmhosts.Entry{Name: name("ALICE", netbios.Messenger), Exact: true, Preload: true}), 0},
		{"quoted label", `10.0.0.17 "my pc"`, entry(lmhosts.Entry{Name: name("MY PC", netbios.Workstation)}), 0},
		{"byte in a label", `10.0.0.17 "M\0x81LLER"`, entry(lmhosts.Entry{Name: name("M\x81LLER", netbios.Workstation)}), 0},
		{"comments and blank lines", "# LMHOSTS\n\n   \n#\n", nil, 0},
		{"include", "#INCLUDE /etc/more hosts \n", []lmhosts.Item{{Include: []string{"/etc/more hosts"}}}, 0},
		{"include behind a tab", "#include\t/etc/more\n", []lmhosts.Item{{Include: []string{"/etc/more"}}}, 0},
		{"alternate", "#begin_alternate\n#include a\n#include b\n#end_alternate\n#include c", []lmhosts.Item{{Include: []string{"a", "b"}}, {Include: []string{"c"}}}, 0},
		{"empty alternate", "#BEGIN_ALTERNATE\n#END_ALTERNATE", nil, 0},
		{"good line after bad ones", "10.0.0 PC17\nfe80::1 PC17\n10.0.0.17\n10.0.0.17 ABCDEFGHIJKLMNOPQ\n10.0.0.17 \"A\n" +
			"10.0.0.17 \"A\\0x3\"\n10.0.0.17 \"A\\0xzz\"\n10.0.0.17 A #DOM:\n#INCLUDE\n10.0.0.17 PC17",
			entry(lmhosts.Entry{Name: pc17}), 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := lmhosts.Parse([]byte(tt.file))
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if len(problems) != tt.problems {
				t.Errorf("problems = %v, want %d", problems, tt.problems)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	plain := lmhosts.Entry{Name: name("PC17", netbios.Workstation)}
	exact := lmhosts.Entry{Name: name("PC17", netbios.Messenger), Exact: true}
	tests := []struct {
		name         netbios.Name
		plain, exact bool
	}{
		{name("PC17", netbios.Workstation), true, false},
		{name("PC17", netbios.Messenger), true, true},
		{name("PC17", netbios.FileServer), true, false},
		{name("PC17", netbios.DomainMaster), false, false},
		{name("PC18", netbios.Messenger), false, false},
	}
	for _, tt := range tests {
		if got := plain.Covers(tt.name); got != tt.plain {
			t.Errorf("plain entry covers %v: %v, want %v", tt.name, got, tt.plain)
		}
		if got := exact.Covers(tt.name); got != tt.exact {
			t.Errorf("exact entry covers %v: %v, want %v", tt.name, got, tt.exact)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("10.0.0.17 PC17 #PRE #DOM:SALES\n10.0.0.19 \"ALICE          \\0x03\" # x\n"))
	f.Add([]byte("#BEGIN_ALTERNATE\n#INCLUDE a\n#END_ALTERNATE\n#INCLUDE \\\\server\\share\\lmhosts\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		items, _ := lmhosts.Parse(b)
		for _, i := range items {
			switch {
			case len(i.Include) > 0:
			case !i.Entry.Addr.Is4() || i.Entry.Name == netbios.Name{}:
				t.Errorf("incomplete entry %+v", i.Entry)
			case !i.Entry.Covers(i.Entry.Name):
				t.Errorf("%+v does not cover its own name", i.Entry)
			}
		}
	})
}
