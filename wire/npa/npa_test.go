package npa_test

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/npa"
)

// recordings returns what smbd sent, by the names of the files.
func recordings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d recordings, %v, want 5", len(files), err)
	}
	all := make(map[string][]byte)
	for _, f := range files {
		if all[strings.TrimSuffix(filepath.Base(f), ".bin")], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var opaque = cmpopts.EquateComparable(netip.AddrPort{})

func TestRecorded(t *testing.T) {
	for name, b := range recordings(t) {
		want, ok := map[string]struct {
			proven bool
			uid    int
			sids   int
		}{
			"anonymous": {false, 65534, 6},
			"guest":     {false, 65534, 8},
			"user":      {true, 1001, 8},
			"user-smb2": {true, 1001, 8},
			"root":      {true, 0, 8},
		}[name]
		if !ok {
			t.Errorf("%s is not expected", name)
			continue
		}
		got, err := npa.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Level != 7 || got.Machine != "vm" || got.Address.Addr().String() != "10.77.0.2" || got.Address.Port() < 1024 {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Proven() != want.proven || got.UID() != want.uid || len(got.SIDs) != want.sids {
			t.Errorf("%s: proven %v, uid %d, SIDs %q; want %+v", name, got.Proven(), got.UID(), got.SIDs, want)
		}
	}
}

func TestLevels(t *testing.T) {
	for level := uint32(npa.MinLevel); level <= npa.MaxLevel; level++ {
		want := npa.Client{
			Level: level, Machine: "alpha", Address: netip.MustParseAddrPort("10.77.0.1:50000"),
			SIDs: []string{"S-1-5-21-1-2-3-1000", npa.Authenticated, "S-1-22-1-1000", "S-1-281474976710655", npa.Administrators},
		}
		b, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := npa.Parse(b)
		if err != nil {
			t.Fatalf("level %d: %v", level, err)
		}
		if diff := cmp.Diff(want, got, opaque); diff != "" {
			t.Errorf("level %d (-want +got):\n%s", level, diff)
		}
		if !got.Proven() || got.UID() != 1000 || !got.Has(npa.Administrators) {
			t.Errorf("level %d: %+v", level, got)
		}
	}
}

func TestIdentity(t *testing.T) {
	for name, tt := range map[string]struct {
		sids   []string
		proven bool
		uid    int
	}{
		"a user":           {[]string{npa.Authenticated, "S-1-22-1-1000"}, true, 1000},
		"a guest":          {[]string{npa.Authenticated, npa.Guests, "S-1-22-1-65534"}, false, 65534},
		"nobody":           {[]string{npa.Anonymous, npa.Authenticated}, false, -1},
		"no SIDs":          {nil, false, -1},
		"not of this host": {[]string{npa.Authenticated, "S-1-5-21-1-2-3-1000"}, true, -1},
		"a group only":     {[]string{npa.Authenticated, "S-1-22-2-0"}, true, -1},
		"too high a uid":   {[]string{npa.Authenticated, "S-1-22-1-4294967295"}, true, -1},
	} {
		c := npa.Client{SIDs: tt.sids}
		if c.Proven() != tt.proven || c.UID() != tt.uid {
			t.Errorf("%s: proven %v, uid %d, want %v, %d", name, c.Proven(), c.UID(), tt.proven, tt.uid)
		}
	}
}

func TestNonsense(t *testing.T) {
	good := recordings(t)["user"]
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	at := func(i int, v ...byte) []byte { return change(func(b []byte) []byte { copy(b[i:], v); return b }) }
	resize := func(b []byte) []byte {
		b[0], b[1], b[2], b[3] = 0, 0, byte((len(b)-4)>>8), byte(len(b)-4)
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":             nil,
		"no magic":            at(4, 'X'),
		"another length":      at(2, 0),
		"level 3":             at(8, 3, 0, 0, 0, 3),
		"level 9":             at(8, 9, 0, 0, 0, 9),
		"two levels":          at(8, 6),
		"no session":          at(0x2c, 0, 0, 0, 0),
		"no session inside":   at(0x80, 0, 0, 0, 0),
		"no token":            at(0x88, 0, 0, 0, 0),
		"a long name":         at(0x30, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff),
		"a long key":          at(0x9c, 0xff, 0xff, 0xff, 0xff),
		"many SIDs":           at(0xc8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"two numbers of SIDs": at(0xc8, 7),
		"a SID of revision 2": at(0xd0, 2),
		"a SID of 16 parts":   at(0xd1, 16),
		"cut short":           change(func(b []byte) []byte { return resize(b[:0xe0]) }),
		"only a head":         change(func(b []byte) []byte { return resize(b[:16]) }),
	} {
		if c, err := npa.Parse(b); err == nil {
			t.Errorf("%s: %+v, want an error", name, c)
		}
	}
	for _, sid := range []string{"", "S-1-", "S-2-5", "S-1-5-", "S-1-5-4294967296", "S-1-5" + strings.Repeat("-1", 16), "S-1-x"} {
		c := npa.Client{Level: 7, SIDs: []string{sid}}
		if b, err := c.Append(nil); err == nil {
			t.Errorf("SID %q is written as %x", sid, b)
		}
	}
}

// TestReply: these bytes made smbd 4.17.12 open the pipe.
func TestReply(t *testing.T) {
	const want = "00000020" + "4e50414d" + "07000000" + "07000000" + "0200" + "ff05" + "00000000" + "0010000000000000" + "00000000"
	if got := hex.EncodeToString(npa.AppendReply(nil, 7)); got != want {
		t.Errorf("reply %s, want %s", got, want)
	}
}

// FuzzParse: what is read is written so that it reads the same again.
func FuzzParse(f *testing.F) {
	for _, b := range recordings(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := npa.Parse(b)
		if err != nil {
			return
		}
		c.UID()
		again, err := c.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := npa.Parse(again)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		// An address with a zone has no canonical form in common with all others.
		if diff := cmp.Diff(c, got, opaque); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
