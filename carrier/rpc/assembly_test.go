package rpc

import (
	"bytes"
	"math/rand/v2"
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
			var a assembly
			for _, d := range tt.pieces {
				if _, err := a.add(d); err != nil {
					t.Fatal(err)
				}
			}
			got := ""
			if a.complete() {
				if got = string(a.stub()); got == "" {
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
	big := string(make([]byte, maxCall))
	for _, tt := range []struct {
		name   string
		pieces []*dcerpc.Datagram
		want   error
	}{
		{"too many", []*dcerpc.Datagram{piece(maxFragments, false, "")}, errFragments},
		{"one behind the last", []*dcerpc.Datagram{piece(1, true, ""), piece(2, false, "")}, errFragments},
		{"another last", []*dcerpc.Datagram{piece(2, true, ""), piece(1, true, "")}, errFragments},
		{"a last before others", []*dcerpc.Datagram{piece(2, false, ""), piece(1, true, "")}, errFragments},
		{"a whole after fragments", []*dcerpc.Datagram{piece(2, false, ""), {}}, errFragments},
		{"too long", []*dcerpc.Datagram{piece(0, false, big), piece(1, true, "x")}, errTooLong},
	} {
		var a assembly
		var err error
		for _, d := range tt.pieces {
			_, err = a.add(d)
		}
		if err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestAssemblyFack(t *testing.T) {
	var a assembly
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
		if _, err := a.add(d); err != nil {
			t.Fatal(err)
		}
		answer := a.fack(dcerpc.TypeFack, d, 1234)
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

// TestTransmission sends stubs of all sizes into assemblies over a lane that loses and
// reorders what it carries: every stub arrives, and nothing is sent too often.
func TestTransmission(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		stub := make([]byte, random.IntN(60000))
		for i := range stub {
			stub[i] = byte(random.Uint32())
		}
		loss := 0.3 * random.Float64()
		out := newTransmission(dcerpc.Datagram{BigEndian: seed%2 == 0}, stub)
		lane := out.fresh()
		var in assembly
		sent, silences := len(lane), 0
		for !in.complete() {
			if len(lane) == 0 {
				if silences++; silences > 500 {
					t.Fatalf("seed %d: %d of %d fragments arrived, and nothing goes on", seed, in.next, out.count)
				}
				lane = out.again()
				sent += len(lane)
			}
			i := random.IntN(len(lane))
			d := lane[i]
			lane = append(lane[:i], lane[i+1:]...)
			if random.Float64() < loss {
				continue
			}
			if _, err := in.add(&d); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if d.NoFack || random.Float64() < loss {
				continue
			}
			answer := in.fack(dcerpc.TypeFack, &d, 0)
			f, err := answer.ParseFack()
			if err != nil {
				t.Fatal(err)
			}
			more := out.acknowledge(answer.Number, &f)
			sent += len(more)
			lane = append(lane, more...)
		}
		if !bytes.Equal(in.stub(), stub) {
			t.Errorf("seed %d: %d bytes arrived otherwise than they were sent", seed, len(stub))
		}
		if most := 4*out.count + 10; sent > most {
			t.Errorf("seed %d, loss %.2f: %d packets for %d fragments, want at most %d", seed, loss, sent, out.count, most)
		}
	}
}

func TestTransmissionGrows(t *testing.T) {
	out := newTransmission(dcerpc.Datagram{}, make([]byte, 60*fragmentSize))
	number := uint16(0xffff)
	for _, want := range []int{1, 2, 4, 8, 16, 24, 5} {
		var packets []dcerpc.Datagram
		if number == 0xffff {
			packets = out.fresh()
		} else {
			packets = out.acknowledge(number, &dcerpc.Fack{Window: 24})
		}
		if len(packets) != want {
			t.Fatalf("%d fragments after %d, want %d", len(packets), int16(number), want)
		}
		for i, d := range packets {
			if last := i == len(packets)-1; d.NoFack == last || d.Last != (d.Number == 59) || !d.Fragment {
				t.Errorf("fragment %d of %d: %+v", i, len(packets), d)
			}
		}
		number = packets[len(packets)-1].Number
	}
	if more := out.acknowledge(number, &dcerpc.Fack{Window: 24}); len(more) != 0 {
		t.Errorf("%d fragments after the last", len(more))
	}
}

func TestTransmissionOfOne(t *testing.T) {
	out := newTransmission(dcerpc.Datagram{}, []byte("stub"))
	first, again := out.fresh(), out.again()
	if len(first) != 1 || first[0].Fragment || !first[0].NoFack || string(first[0].Body) != "stub" {
		t.Errorf("sends %+v", first)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("sent again (-first +again):\n%s", diff)
	}
	if more := out.acknowledge(0, &dcerpc.Fack{Window: 1}); len(more) != 0 || len(out.fresh()) != 0 {
		t.Errorf("sends %+v when it has arrived", more)
	}
	if diff := cmp.Diff(first, out.restart()); diff != "" {
		t.Errorf("sent anew (-first +anew):\n%s", diff)
	}
}

func TestTransmissionToSomebodyWhoSendsNoFacks(t *testing.T) {
	out := newTransmission(dcerpc.Datagram{}, make([]byte, 10*fragmentSize))
	var got []int
	for packets := out.fresh(); len(got) < 6; packets = out.again() {
		got = append(got, len(packets))
	}
	if diff := cmp.Diff([]int{1, 2, 4, 8, 10, 10}, got); diff != "" {
		t.Errorf("fragments sent each time (-want +got):\n%s", diff)
	}
}

func TestTransmissionBelievesNoNonsense(t *testing.T) {
	out := newTransmission(dcerpc.Datagram{}, make([]byte, 10*fragmentSize))
	out.fresh()
	for _, number := range []uint16{1, 9, 1000, 0xfffe} {
		if more := out.acknowledge(number, &dcerpc.Fack{Window: 24, Beyond: []uint16{1, 2, 3}}); len(more) != 0 || out.base != 0 {
			t.Errorf("told of fragment %d, which was never sent, it sends %d and waits for %d", number, len(more), out.base)
		}
	}
	if more := out.acknowledge(0, &dcerpc.Fack{Window: 0}); len(more) != 0 {
		t.Errorf("%d fragments into a closed window", len(more))
	}
	if more := out.again(); len(more) != 1 || more[0].Number != 1 {
		t.Errorf("a closed window is tried with %+v, want fragment 1", more)
	}
	if more := out.acknowledge(0, &dcerpc.Fack{Window: 5000}); len(more) > maxWindow {
		t.Errorf("%d fragments at once", len(more))
	}
}
