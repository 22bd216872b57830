package dcerpc_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/wiretest"
)

func TestFack(t *testing.T) {
	for _, tt := range []struct {
		name string
		fack dcerpc.Fack
		big  bool
		hex  string
	}{
		{"as the DCE runtime writes it", dcerpc.Fack{Window: 24, MaxTSDU: 65508, MaxFragment: 1464}, false,
			"01 00 1800 e4ff0000 b8050000 0000 0000 00000000"},
		{"big-endian", dcerpc.Fack{Window: 24, MaxTSDU: 65508, MaxFragment: 1464, Serial: 7}, true,
			"01 00 0018 0000ffe4 000005b8 0007 0000 00000000"},
		{"the first beyond", dcerpc.Fack{Serial: 1, Beyond: []uint16{1}}, false,
			"01 00 0000 00000000 00000000 0100 0100 01000000"},
		{"two masks", dcerpc.Fack{Beyond: []uint16{2, 32, 33}}, false,
			"01 00 0000 00000000 00000000 0000 0200 02000080 01000000"},
		{"all masks", dcerpc.Fack{Beyond: []uint16{256}}, false,
			"01 00 0000 00000000 00000000 0000 0800" + "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000080"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := wiretest.Unhex(t, tt.hex)
			if got := tt.fack.Append(nil, tt.big); !bytes.Equal(got, wire) {
				t.Errorf("Append\n got %x\nwant %x", got, wire)
			}
			got, err := (&dcerpc.Datagram{BigEndian: tt.big, Body: wire}).ParseFack()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.fack, got); diff != "" {
				t.Errorf("ParseFack (-want +got):\n%s", diff)
			}
		})
	}
	far := dcerpc.Fack{Beyond: []uint16{0, 257, 60000}}
	if got, want := far.Append(nil, false), (&dcerpc.Fack{}).Append(nil, false); !bytes.Equal(got, want) {
		t.Errorf("fragments too far beyond give %x, want %x", got, want)
	}
}

