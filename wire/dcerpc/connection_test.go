package dcerpc_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
	"messngr/wire/wiretest"
)

var opaque = cmpopts.IgnoreUnexported(dcerpc.PDU{})

// segments returns the recorded packets of connections.
func segments(t testing.TB) [][]byte {
	t.Helper()
	got := recorded(t, "clrpc-dialogues.pcap", tcp)
	if len(got) != 8 {
		t.Fatalf("testdata/clrpc-dialogues.pcap has %d packets of connections, want 8", len(got))
	}
	return got
}

func parsePDU(t *testing.T, b []byte) dcerpc.PDU {
	t.Helper()
	p, rest, err := dcerpc.ParsePDU(b)
	if err != nil || len(rest) != 0 {
		t.Fatalf("ParsePDU: %d bytes left, %v", len(rest), err)
	}
	return p
}

// TestRecordedConnection reads what a client and a server of the DCE runtime said on one
// connection, and writes it again.
func TestRecordedConnection(t *testing.T) {
	for i, b := range segments(t) {
		p := parsePDU(t, b)
		if !p.First || !p.Last || p.Call != 1 && p.Type != dcerpc.TypeRequest && p.Type != dcerpc.TypeResponse {
			t.Errorf("packet %d: %+v", i, p)
		}
		body, err := rewrite(&p)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		p.Body = body
		got, err := p.Append(nil)
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("packet %d: %v\n got %x\nwant %x", i, err, got, b)
		}
	}
}

// rewrite reads the body of p and writes it again.
func rewrite(p *dcerpc.PDU) ([]byte, error) {
	switch p.Type {
	case dcerpc.TypeRequest:
		q, err := p.Request()
		return q.Append(nil, p.BigEndian), err
	case dcerpc.TypeResponse:
		s, err := p.Response()
		return s.Append(nil, p.BigEndian), err
	case dcerpc.TypeFault:
		f, err := p.Fault()
		return f.Append(nil, p.BigEndian), err
	case dcerpc.TypeBind, dcerpc.TypeAlter:
		d, err := p.Bind()
		if err != nil {
			return nil, err
		}
		return d.Append(nil, p.BigEndian)
	case dcerpc.TypeBindAck, dcerpc.TypeAlterAck:
		a, err := p.BindAck()
		if err != nil {
			return nil, err
		}
		return a.Append(nil, p.BigEndian)
	case dcerpc.TypeBindNak:
		reason, err := p.BindNak()
		return dcerpc.AppendBindNak(nil, reason, p.BigEndian), err
	}
	return p.Body, nil
}

