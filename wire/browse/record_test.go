package browse_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/browse"
)

func TestRecords(t *testing.T) {
	// Written by nmbd 4.17.12, but for the lines that are none.
	const file = `"TESTGRP"                 c0001000 "ALPHA"                       "TESTGRP"
"ALPHA"                   40819a03 "The master"                  "TESTGRP"
"BETA"                    40819a03 "says "hello" often"          "TESTGRP"
"GAMMA"                   00000803 ""                            ""

"CUT"                     40819a03 "while nmbd writ
"NOTYPE"                  xyz      ""                            "TESTGRP"
""                        40819a03 ""                            "TESTGRP"
"ONE"                     40819a03 "TESTGRP"
"
`
	want := []browse.Record{
		{Name: "TESTGRP", Type: 0xc0001000, Comment: "ALPHA", Workgroup: "TESTGRP"},
		{Name: "ALPHA", Type: 0x40819a03, Comment: "The master", Workgroup: "TESTGRP"},
		{Name: "BETA", Type: 0x40819a03, Comment: `says "hello" often`, Workgroup: "TESTGRP"},
		{Name: "GAMMA", Type: 0x803},
	}
	if diff := cmp.Diff(want, browse.ParseRecords([]byte(file))); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if got := browse.ParseRecords(nil); len(got) != 0 {
		t.Errorf("an empty file has %+v", got)
	}
}

// What parses, parses again when nmbd writes it.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`"ALPHA"                   40819a03 "The master"                  "TESTGRP"` + "\n"))
	f.Add([]byte("\"A\" 3 \"says \"hello\"\" \"\"\nrubbish\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list := browse.ParseRecords(b)
		var again []byte
		for _, r := range list {
			again = fmt.Appendf(again, "%-25s %08x %-30s %s\n", `"`+r.Name+`"`, uint32(r.Type), `"`+r.Comment+`"`, `"`+r.Workgroup+`"`)
		}
		if diff := cmp.Diff(list, browse.ParseRecords(again)); diff != "" {
			t.Errorf("%q read again (-want +got):\n%s", again, diff)
		}
	})
}