func TestFackIsLax(t *testing.T) {
	for name, tt := range map[string]struct {
		hex   string
		want  dcerpc.Fack
		fails bool
	}{
		"version 0":                  {hex: "00 00 1800 e4ff0000 b8050000 0000 0000", want: dcerpc.Fack{Window: 24, MaxTSDU: 65508, MaxFragment: 1464}},
		"from before the masks":      {hex: "00 00 0100 00000000 00000000", want: dcerpc.Fack{Window: 1}},
		"more masks than we look at": {hex: "01 00 0000 00000000 00000000 0000 ffff" + "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000", want: dcerpc.Fack{}},
		"version 2":                  {hex: "02 00 1800 e4ff0000 b8050000 0000 0000", fails: true},
		"nothing":                    {hex: "", fails: true},
		"cut short":                  {hex: "01 00 1800 e4ff0000 b805", fails: true},
		"masks that are not there":   {hex: "01 00 0000 00000000 00000000 0000 0200 00000000", fails: true},
	} {
		got, err := (&dcerpc.Datagram{Body: wiretest.Unhex(t, tt.hex)}).ParseFack()
		if (err != nil) != tt.fails {
			t.Errorf("%s: %v, want an error: %v", name, err, tt.fails)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCancelAndQuack(t *testing.T) {
	wire := wiretest.Unhex(t, "00000000 05000000")
	if got := (dcerpc.Cancel{ID: 5}).Append(nil, false); !bytes.Equal(got, wire) {
		t.Errorf("cancel %x, want %x", got, wire)
	}
	if c, ok, err := (&dcerpc.Datagram{Body: wire}).ParseCancel(); c.ID != 5 || !ok || err != nil {
		t.Errorf("ParseCancel = %+v, %v, %v", c, ok, err)
	}
	wire = wiretest.Unhex(t, "00000000 00000005 01")
	if got := (dcerpc.Quack{ID: 5, Accepting: true}).Append(nil, true); !bytes.Equal(got, wire) {
		t.Errorf("cancel_ack %x, want %x", got, wire)
	}
	if q, ok, err := (&dcerpc.Datagram{Body: wire, BigEndian: true}).ParseQuack(); q != (dcerpc.Quack{ID: 5, Accepting: true}) || !ok || err != nil {
		t.Errorf("ParseQuack = %+v, %v, %v", q, ok, err)
	}
	empty := &dcerpc.Datagram{}
	if _, ok, err := empty.ParseCancel(); ok || err != nil {
		t.Errorf("a cancel without a body: %v, %v", ok, err)
	}
	if _, ok, err := empty.ParseQuack(); ok || err != nil {
		t.Errorf("a cancel_ack without a body: %v, %v", ok, err)
	}
	for _, body := range []string{"01000000 05000000 00", "000000"} {
		bad := &dcerpc.Datagram{Body: wiretest.Unhex(t, body)}
		if c, _, err := bad.ParseCancel(); err == nil {
			t.Errorf("cancel %s: %+v, want an error", body, c)
		}
		if q, _, err := bad.ParseQuack(); err == nil {
			t.Errorf("cancel_ack %s: %+v, want an error", body, q)
		}
	}
}

func TestStatusBody(t *testing.T) {
	for _, big := range []bool{false, true} {
		d := &dcerpc.Datagram{BigEndian: big, Body: dcerpc.UnknownInterface.AppendStatus(nil, big)}
		if s, err := d.Status(); s != dcerpc.UnknownInterface || err != nil {
			t.Errorf("big-endian %v: status %v, %v", big, s, err)
		}
	}
	if s, err := (&dcerpc.Datagram{Body: []byte{1, 2, 3}}).Status(); err == nil {
		t.Errorf("three bytes are %v, want an error", s)
	}
}

func TestConversation(t *testing.T) {
	client := uuid.MustParse("99999999-8888-7777-6666-555544443333")
	question := dcerpc.Question{Activity: activity, Boot: 0x66000001}
	wire := wiretest.Unhex(t, "11111111222233334444555555555555 01000066")
	if got := question.Append(nil, false); !bytes.Equal(got, wire) {
		t.Errorf("question %x, want %x", got, wire)
	}
	if got, err := dcerpc.ParseQuestion(wire, false); got != question || err != nil {
		t.Errorf("ParseQuestion = %+v, %v", got, err)
	}
	if got, err := dcerpc.ParseQuestion(wire[:19], false); err == nil {
		t.Errorf("a question that is cut short: %+v", got)
	}
	for _, tt := range []struct {
		op   uint16
		want dcerpc.Identity
		hex  string
	}{
		{dcerpc.WhoAreYou, dcerpc.Identity{Sequence: 3, Status: dcerpc.BadActivity}, "03000000 0a00001c"},
		{dcerpc.WhoAreYou2, dcerpc.Identity{Sequence: 3, Client: client}, "03000000 99999999888877776666555544443333 00000000"},
		{dcerpc.AreYouThere, dcerpc.Identity{Status: dcerpc.BadActivity}, "0a00001c"},
	} {
		wire := wiretest.Unhex(t, tt.hex)
		if got := tt.want.Append(nil, tt.op, false); !bytes.Equal(got, wire) {
			t.Errorf("identity of procedure %d: %x, want %x", tt.op, got, wire)
		}
		if got, err := dcerpc.ParseIdentity(wire, tt.op, false); got != tt.want || err != nil {
			t.Errorf("ParseIdentity of procedure %d = %+v, %v", tt.op, got, err)
		}
		if got, err := dcerpc.ParseIdentity(wire[:len(wire)-1], tt.op, false); err == nil {
			t.Errorf("an identity that is cut short: %+v", got)
		}
	}
}

// TestRecordedBodies reads the bodies of the recorded dialogues.
func TestRecordedBodies(t *testing.T) {
	var facks, questions, identities int
	for i, b := range datagrams(t) {
		d, err := dcerpc.ParseDatagram(b)
		if err != nil {
			t.Fatal(err)
		}
		if d.Type == dcerpc.TypeFack {
			facks++
			want := dcerpc.Fack{Window: 24, MaxTSDU: 65508, MaxFragment: 1464, Serial: d.Number}
			if got, err := d.ParseFack(); err != nil || !cmp.Equal(got, want) {
				t.Errorf("datagram %d: fack %+v, %v, want %+v", i, got, err, want)
			}
		}
		if d.Interface != dcerpc.Conversation() {
			continue
		}
		if d.Type == dcerpc.TypeRequest {
			questions++
			if q, err := dcerpc.ParseQuestion(d.Body, d.BigEndian); err != nil || q.Activity == d.Activity {
				t.Errorf("datagram %d: question %+v, %v", i, q, err)
			}
			continue
		}
		identities++
		if id, err := dcerpc.ParseIdentity(d.Body, d.Op, d.BigEndian); err != nil || id.Sequence != 0 || id.Status != 0 {
			t.Errorf("datagram %d: identity %+v, %v", i, id, err)
		}
	}
	if facks != 8 || questions != 7 || identities != 5 {
		t.Errorf("%d facks, %d questions, %d identities, want 8, 7 and 5", facks, questions, identities)
	}
}
