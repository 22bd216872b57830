package fragment

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/dcerpc"
)

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
		out := NewTransmission(dcerpc.Datagram{BigEndian: seed%2 == 0}, stub)
		lane := out.Fresh()
		var in Assembly
		sent, silences := len(lane), 0
		for !in.Complete() {
			if len(lane) == 0 {
				if silences++; silences > 500 {
					t.Fatalf("seed %d: %d of %d fragments arrived, and nothing goes on", seed, in.next, out.count)
				}
				lane = out.Again()
				sent += len(lane)
			}
			i := random.IntN(len(lane))
			d := lane[i]
			lane = append(lane[:i], lane[i+1:]...)
			if random.Float64() < loss {
				continue
			}
			if _, err := in.Add(&d); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if d.NoFack || random.Float64() < loss {
				continue
			}
			answer := in.Fack(dcerpc.TypeFack, &d, 0)
			f, err := answer.ParseFack()
			if err != nil {
				t.Fatal(err)
			}
			more := out.Acknowledge(answer.Number, &f)
			sent += len(more)
			lane = append(lane, more...)
		}
		if !bytes.Equal(in.Stub(), stub) {
			t.Errorf("seed %d: %d bytes arrived otherwise than they were sent", seed, len(stub))
		}
		if most := 4*out.count + 10; sent > most {
			t.Errorf("seed %d, loss %.2f: %d packets for %d fragments, want at most %d", seed, loss, sent, out.count, most)
		}
	}
}

func TestTransmissionGrows(t *testing.T) {
	out := NewTransmission(dcerpc.Datagram{}, make([]byte, 60*Size))
	number := uint16(0xffff)
	for _, want := range []int{1, 2, 4, 8, 16, 24, 5} {
		var packets []dcerpc.Datagram
		if number == 0xffff {
			packets = out.Fresh()
		} else {
			packets = out.Acknowledge(number, &dcerpc.Fack{Window: 24})
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
	if more := out.Acknowledge(number, &dcerpc.Fack{Window: 24}); len(more) != 0 {
		t.Errorf("%d fragments after the last", len(more))
	}
}

func TestTransmissionOfOne(t *testing.T) {
	out := NewTransmission(dcerpc.Datagram{}, []byte("stub"))
	first, again := out.Fresh(), out.Again()
	if len(first) != 1 || first[0].Fragment || !first[0].NoFack || string(first[0].Body) != "stub" {
		t.Errorf("sends %+v", first)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("sent again (-first +again):\n%s", diff)
	}
	if more := out.Acknowledge(0, &dcerpc.Fack{Window: 1}); len(more) != 0 || len(out.Fresh()) != 0 {
		t.Errorf("sends %+v when it has arrived", more)
	}
	if diff := cmp.Diff(first, out.Restart()); diff != "" {
		t.Errorf("sent anew (-first +anew):\n%s", diff)
	}
}

func TestTransmissionToSomebodyWhoSendsNoFacks(t *testing.T) {
	out := NewTransmission(dcerpc.Datagram{}, make([]byte, 10*Size))
	var got []int
	for packets := out.Fresh(); len(got) < 6; packets = out.Again() {
		got = append(got, len(packets))
	}
	if diff := cmp.Diff([]int{1, 2, 4, 8, 10, 10}, got); diff != "" {
		t.Errorf("fragments sent each time (-want +got):\n%s", diff)
	}
}

// TestTransmissionToSomebodyWhoHasLostIt: who asks for what has arrived gets it once more.
func TestTransmissionToSomebodyWhoHasLostIt(t *testing.T) {
	out := NewTransmission(dcerpc.Datagram{}, make([]byte, 3*Size))
	out.Fresh()
	out.Acknowledge(0, &dcerpc.Fack{Window: 5})
	out.Acknowledge(2, &dcerpc.Fack{Window: 5})
	if _, all := out.Arrived(); !all {
		t.Fatal("not all has arrived")
	}
	if again := out.Again(); len(again) != 1 || again[0].Number != 0 {
		t.Errorf("sent again is %+v, want the beginning", again)
	}
}

func TestTransmissionBelievesNoNonsense(t *testing.T) {
	out := NewTransmission(dcerpc.Datagram{}, make([]byte, 10*Size))
	out.Fresh()
	for _, number := range []uint16{1, 9, 1000, 0xfffe} {
		if more := out.Acknowledge(number, &dcerpc.Fack{Window: 24, Beyond: []uint16{1, 2, 3}}); len(more) != 0 || out.base != 0 {
			t.Errorf("told of fragment %d, which was never sent, it sends %d and waits for %d", number, len(more), out.base)
		}
	}
	if more := out.Acknowledge(0, &dcerpc.Fack{Window: 0}); len(more) != 0 {
		t.Errorf("%d fragments into a closed window", len(more))
	}
	if more := out.Again(); len(more) != 1 || more[0].Number != 1 {
		t.Errorf("a closed window is tried with %+v, want fragment 1", more)
	}
	if more := out.Acknowledge(0, &dcerpc.Fack{Window: 5000}); len(more) > maxWindow {
		t.Errorf("%d fragments at once", len(more))
	}
}
