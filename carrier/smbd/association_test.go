package smbd_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"messngr/wire/dcerpc"
)

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(append(binary.LittleEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() (dcerpc.PDU, error) {
	var length [2]byte
	if _, err := io.ReadFull(c.conn, length[:]); err != nil {
		return dcerpc.PDU{}, err
	}
	b := make([]byte, binary.LittleEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c.conn, b); err != nil {
		return dcerpc.PDU{}, err
	}
	p, rest, err := dcerpc.ParsePDU(b)
	if len(rest) > 0 {
		c.t.Errorf("%d bytes behind a packet", len(rest))
	}
	return p, err
}

func (c *client) pdu(p dcerpc.PDU) []byte {
	c.t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// bind proposes contexts and returns the answer.
func (c *client) bind(kind dcerpc.PacketType, size uint16, contexts ...dcerpc.Context) dcerpc.BindAck {
	c.t.Helper()
	body, err := (&dcerpc.Bind{MaxSend: size, MaxReceive: size, Contexts: contexts}).Append(nil, false)
	if err != nil {
		c.t.Fatal(err)
	}
	c.call++
	c.write(c.pdu(dcerpc.PDU{Type: kind, First: true, Last: true, Call: c.call, Body: body}))
	p, err := c.read()
	if err != nil || p.Call != c.call {
		c.t.Fatalf("bind is answered with %+v, %v", p, err)
	}
	ack, err := p.BindAck()
	if err != nil {
		c.t.Fatal(err)
	}
	return ack
}

func (c *client) bound() *client {
	c.t.Helper()
	ack := c.bind(dcerpc.TypeBind, 4280, dcerpc.Context{ID: 3, Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}})
	want := dcerpc.BindAck{
		MaxSend: 4280, MaxReceive: 4280, Group: ack.Group, Address: `\PIPE\msgsvc`, Results: []dcerpc.Result{{Transfer: dcerpc.NDR()}},
	}
	if diff := cmp.Diff(want, ack); diff != "" || ack.Group == 0 {
		c.t.Fatalf("bind_ack (-want +got):\n%s", diff)
	}
	return c
}

// request is a call in one packet.
func (c *client) request(context, op uint16, stub string, big bool) dcerpc.PDU {
	c.call++
	p := (&dcerpc.RequestBody{AllocHint: uint32(len(stub)), Context: context, Op: op, Stub: []byte(stub)}).PDU(big)
	p.First, p.Last, p.Call = true, true, c.call
	return p
}

// do makes a call and returns its response.
func (c *client) do(op uint16, stub string) string {
	c.t.Helper()
	c.write(c.pdu(c.request(3, op, stub, false)))
	return c.response()
}

func (c *client) response() string {
	c.t.Helper()
	var whole []byte
	for first := true; ; first = false {
		p, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		body, err := p.Response()
		if err != nil || p.Call != c.call || p.First != first || body.Context != 3 {
			c.t.Fatalf("response %+v, %+v, %v", p, body, err)
		}
		if want := len(whole) + int(body.AllocHint); !first && want < len(whole) {
			c.t.Errorf("a hint of %d bytes", want)
		}
		if whole = append(whole, body.Stub...); p.Last {
			return string(whole)
		}
	}
}

func (c *client) fault() (dcerpc.Status, bool) {
	c.t.Helper()
	p, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := p.Fault()
	if err != nil || p.Call != c.call {
		c.t.Fatalf("fault %+v, %v", p, err)
	}
	return f.Status, p.DidNotExecute
}

func TestCalls(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody).bound()
	for _, stub := range []string{"hello", "", string(bytes.Repeat([]byte("0123456789"), 5000))} {
		if got := c.do(0, stub); got != stub {
			t.Errorf("%d bytes came back for %d", len(got), len(stub))
		}
	}
	if got := c.do(1, "!"); got != "alpha!" {
		t.Errorf("got %q", got)
	}
	// In both orders of bytes.
	c.write(c.pdu(c.request(3, 0, "big", true)))
	if got := c.response(); got != "big" {
		t.Errorf("big-endian: got %q", got)
	}
}

func TestFaults(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody).bound()
	for _, tt := range []struct {
		name        string
		context, op uint16
		want        dcerpc.Status
		notRun      bool
	}{
		{"no such procedure", 3, 9, dcerpc.OpRange, true},
		{"no such context", 4, 0, dcerpc.UnknownPresContext, true},
		{"failure", 3, 2, dcerpc.UnspecifiedFault, false},
	} {
		c.write(c.pdu(c.request(tt.context, tt.op, "x", false)))
		if got, notRun := c.fault(); got != tt.want || notRun != tt.notRun {
			t.Errorf("%s: %v, not run %v", tt.name, got, notRun)
		}
	}
	if got := c.do(0, "still here"); got != "still here" {
		t.Errorf("got %q", got)
	}
}

