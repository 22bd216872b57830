package dcerpc_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/wiretest"
)

// header is the header of the tables from the object on: without one, of the Messenger's
// interface and of the activity, in either order of bytes.
const (
	little = "00000000000000000000000000000000 f8917b5a00ffd011a9b200c04fb6e6fc 11111111222233334444555555555555"
	big    = "00000000000000000000000000000000 5a7b91f8ff0011d0a9b200c04fb6e6fc 11111111222233334444555555555555"
)

func call(t dcerpc.PacketType, change func(*dcerpc.Datagram)) dcerpc.Datagram {
	d := dcerpc.Datagram{
		Type: t, Interface: messenger, Activity: activity,
		InterfaceHint: dcerpc.NoHint, ActivityHint: dcerpc.NoHint, Body: []byte{},
	}
	change(&d)
	return d
}

// datagramTable has one row for each field; every one holds in both directions.
func datagramTable() []datagramRow {
	const rest = "00000000 01000000 00000000 0000 ffff ffff 0000 0000 00 00"
	return []datagramRow{
		{"request of nothing", call(dcerpc.TypeRequest, func(*dcerpc.Datagram) {}),
			"0400 0000 100000 00" + little + rest},
		{"big-endian", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) {
			d.BigEndian, d.Serial = true, 0x0102
			d.ServerBoot, d.Sequence, d.Op = 0x01020304, 0x05060708, 0x0a0b
			d.Interface.Minor = 2
			d.InterfaceHint, d.ActivityHint, d.Number = 1, 2, 3
			d.Body = []byte("body")
		}), "0400 0000 000000 01" + big + "01020304 00020001 05060708 0a0b 0001 0002 0004 0003 00 02" + "626f6479"},
		{"little-endian", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) {
			d.Serial = 0x0102
			d.ServerBoot, d.Sequence, d.Op = 0x01020304, 0x05060708, 0x0a0b
			d.Interface.Minor = 2
			d.InterfaceHint, d.ActivityHint, d.Number = 1, 2, 3
			d.Body = []byte("body")
		}), "0400 0000 100000 01" + little + "04030201 01000200 08070605 0b0a 0100 0200 0400 0300 00 02" + "626f6479"},
		{"an object", call(dcerpc.TypePing, func(d *dcerpc.Datagram) {
			d.Object = uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff")
		}), "0401 0000 100000 00 33221100554477668899aabbccddeeff" + little[32:] + rest},
		{"a fragment", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) { d.Fragment = true }),
			"0400 0400 100000 00" + little + rest},
		{"the last fragment", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) { d.Fragment, d.Last = true, true }),
			"0400 0600 100000 00" + little + rest},
		{"no fack", call(dcerpc.TypeResponse, func(d *dcerpc.Datagram) { d.NoFack = true }),
			"0402 0800 100000 00" + little + rest},
		{"maybe", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) { d.Maybe = true }),
			"0400 1000 100000 00" + little + rest},
		{"idempotent", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) { d.Idempotent = true }),
			"0400 2000 100000 00" + little + rest},
		{"broadcast", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) { d.Broadcast = true }),
			"0400 4000 100000 00" + little + rest},
		{"cancel pending", call(dcerpc.TypeFault, func(d *dcerpc.Datagram) { d.CancelPending = true }),
			"0403 0002 100000 00" + little + rest},
		{"authenticated", call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) { d.Auth = 1 }),
			"0400 0000 100000 00" + little + rest[:len(rest)-5] + "01 00"},
	}
}

type datagramRow struct {
	name string
	d    dcerpc.Datagram
	hex  string
}

