package linpopup_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/linpopup"
)

// recorded is what is in testdata.
func recorded() []linpopup.Record {
	at := time.Date(2005, 3, 1, 14, 2, 11, 0, time.UTC)
	return []linpopup.Record{
		{Sent: at, Sender: "ALICE", Host: "WIN98", To: "LINUX", Text: "Lunch?\x14In the canteen"},
		{Sent: at.Add(time.Minute), Sender: "J\xfcrgen", Host: "B\xdcRO", Text: "Gr\xfc\xdfe aus dem B\xfcro", New: true},
		{Sent: at.Add(2 * time.Minute), Sender: "BOSS", Host: "XP", To: "LINUX", Text: strings.Repeat("x", 1700)},
	}
}

func files(t testing.TB) map[linpopup.Layout][]byte {
	t.Helper()
	found := make(map[linpopup.Layout][]byte)
	for layout, name := range map[linpopup.Layout]string{linpopup.Bits64: "testdata/messages64.dat", linpopup.Bits32: "testdata/messages32.dat"} {
		b, err := os.ReadFile(name)
		if err != nil || len(b) != 3*layout.Size() {
			t.Fatalf("%s: %d bytes, %v", name, len(b), err)
		}
		found[layout] = b
	}
	return found
}

func TestFilesOfBothKinds(t *testing.T) {
	for layout, b := range files(t) {
		records, got, err := linpopup.Parse(b)
		if err != nil || got != layout {
			t.Errorf("Parse = %v, %v; want %v", got, err, layout)
		}
		if diff := cmp.Diff(recorded(), records); diff != "" {
			t.Errorf("%v, -want +got:\n%s", layout, diff)
		}
		var out []byte
		for _, r := range records {
			if out, err = r.Append(out, layout); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(out, b) {
			t.Errorf("%v: written anew it is another file", layout)
		}
	}
}

// A file of 501 records of one kind has the size of one of 500 of the other.
func TestSizesThatFitBoth(t *testing.T) {
	for layout, n := range map[linpopup.Layout]int{linpopup.Bits64: 500, linpopup.Bits32: 501} {
		var b []byte
		for range n {
			var err error
			if b, err = recorded()[0].Append(b, layout); err != nil {
				t.Fatal(err)
			}
		}
		if len(b) != 500*4008 {
			t.Fatalf("%d bytes", len(b))
		}
		records, got, err := linpopup.Parse(b)
		if err != nil || got != layout || len(records) != n {
			t.Errorf("%d records of %v are read as %d of %v, %v", n, layout, len(records), got, err)
		}
	}
}

func TestWhatIsNoSuchFile(t *testing.T) {
	good := files(t)[linpopup.Bits64]
	change := func(at int, b ...byte) []byte {
		out := bytes.Clone(good)
		copy(out[at:], b)
		return out
	}
	for name, b := range map[string][]byte{
		"cut off":                 good[:len(good)-1],
		"text":                    bytes.Repeat([]byte("Lunch? "), 4008),
		"a time before LinPopUp":  change(0, 0, 0, 0, 0, 0, 0, 0, 0),
		"a time after everything": change(0, 255, 255, 255, 255, 255, 255, 255, 127),
		"a name without an end":   change(8, bytes.Repeat([]byte{'x'}, 100)...),
		"a flag of another kind":  change(2008, 7),
	} {
		if records, _, err := linpopup.Parse(b); !errors.Is(err, linpopup.ErrFormat) {
			t.Errorf("%s: %d records, %v; want ErrFormat", name, len(records), err)
		}
	}
	if records, _, err := linpopup.Parse(nil); err != nil || len(records) != 0 {
		t.Errorf("an empty file: %v, %v", records, err)
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	for _, r := range []linpopup.Record{
		{Sender: strings.Repeat("x", 100)},
		{Text: strings.Repeat("x", 1701)},
		{Host: "a\x00b"},
	} {
		if b, err := r.Append(nil, linpopup.Bits32); err == nil || len(b) != 0 {
			t.Errorf("%+v was written", r)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range files(f) {
		f.Add(b)
		f.Add(b[:len(b)/3])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		records, layout, err := linpopup.Parse(b)
		if err != nil {
			return
		}
		var out []byte
		for _, r := range records {
			if out, err = r.Append(out, layout); err != nil {
				t.Fatal(err)
			}
		}
		again, _, err := linpopup.Parse(out)
		if diff := cmp.Diff(records, again); err != nil || diff != "" {
			t.Errorf("written anew: %v\n%s", err, diff)
		}
	})
}
