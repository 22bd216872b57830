package fragment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/dcerpc"
)

func piece(number int, last bool, body string) *dcerpc.Datagram {
	return &dcerpc.Datagram{Fragment: true, Last: last, Number: uint16(number), Body: []byte(body)}
}

func TestAssembly(t *testing.T) {
	whole := &dcerpc.Datagram{Body: []byte("abc")}
	for _, tt := range []struct {
		name   string
		pieces []*dcerpc.Datagram
		want   string // "" if it is not complete
	}{
		{"in one", []*dcerpc.Datagram{whole}, "abc"},
		{"nothing in one", []*dcerpc.Datagram{{}}, "-"},
		{"in one, with a number", []*dcerpc.Datagram{{Number: 7, Body: []byte("abc")}}, "abc"},
		{"a single fragment", []*dcerpc.Datagram{piece(0, true, "a")}, "a"},
		{"in order", []*dcerpc.Datagram{piece(0, false, "a"), piece(1, false, "b"), piece(2, true, "c")}, "abc"},
		{"backwards", []*dcerpc.Datagram{piece(2, true, "c"), piece(1, false, "b"), piece(0, false, "a")}, "abc"},
		{"twice", []*dcerpc.Datagram{piece(0, false, "a"), piece(0, false, "x"), piece(1, true, "b"), piece(1, true, "y")}, "ab"},
		{"an empty one between", []*dcerpc.Datagram{piece(0, false, "a"), piece(1, false, ""), piece(2, true, "c")}, "ac"},
		{"without the last", []*dcerpc.Datagram{piece(0, false, "a"), piece(1, false, "b")}, ""},
		{"with a hole", []*dcerpc.Datagram{piece(0, false, "a"), piece(2, true, "c")}, ""},
		{"without the first", []*dcerpc.Datagram{piece(1, true, "b")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a Assembly
			for _, d := range tt.pieces {
				if _, err := a.Add(d); err != nil {
					t.Fatal(err)
				}
			}
			got := ""
			if a.Complete() {
				if got = string(a.Stub()); got == "" {
					got = "-"
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAssemblyRefuses(t *testing.T) {
	big := string(make([]byte, MaxStub))
	for _, tt := range []struct {
		name   string
		pieces []*dcerpc.Datagram
		want   error
	}{
		{"too many", []*dcerpc.Datagram{piece(maxFragments, false, "")}, ErrInconsistent},
		{"one behind the last", []*dcerpc.Datagram{piece(1, true, ""), piece(2, false, "")}, ErrInconsistent},
		{"another last", []*dcerpc.Datagram{piece(2, true, ""), piece(1, true, "")}, ErrInconsistent},
		{"a last before others", []*dcerpc.Datagram{piece(2, false, ""), piece(1, true, "")}, ErrInconsistent},
		{"a whole after fragments", []*dcerpc.Datagram{piece(2, false, ""), {}}, ErrInconsistent},
		{"too long", []*dcerpc.Datagram{piece(0, false, big), piece(1, true, "x")}, ErrTooLong},
	} {
		var a Assembly
		var err error
		for _, d := range tt.pieces {
			_, err = a.Add(d)
		}
		if err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestAssemblyFill(t *testing.T) {
	of := func(pieces ...*dcerpc.Datagram) *Assembly {
		t.Helper()
		var a Assembly
		for _, d := range pieces {
			if _, err := a.Add(d); err != nil {
				t.Fatal(err)
			}
		}
		return &a
	}
	for name, tt := range map[string]struct {
		a, b *Assembly
		want string // "" if it is not complete
	}{
		"the rest":              {of(piece(0, false, "a")), of(piece(1, false, "b"), piece(2, true, "c")), "abc"},
		"the beginning":         {of(piece(1, true, "b")), of(piece(0, false, "a")), "ab"},
		"what it has":           {of(piece(0, false, "a"), piece(1, false, "x")), of(piece(1, false, "b"), piece(2, true, "c")), "axc"},
		"too much":              {of(piece(0, false, "a"), piece(1, true, "b")), of(piece(2, true, "c")), "ab"},
		"another call":          {of(piece(0, false, "a")), of(piece(0, false, "x"), piece(1, true, "b")), ""},
		"nothing that it lacks": {of(piece(0, false, "a")), of(piece(2, true, "c")), ""},
	} {
		tt.a.Fill(tt.b)
		if !tt.a.Complete() {
			tt.a = &Assembly{parts: [][]byte{nil}}
		}
		if got := string(tt.a.Stub()); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestAssemblyFack(t *testing.T) {
	var a Assembly
	for _, tt := range []struct {
		add    int
		number uint16
		beyond []uint16
	}{
		{2, 0xffff, []uint16{3}},
		{0, 0, []uint16{2}},
		{5, 0, []uint16{2, 5}},
		{1, 2, []uint16{3}},
		{3, 3, []uint16{2}},
		{4, 5, nil},
	} {
		d := piece(tt.add, tt.add == 5, "x")
		d.Serial, d.BigEndian, d.Sequence = 7, true, 9
		if _, err := a.Add(d); err != nil {
			t.Fatal(err)
		}
		answer := a.Fack(dcerpc.TypeFack, d, 1234)
		if answer.Number != tt.number || answer.ServerBoot != 1234 || answer.Sequence != 9 {
			t.Errorf("after fragment %d: %+v, want number %d", tt.add, answer, tt.number)
		}
		got, err := answer.ParseFack()
		want := dcerpc.Fack{Window: room, MaxTSDU: maxDatagram, MaxFragment: maxFragment, Serial: 7, Beyond: tt.beyond}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("after fragment %d: %v (-want +got):\n%s", tt.add, err, diff)
		}
	}
}