func TestRecordedHandshake(t *testing.T) {
	packets := segments(t)
	bind := parsePDU(t, packets[0])
	got, err := bind.Bind()
	want := dcerpc.Bind{MaxSend: 65535, MaxReceive: 65535, Contexts: []dcerpc.Context{
		{ID: 0, Interface: messenger, Transfer: []dcerpc.Syntax{dcerpc.NDR()}},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("bind: %v (-want +got):\n%s", err, diff)
	}
	ack := parsePDU(t, packets[1])
	gotAck, err := ack.BindAck()
	wantAck := dcerpc.BindAck{MaxSend: 65535, MaxReceive: 65535, Group: 719245, Address: "1026",
		Results: []dcerpc.Result{{Verdict: dcerpc.Acceptance, Transfer: dcerpc.NDR()}}}
	if diff := cmp.Diff(wantAck, gotAck); diff != "" || err != nil {
		t.Errorf("bind_ack: %v (-want +got):\n%s", err, diff)
	}
	request := parsePDU(t, packets[2])
	if q, err := request.Request(); err != nil || q.AllocHint != 69 || q.Op != 0 || len(q.Stub) != 69 {
		t.Errorf("request: %+v, %v", q, err)
	}
	response := parsePDU(t, packets[3])
	if s, err := response.Response(); err != nil || s.AllocHint != 4 || !bytes.Equal(s.Stub, make([]byte, 4)) {
		t.Errorf("response: %+v, %v", s, err)
	}
}

// pduTable has one row for each field; every one holds in both directions.
func pduTable() []pduRow {
	object := uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff")
	return []pduRow{
		{"request with an object, big-endian", func() dcerpc.PDU {
			q := dcerpc.RequestBody{AllocHint: 4, Context: 1, Op: 2, Object: object, Stub: []byte("stub")}
			p := q.PDU(true)
			p.First, p.Call = true, 3
			return p
		}, "0500 00 81 00000000 002c 0000 00000003 00000004 0001 0002 00112233445566778899aabbccddeeff 73747562"},
		{"response", func() dcerpc.PDU {
			s := dcerpc.ResponseBody{AllocHint: 4, Context: 1, Cancels: 2, Stub: []byte("stub")}
			return dcerpc.PDU{Type: dcerpc.TypeResponse, Last: true, Call: 3, Body: s.Append(nil, false)}
		}, "0500 02 02 10000000 1c00 0000 03000000 04000000 0100 02 00 73747562"},
		{"fault of a call that was not run", func() dcerpc.PDU {
			f := dcerpc.FaultBody{AllocHint: 32, Context: 1, Status: dcerpc.OpRange}
			return dcerpc.PDU{Type: dcerpc.TypeFault, First: true, Last: true, DidNotExecute: true, Body: f.Append(nil, false)}
		}, "0500 03 23 10000000 2000 0000 00000000 20000000 0100 00 00 0200011c 00000000"},
		{"cancelled, with a verifier", func() dcerpc.PDU {
			return dcerpc.PDU{Type: dcerpc.TypeRequest, CancelPending: true, Maybe: true, Body: []byte("stub7"),
				Auth: &dcerpc.Auth{Type: 10, Level: 6, ContextID: 1, Value: []byte("signature")}}
		}, "0500 00 44 10000000 2900 0900 00000000 7374756237 000000 0a 06 03 00 01000000 7369676e6174757265"},
		{"the third message of an authentication", func() dcerpc.PDU {
			return dcerpc.PDU{Type: dcerpc.TypeAuth3, First: true, Last: true, Body: []byte{0, 0, 0, 0},
				Auth: &dcerpc.Auth{Type: 10, Level: 2, Value: []byte("NTLMSSP")}}
		}, "0500 10 03 10000000 2300 0700 00000000 00000000 0a 02 00 00 00000000 4e544c4d535350"},
		{"no bind", func() dcerpc.PDU {
			return dcerpc.PDU{Type: dcerpc.TypeBindNak, Body: dcerpc.AppendBindNak(nil, 4, true), BigEndian: true}
		}, "0500 0d 00 00000000 0016 0000 00000000 0004 01 0500 00"},
		{"alter_context of two, big-endian", func() dcerpc.PDU {
			d := dcerpc.Bind{MaxSend: 4280, MaxReceive: 4280, Group: 7, Contexts: []dcerpc.Context{
				{ID: 1, Interface: messenger, Transfer: []dcerpc.Syntax{dcerpc.NDR()}}, {ID: 2, Interface: messenger},
			}}
			b, _ := d.Append(nil, true)
			return dcerpc.PDU{Type: dcerpc.TypeAlter, BigEndian: true, Body: b}
		}, "0500 0e 00 00000000 0060 0000 00000000 10b8 10b8 00000007 02 000000" +
			"0001 01 00 5a7b91f8ff0011d0a9b200c04fb6e6fc 00000001 8a885d041ceb11c99fe808002b104860 00000002" +
			"0002 00 00 5a7b91f8ff0011d0a9b200c04fb6e6fc 00000001"},
		{"answer to it", func() dcerpc.PDU {
			a := dcerpc.BindAck{MaxSend: 4280, MaxReceive: 4280, Group: 7, Results: []dcerpc.Result{
				{Transfer: dcerpc.NDR()}, {Verdict: dcerpc.ProviderRejection, Reason: dcerpc.TransfersUnsupported},
			}}
			b, _ := a.Append(nil, false)
			return dcerpc.PDU{Type: dcerpc.TypeAlterAck, Body: b}
		}, "0500 0f 00 10000000 5000 0000 00000000 b810 b810 07000000 0000 0000 02 000000" +
			"0000 0000 045d888aeb1cc9119fe808002b104860 02000000" +
			"0200 0200 00000000000000000000000000000000 00000000"},
	}
}

type pduRow struct {
	name string
	pdu  func() dcerpc.PDU
	hex  string
}

func TestPDU(t *testing.T) {
	for _, tt := range pduTable() {
		t.Run(tt.name, func(t *testing.T) {
			p, wire := tt.pdu(), wiretest.Unhex(t, tt.hex)
			got, err := p.Append([]byte("odd"))
			if want := append([]byte("odd"), wire...); err != nil || !bytes.Equal(got, want) {
				t.Errorf("Append: %v\n got %x\nwant %x", err, got, want)
			}
			parsed := parsePDU(t, wire)
			if diff := cmp.Diff(p, parsed, opaque); diff != "" {
				t.Errorf("ParsePDU (-want +got):\n%s", diff)
			}
			if parsed.Auth != nil {
				return
			}
			body, err := rewrite(&parsed)
			if err != nil || !bytes.Equal(body, p.Body) {
				t.Errorf("body: %v\n got %x\nwant %x", err, body, p.Body)
			}
		})
	}
}

func TestPDURefuses(t *testing.T) {
	plain := wiretest.Unhex(t, pduTable()[1].hex)
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
		short  bool
	}{
		{"nothing", func([]byte) []byte { return nil }, true},
		{"header cut short", func(b []byte) []byte { return b[:15] }, true},
		{"body cut short", func(b []byte) []byte { return b[:27] }, true},
		{"a datagram", func(b []byte) []byte { b[0] = 4; return b }, false},
		{"version 5.2", func(b []byte) []byte { b[1] = 2; return b }, false},
		{"EBCDIC", func(b []byte) []byte { b[4] = 0x11; return b }, false},
		{"shorter than a header", func(b []byte) []byte { b[8] = 15; return b }, false},
		{"a verifier that is too long", func(b []byte) []byte { b[10] = 5; return b }, false},
		{"padding that is too long", func(b []byte) []byte { b[10], b[18] = 4, 5; return b }, false},
	} {
		p, rest, err := dcerpc.ParsePDU(tt.change(bytes.Clone(plain)))
		if err == nil || errors.Is(err, ndr.ErrShort) != tt.short {
			t.Errorf("%s: %+v, %d bytes left, %v", tt.name, p, len(rest), err)
		}
	}
	if _, rest, err := dcerpc.ParsePDU(append(bytes.Clone(plain), "next"...)); string(rest) != "next" || err != nil {
		t.Errorf("%q follows, %v, want \"next\"", rest, err)
	}
	long := dcerpc.PDU{Body: make([]byte, dcerpc.MaxPDU)}
	if got, err := long.Append(nil); err == nil {
		t.Errorf("a packet of %d bytes was written", len(got))
	}
}