// TestFragments: calls and answers in pieces, packets in pieces, two packets at once.
func TestFragments(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody).bound()
	whole := string(bytes.Repeat([]byte("0123456789abcdef"), 1000))
	c.call++
	for rest := whole; rest != ""; {
		n := min(len(rest), 4000)
		p := (&dcerpc.RequestBody{Context: 3, Op: 0, Stub: []byte(rest[:n])}).PDU(false)
		p.First, p.Last, p.Call = rest == whole, n == len(rest), c.call
		c.write(c.pdu(p))
		rest = rest[n:]
	}
	if got := c.response(); got != whole {
		t.Errorf("%d bytes came back, want %d", len(got), len(whole))
	}
	b := c.pdu(c.request(3, 0, "in pieces", false))
	for _, piece := range [][]byte{b[:7], b[7:20], b[20:]} {
		c.write(piece)
	}
	if got := c.response(); got != "in pieces" {
		t.Errorf("got %q", got)
	}
	two := append(c.pdu(c.request(3, 0, "one", false)), c.pdu(dcerpc.PDU{Type: dcerpc.TypeCoCancel, Call: c.call})...)
	c.write(two)
	if got := c.response(); got != "one" {
		t.Errorf("got %q", got)
	}
	// A call that its client gives up.
	p := c.request(3, 0, "half", false)
	p.Last = false
	c.write(c.pdu(p))
	c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeOrphaned, Call: c.call}))
	if got := c.do(0, "another"); got != "another" {
		t.Errorf("got %q", got)
	}
}

// TestSmallClient: no packet is longer than its client takes.
func TestSmallClient(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	for size, want := range map[uint16]int{2048: 2048, 100: 1432, 65535: 4280} {
		c := openPipe(t, folder, somebody)
		ack := c.bind(dcerpc.TypeBind, size, dcerpc.Context{ID: 3, Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}})
		c.write(c.pdu(c.request(3, 0, string(make([]byte, 20000)), false)))
		if int(ack.MaxSend) != want || int(ack.MaxReceive) != want {
			t.Errorf("for %d: agreed on %d and %d, want %d", size, ack.MaxSend, ack.MaxReceive, want)
		}
		longest := 0
		for {
			p, err := c.read()
			if err != nil {
				t.Fatal(err)
			}
			longest = max(longest, 16+len(p.Body))
			if p.Last {
				break
			}
		}
		if longest > want || longest < want-16 {
			t.Errorf("for %d: packets of %d bytes, want up to %d", size, longest, want)
		}
	}
}

func TestBind(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody)
	ndr64 := dcerpc.Syntax{ID: uuid.MustParse("71710533-beba-4937-8319-b5dbef9ccc36"), Major: 1}
	features := dcerpc.Syntax{ID: uuid.MustParse("6cb71c2c-9812-4540-0300-000000000000"), Major: 1}
	other := dcerpc.Syntax{ID: uuid.MustParse("12345778-1234-abcd-ef00-0123456789ac"), Major: 1}
	ack := c.bind(dcerpc.TypeBind, 5840,
		dcerpc.Context{ID: 0, Interface: other, Transfer: []dcerpc.Syntax{dcerpc.NDR()}},
		dcerpc.Context{ID: 1, Interface: echo(), Transfer: []dcerpc.Syntax{ndr64}},
		dcerpc.Context{ID: 3, Interface: echo(), Transfer: []dcerpc.Syntax{ndr64, dcerpc.NDR()}},
		dcerpc.Context{ID: 4, Interface: echo(), Transfer: []dcerpc.Syntax{features}},
	)
	want := []dcerpc.Result{
		{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.AbstractUnsupported},
		{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.TransfersUnsupported},
		{Transfer: dcerpc.NDR()},
		{Verdict: dcerpc.NegotiateAck},
	}
	if diff := cmp.Diff(want, ack.Results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if got := c.do(0, "x"); got != "x" {
		t.Errorf("got %q", got)
	}
	later := c.bind(dcerpc.TypeAlter, 5840, dcerpc.Context{ID: 9, Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}})
	if len(later.Results) != 1 || later.Results[0].Verdict != dcerpc.Acceptance || later.Address != "" {
		t.Errorf("alter_context is answered with %+v", later)
	}
}