func TestDatagram(t *testing.T) {
	for _, tt := range datagramTable() {
		t.Run(tt.name, func(t *testing.T) {
			wire := wiretest.Unhex(t, tt.hex)
			got, err := tt.d.Append([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			if want := append([]byte("before"), wire...); !bytes.Equal(got, want) {
				t.Errorf("Append\n got %x\nwant %x", got, want)
			}
			parsed, err := dcerpc.ParseDatagram(wire)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.d, parsed); diff != "" {
				t.Errorf("ParseDatagram (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDatagramIsLax(t *testing.T) {
	plain := wiretest.Unhex(t, datagramTable()[0].hex)
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
	}{
		{"upper half of the version", func(b []byte) []byte { b[0] = 0x84; return b }},
		{"upper bits of the type", func(b []byte) []byte { b[1] |= 0xe0; return b }},
		{"reserved flags", func(b []byte) []byte { b[2] |= 0x81; return b }},
		{"unrelated calls", func(b []byte) []byte { b[3] |= 0x04; return b }},
		{"other floating-point numbers", func(b []byte) []byte { b[5] = 1; return b }},
	} {
		want, err := dcerpc.ParseDatagram(plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := dcerpc.ParseDatagram(tt.change(bytes.Clone(plain)))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	sealed := append(wiretest.Unhex(t, datagramTable()[len(datagramTable())-1].hex), "verifier"...)
	if d, err := dcerpc.ParseDatagram(sealed); err != nil || len(d.Body) != 0 {
		t.Errorf("a packet with a verifier has body %q, %v, want none", d.Body, err)
	}
}

func TestDatagramRefuses(t *testing.T) {
	plain := wiretest.Unhex(t, datagramTable()[0].hex)
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
	}{
		{"nothing", func([]byte) []byte { return nil }},
		{"cut short", func(b []byte) []byte { return b[:79] }},
		{"a connection's packet", func(b []byte) []byte { b[0] = 5; return b }},
		{"a type of connections", func(b []byte) []byte { b[1] = 11; return b }},
		{"EBCDIC", func(b []byte) []byte { b[4] = 0x11; return b }},
		{"another order of bytes", func(b []byte) []byte { b[4] = 0x20; return b }},
		{"a longer body", func(b []byte) []byte { return append(b, 0) }},
		{"a shorter body", func(b []byte) []byte { b[74] = 1; return b }},
		{"a much shorter body", func(b []byte) []byte { b[74], b[75] = 0xff, 0xff; return b }},
	} {
		if d, err := dcerpc.ParseDatagram(tt.change(bytes.Clone(plain))); err == nil {
			t.Errorf("%s: %+v, want an error", tt.name, d)
		}
	}
	d := dcerpc.Datagram{Body: make([]byte, dcerpc.MaxBody+1)}
	if got, err := d.Append([]byte("b")); err == nil || string(got) != "b" {
		t.Errorf("a body that is too long gives %d bytes, %v", len(got), err)
	}
}

// TestRecordedDatagrams writes every recorded packet again, with the same bytes but for
// PF2_UNRELATED, which one of them has.
func TestRecordedDatagrams(t *testing.T) {
	for i, b := range datagrams(t) {
		d, err := dcerpc.ParseDatagram(b)
		if err != nil {
			t.Errorf("datagram %d: %v", i, err)
			continue
		}
		b[3] &^= 0x04
		got, err := d.Append(nil)
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("datagram %d: %v\n got %x\nwant %x", i, err, got, b)
		}
	}
}

func TestAnswer(t *testing.T) {
	question := call(dcerpc.TypeRequest, func(d *dcerpc.Datagram) {
		d.BigEndian, d.Idempotent, d.Sequence, d.Op, d.Number, d.Serial = true, true, 7, 3, 2, 9
		d.Body = []byte("body")
	})
	want := call(dcerpc.TypeReject, func(d *dcerpc.Datagram) {
		d.BigEndian, d.Sequence, d.Op, d.Number, d.Serial, d.ServerBoot = true, 7, 3, 2, 9, 1234
		d.Body = nil
	})
	if diff := cmp.Diff(want, question.Answer(dcerpc.TypeReject, 1234)); diff != "" {
		t.Errorf("Answer (-want +got):\n%s", diff)
	}
}

func FuzzDatagram(f *testing.F) {
	for _, b := range datagrams(f) {
		f.Add(b)
	}
	for _, row := range datagramTable() {
		f.Add(wiretest.Unhex(f, row.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := dcerpc.ParseDatagram(b)
		if err != nil {
			return
		}
		again, err := d.Append(nil)
		if err != nil {
			t.Fatalf("%+v does not encode: %v", d, err)
		}
		got, err := dcerpc.ParseDatagram(again)
		if err != nil {
			t.Fatalf("own bytes %x do not parse: %v", again, err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Errorf("parsed again (-first +second):\n%s", diff)
		}
		checkBodies(t, &d)
	})
}

// checkBodies reads the body of d as each kind of body there is: what can be read must be
// read again as the same when it was written.
func checkBodies(t *testing.T, d *dcerpc.Datagram) {
	t.Helper()
	same := func(what string, value any, body []byte, parse func(*dcerpc.Datagram) (any, error)) {
		t.Helper()
		got, err := parse(&dcerpc.Datagram{BigEndian: d.BigEndian, Body: body})
		if err != nil {
			t.Fatalf("own %s %x does not parse: %v", what, body, err)
		}
		if diff := cmp.Diff(value, got); diff != "" {
			t.Errorf("%s parsed again (-first +second):\n%s", what, diff)
		}
	}
	if fack, err := d.ParseFack(); err == nil {
		same("fack", fack, fack.Append(nil, d.BigEndian), func(d *dcerpc.Datagram) (any, error) { return d.ParseFack() })
	}
	if c, ok, err := d.ParseCancel(); err == nil && ok {
		same("cancel", c, c.Append(nil, d.BigEndian), func(d *dcerpc.Datagram) (any, error) { c, _, err := d.ParseCancel(); return c, err })
	}
	if q, ok, err := d.ParseQuack(); err == nil && ok {
		same("cancel_ack", q, q.Append(nil, d.BigEndian), func(d *dcerpc.Datagram) (any, error) { q, _, err := d.ParseQuack(); return q, err })
	}
	if s, err := d.Status(); err == nil {
		same("status", s, s.AppendStatus(nil, d.BigEndian), func(d *dcerpc.Datagram) (any, error) { return d.Status() })
	}
	if q, err := dcerpc.ParseQuestion(d.Body, d.BigEndian); err == nil {
		same("question", q, q.Append(nil, d.BigEndian), func(d *dcerpc.Datagram) (any, error) { return dcerpc.ParseQuestion(d.Body, d.BigEndian) })
	}
	for _, op := range []uint16{dcerpc.WhoAreYou, dcerpc.WhoAreYou2, dcerpc.AreYouThere} {
		if i, err := dcerpc.ParseIdentity(d.Body, op, d.BigEndian); err == nil {
			same("identity", i, i.Append(nil, op, d.BigEndian), func(d *dcerpc.Datagram) (any, error) {
				return dcerpc.ParseIdentity(d.Body, op, d.BigEndian)
			})
		}
	}
}