func TestBodiesRefuse(t *testing.T) {
	many := bytes.Repeat([]byte{0xff}, 400)
	for _, big := range []bool{false, true} {
		for p := range dcerpc.TypeOrphaned + 1 {
			for _, body := range [][]byte{nil, many[:1], many[:11], many} {
				pdu := dcerpc.PDU{Type: p, BigEndian: big, Body: body}
				_, errRequest := pdu.Request()
				_, errResponse := pdu.Response()
				_, errFault := pdu.Fault()
				_, errBind := pdu.Bind()
				_, errAck := pdu.BindAck()
				_, errNak := pdu.BindNak()
				fine := 0
				for _, err := range []error{errRequest, errResponse, errFault, errBind, errAck, errNak} {
					if err == nil {
						fine++
					}
				}
				if fine > 1 || fine == 1 && len(body) < 2 || errBind == nil || errAck == nil {
					t.Errorf("%v with %d bytes can be read in %d ways", p, len(body), fine)
				}
			}
		}
	}
	tooMany := dcerpc.Bind{Contexts: make([]dcerpc.Context, 65)}
	if _, err := tooMany.Append(nil, false); err == nil {
		t.Error("65 contexts were written")
	}
	tooManySyntaxes := dcerpc.Bind{Contexts: []dcerpc.Context{{Transfer: make([]dcerpc.Syntax, 17)}}}
	if _, err := tooManySyntaxes.Append(nil, false); err == nil {
		t.Error("17 transfer syntaxes were written")
	}
	tooLong := dcerpc.BindAck{Address: string(many)}
	if _, err := tooLong.Append(nil, false); err == nil {
		t.Error("an address of 400 bytes was written")
	}
}

func FuzzPDU(f *testing.F) {
	for _, b := range segments(f) {
		f.Add(b)
	}
	for _, row := range pduTable() {
		f.Add(wiretest.Unhex(f, row.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, err := dcerpc.ParsePDU(b)
		if err != nil {
			return
		}
		if len(rest) >= len(b) {
			t.Fatalf("%d of %d bytes are left", len(rest), len(b))
		}
		again, err := p.Append(nil)
		if err != nil {
			return // its padding made it too long
		}
		got := parsePDU(t, again)
		if diff := cmp.Diff(p, got, opaque, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("parsed again (-first +second):\n%s", diff)
		}
		first, err := rewrite(&p)
		if err != nil {
			return
		}
		got.Body = first
		second, err := rewrite(&got)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("body written again: %v\n got %x\nwant %x", err, second, first)
		}
	})
}