// TestBindWithAuthentication: whom smbd has not introduced, nobody else does.
func TestBindWithAuthentication(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	c := openPipe(t, folder, somebody)
	body, err := (&dcerpc.Bind{MaxSend: 4280, MaxReceive: 4280, Contexts: []dcerpc.Context{
		{Interface: echo(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}},
	}}).Append(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeBind, First: true, Last: true, Call: 1, Body: body,
		Auth: &dcerpc.Auth{Type: 10, Level: 6, Value: []byte("NTLMSSP\x00")}}))
	p, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	if reason, err := p.BindNak(); err != nil || reason != 8 {
		t.Errorf("answered with %+v, reason %d, %v, want 8", p, reason, err)
	}
	c.ends()
}

// ends checks that the server closes the pipe.
func (c *client) ends() {
	c.t.Helper()
	if p, err := c.read(); err == nil {
		c.t.Errorf("heard %+v, want the end", p)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Error("the pipe stays open")
	}
}

// TestPipeNonsense: it ends the one pipe, and nothing else.
func TestPipeNonsense(t *testing.T) {
	folder, _ := servePipes(t, runEcho)
	for name, say := range map[string]func(c *client){
		"no packet": func(c *client) { c.write([]byte("GET / HTTP/1.0\r\n\r\n")) },
		"a response": func(c *client) {
			c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeResponse, First: true, Last: true, Body: make([]byte, 8)}))
		},
		"the middle of a call": func(c *client) { p := c.request(3, 0, "x", false); p.First = false; c.write(c.pdu(p)) },
		"the middle of another call": func(c *client) {
			p := c.request(3, 0, "x", false)
			p.Last = false
			c.write(c.pdu(p))
			p = c.request(3, 0, "x", false)
			p.First = false
			c.write(c.pdu(p))
		},
		"two orders of bytes in one call": func(c *client) {
			p := c.request(3, 0, "x", false)
			p.Last = false
			c.write(c.pdu(p))
			c.call--
			p = c.request(3, 0, "x", true)
			p.First = false
			c.write(c.pdu(p))
		},
		"a signed call": func(c *client) {
			p := c.request(3, 0, "x", false)
			p.Auth = &dcerpc.Auth{Type: 10, Level: 5, Value: make([]byte, 16)}
			c.write(c.pdu(p))
		},
		"a call without an end": func(c *client) {
			p := c.request(3, 0, string(make([]byte, 60000)), false)
			p.Last = false
			for i := range 5 {
				p.First = i == 0
				c.write(c.pdu(p))
			}
		},
		"a packet without an end": func(c *client) {
			c.write([]byte("\x05\x00\x00\x03\x10\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00"))
			c.write(make([]byte, 0xffff))
		},
		"no body":           func(c *client) { c.write(c.pdu(dcerpc.PDU{Type: dcerpc.TypeBind, First: true, Last: true})) },
		"a mistake of ours": func(c *client) { c.write(c.pdu(c.request(3, 3, "x", false))) },
	} {
		t.Run(name, func(t *testing.T) {
			c := openPipe(t, folder, somebody).bound()
			say(c)
			c.ends()
			if got := openPipe(t, folder, somebody).bound().do(0, "x"); got != "x" {
				t.Errorf("got %q", got)
			}
		})
	}
}
