package msgsvc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/transport/msgsvc"
	"messngr/wire/dcerpc"
	wire "messngr/wire/msgsvc"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// fake is a network that is made by hand. It implements msgsvc.Network.
type fake struct {
	serve  handler
	called []netip.Addr
	last   wire.Message
	big    bool // how the answer is written
	answer func(to netip.Addr) ([]byte, error)
}

func (f *fake) Handle(_ dcerpc.Syntax, _ string, h handler) { f.serve = h }

func (f *fake) Port() uint16 { return 135 }

func (f *fake) Call(_ context.Context, to netip.Addr, call dcerpc.Call) (dcerpc.Answer, error) {
	f.called = append(f.called, to)
	m, err := wire.Parse(call.Stub, call.BigEndian)
	if err != nil || call.Interface != wire.Interface() || call.Op != wire.SendMessage {
		return dcerpc.Answer{}, fmt.Errorf("called %+v, %w", call, err)
	}
	f.last = m
	if f.answer == nil {
		return dcerpc.Answer{Stub: wire.AppendStatus(nil, wire.Success, f.big), BigEndian: f.big}, nil
	}
	stub, err := f.answer(to)
	return dcerpc.Answer{Stub: stub, BigEndian: f.big}, err
}

// attach makes a transport on a network that is made by hand.
func attach(t testing.TB, adjust func(*transport.Env, *msgsvc.Config)) (*fake, *msgsvc.Transport) {
	t.Helper()
	env, c := transport.Env{Host: "BETA", Local: func(name string) bool { return name == "BETA" || name == "BOB" }}, *msgsvc.DefaultConfig()
	if adjust != nil {
		adjust(&env, &c)
	}
	f := &fake{}
	part, err := msgsvc.New(env, f, c)
	if err != nil {
		t.Fatal(err)
	}
	return f, part
}

// receive lets a transport receive until the test ends, and returns what it hands over.
func receive(t testing.TB, part *msgsvc.Transport, result error) (got *[]messngr.Inbound) {
	t.Helper()
	got = new([]messngr.Inbound)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	started := make(chan struct{})
	go func() {
		close(started)
		ended <- part.Receive(ctx, func(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
			*got = append(*got, in)
			return messngr.Results{{To: in.To[0], Err: result}}, result
		})
	}()
	<-started
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return got
}

var sender = netip.MustParseAddrPort("10.77.0.1:50000")

// call runs one call of a message, when the transport receives.
func (f *fake) call(t testing.TB, m wire.Message, big bool) (wire.Status, error) {
	t.Helper()
	call := dcerpc.Call{
		Interface: wire.Interface(), Op: wire.SendMessage, Stub: m.Append(nil, big), BigEndian: big,
		Activity: uuid.MustParse("11111111-2222-3333-4444-555555555555"), Sequence: 7,
	}
	for {
		stub, err := f.serve(t.Context(), sender, call)
		var status *dcerpc.StatusError
		if errors.As(err, &status) && status.Status == dcerpc.UnknownInterface {
			continue // Receive has not begun
		}
		if err != nil {
			return 0, err
		}
		return wire.ParseStatus(stub, big)
	}
}

func message(from, to, text string) wire.Message {
	return wire.Message{From: []byte(from), To: []byte(to), Text: []byte(text)}
}

func TestInbound(t *testing.T) {
	for _, big := range []bool{false, true} {
		f, part := attach(t, nil)
		got := receive(t, part, nil)
		status, err := f.call(t, message("ALICE", "beta ", "Gr\x81\xe1e\r\ntwo\x14three\x1b[31m"), big)
		if err != nil || status != wire.Success {
			t.Fatalf("%v, %v", status, err)
		}
		want := []messngr.Inbound{{
			Message: messngr.Message{
				From: messngr.From{Claimed: "ALICE", Address: sender.Addr()},
				To:   "beta", Via: "rpc", Text: "Grüße\ntwo\nthree^[[31m",
			},
			To: []string{"BETA"},
		}}
		if diff := cmp.Diff(want, *got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreFields(messngr.Inbound{}, "Origin")); diff != "" {
			t.Errorf("inbound (-want +got):\n%s", diff)
		}
	}
}

// TestOrigin: a call that is repeated is the same message, and another text is another one,
// even from a program that gives all its calls the same number.
func TestOrigin(t *testing.T) {
	f, part := attach(t, nil)
	got := receive(t, part, nil)
	for _, text := range []string{"one", "one", "two"} {
		if status, err := f.call(t, message("A", "BETA", text), false); err != nil || status != wire.Success {
			t.Fatalf("%v, %v", status, err)
		}
	}
	first, again, other := (*got)[0].Origin, (*got)[1].Origin, (*got)[2].Origin
	if !strings.HasPrefix(string(first), "rpc/11111111-2222-3333-4444-555555555555/7/") || again != first || other == first {
		t.Errorf("origins %q, %q and, of another text, %q", first, again, other)
	}
}

func TestRecipients(t *testing.T) {
	for typed, want := range map[string]string{
		"BETA": "BETA", "bob": "BOB", "10.77.0.2": "BETA", "beta.example.com": "BETA", "NOBODY": "", "nobody.example.com": "", "": "",
	} {
		f, part := attach(t, nil)
		got := receive(t, part, nil)
		status, err := f.call(t, message("A", typed, "x"), false)
		if err != nil || (status == wire.Success) != (want != "") || want == "" && status != wire.NameNotFound {
			t.Errorf("to %q: %v, %v", typed, status, err)
		}
		if want != "" && (len(*got) != 1 || (*got)[0].To[0] != want) {
			t.Errorf("to %q: handed over as %+v, want it for %s", typed, *got, want)
		}
	}
}

// TestCodes turns errors into return codes and back.
func TestCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want wire.Status
	}{
		{nil, 0}, {messngr.ErrUnknownName, 0x8E1}, {messngr.ErrRefused, 5}, {messngr.ErrPaused, 0x8E9},
		{messngr.ErrBusy, 0x8EA}, {messngr.ErrUnavailable, 0x858}, {errors.New("other"), 0x858},
		{&messngr.TooLongError{Limit: 1}, 0x57},
	} {
		f, part := attach(t, nil)
		result := tt.err
		if result != nil {
			result = fmt.Errorf("store: %w", result)
		}
		receive(t, part, result)
		if status, err := f.call(t, message("A", "BETA", "x"), false); status != tt.want || err != nil {
			t.Errorf("%v gives %v (%d), %v, want %d", tt.err, status, uint32(status), err, uint32(tt.want))
		}
	}
	for status, want := range map[wire.Status]error{
		wire.Success: nil, wire.NameNotFound: messngr.ErrUnknownName, wire.NotLocalName: messngr.ErrUnknownName,
		wire.AccessDenied: messngr.ErrRefused, wire.InvalidParameter: messngr.ErrRefused, wire.DuplicateName: messngr.ErrRefused,
		wire.Paused: messngr.ErrPaused, wire.NotReceived: messngr.ErrBusy, wire.NetworkError: messngr.ErrUnavailable,
		wire.NotSupported: messngr.ErrUnavailable, 1234: messngr.ErrRefused,
		0x800708E1: messngr.ErrUnknownName,
	} {
		for _, big := range []bool{false, true} { // a server answers in its own order of bytes
			f, part := attach(t, nil)
			f.big = big
			f.answer = func(netip.Addr) ([]byte, error) { return wire.AppendStatus(nil, status, big), nil }
			ev, err := part.Send(t.Context(), toBeta, &messngr.Message{Text: "x"})
			if !errors.Is(err, want) || (ev.State == messngr.Accepted) != (want == nil) || want != nil && !errors.Is(err, status.Code()) {
				t.Errorf("%v (%d), big-endian %v, gives %+v, %v, want %v", status, uint32(status), big, ev, err, want)
			}
		}
	}
}

var toBeta = messngr.Device{Name: "BETA", Address: netip.MustParseAddr("10.77.0.2")}

// TestCallsThatFail says what the failure of a call means for the message.
func TestCallsThatFail(t *testing.T) {
	reject := func(s dcerpc.Status) error { return &dcerpc.StatusError{Status: s, Rejected: true} }
	fault := func(s dcerpc.Status) error { return &dcerpc.StatusError{Status: s} }
	for _, tt := range []struct {
		err  error
		want error
	}{
		{carrier.ErrOff, messngr.ErrUnavailable},
		{errors.New("no answer"), messngr.ErrUncertain},
		{context.DeadlineExceeded, messngr.ErrUncertain},
		{reject(dcerpc.UnknownInterface), messngr.ErrUnavailable},
		{reject(dcerpc.OpRange), messngr.ErrUnavailable},
		{reject(dcerpc.WhoAreYouFailed), messngr.ErrUnavailable},
		{reject(dcerpc.ServerTooBusy), messngr.ErrBusy},
		{reject(dcerpc.AccessDenied), messngr.ErrRefused},
		{fault(dcerpc.AccessDenied), messngr.ErrRefused},
		{fault(dcerpc.BadStub), messngr.ErrRefused},
		{fault(dcerpc.OpRange), messngr.ErrUnavailable},
		{fault(dcerpc.UnspecifiedFault), messngr.ErrUncertain},
	} {
		f, part := attach(t, nil)
		f.answer = func(netip.Addr) ([]byte, error) { return nil, fmt.Errorf("rpc: %w", tt.err) }
		ev, err := part.Send(t.Context(), toBeta, &messngr.Message{Text: "x"})
		if !errors.Is(err, tt.want) || !errors.Is(err, tt.err) || messngr.Code(err) != messngr.Code(tt.want) || ev.State != messngr.Queued {
			t.Errorf("%v gives %+v, %v, want %v", tt.err, ev, err, tt.want)
		}
	}
	f, part := attach(t, nil)
	f.answer = func(netip.Addr) ([]byte, error) { return []byte{0, 0}, nil }
	if _, err := part.Send(t.Context(), toBeta, &messngr.Message{Text: "x"}); !errors.Is(err, messngr.ErrUncertain) {
		t.Errorf("an answer of two bytes gives %v", err)
	}
}

func TestSend(t *testing.T) {
	page, err := oem.Lookup("850")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		newline string
		from    string
		text    string
		want    wire.Message
		lossy   bool
	}{
		{"plain", "crlf", "ALICE", "hello", message("ALICE", "BETA", "hello"), false},
		{"without a sender", "crlf", "", "x", message("BETA", "BETA", "x"), false},
		{"a long sender", "crlf", "a name of more than 15 bytes", "x", message("a name of more ", "BETA", "x"), false},
		{"line breaks", "crlf", "A", "one\ntwo\n", message("A", "BETA", "one\r\ntwo\r\n"), false},
		{"line breaks of Windows", "dc4", "A", "one\ntwo", message("A", "BETA", "one\x14two"), false},
		{"line breaks of Unix", "lf", "A", "one\ntwo", message("A", "BETA", "one\ntwo"), false},
		{"code page", "crlf", "Jürgen", "Grüße", message("J\x81rgen", "BETA", "Gr\x81\xe1e"), false},
		{"outside of it", "crlf", "A", "5 €", message("A", "BETA", "5 EUR"), true},
		{"no end in the middle", "crlf", "A\x00B", "a\x00b", message("A^@B", "BETA", "a b"), false},
		{"empty", "crlf", "A", "", message("A", "BETA", ""), false},
	} {
		f, part := attach(t, func(env *transport.Env, c *msgsvc.Config) { env.Page, c.Newline = page, tt.newline })
		ev, err := part.Send(t.Context(), toBeta, &messngr.Message{From: messngr.From{Claimed: tt.from}, Text: tt.text})
		if err != nil || ev.State != messngr.Accepted || ev.Lossy != tt.lossy || ev.Address != netip.MustParseAddrPort("10.77.0.2:135") {
			t.Errorf("%s: %+v, %v", tt.name, ev, err)
		}
		if told := strings.Contains(ev.Detail, "sent as"); told != (len(tt.from) > netbios.MaxLabel) {
			t.Errorf("%s: its sender is told %q", tt.name, ev.Detail)
		}
		if diff := cmp.Diff(tt.want, f.last); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestWithoutNetBIOS sends to machines that nobody can be asked about.
func TestWithoutNetBIOS(t *testing.T) {
	addr := netip.MustParseAddr("10.77.0.2")
	for _, tt := range []struct {
		to     messngr.Device
		want   error
		called string
	}{
		{messngr.Device{Name: "beta", Address: addr}, nil, "BETA"},
		{messngr.Device{Address: addr}, nil, "10.77.0.2"},
		{messngr.Device{Name: "BETA"}, messngr.ErrUnavailable, ""},
		{messngr.Device{Name: "A NAME THAT IS TOO LONG", Address: addr}, messngr.ErrUnknownName, ""},
		{messngr.Device{Name: "GROUP", Group: true}, messngr.ErrUnavailable, ""},
	} {
		f, part := attach(t, nil)
		_, err := part.Send(t.Context(), tt.to, &messngr.Message{Text: "x"})
		if !errors.Is(err, tt.want) || string(f.last.To) != tt.called {
			t.Errorf("to %+v: %v, calls %q, want %v, %q", tt.to, err, f.last.To, tt.want, tt.called)
		}
	}
}

func TestLongTexts(t *testing.T) {
	f, part := attach(t, func(_ *transport.Env, c *msgsvc.Config) { c.MaxText = 10 })
	got := receive(t, part, nil)
	for text, want := range map[string]wire.Status{"0123456789": wire.Success, "0123456789a": wire.InvalidParameter} {
		if status, err := f.call(t, message("A", "BETA", text), false); status != want || err != nil {
			t.Errorf("%d bytes: %v, %v, want %v", len(text), status, err, want)
		}
	}
	if len(*got) != 1 {
		t.Errorf("%d messages were handed over, want 1", len(*got))
	}
	var long *messngr.TooLongError
	if _, err := part.Send(t.Context(), toBeta, &messngr.Message{Text: "012345678\n"}); !errors.As(err, &long) || long.Limit != 10 || long.Length != 11 {
		t.Errorf("a line break too long: %v", err)
	}
	if len(f.called) != 0 {
		t.Error("it was sent")
	}
}

// TestWhatIsNoMessage makes calls that are none, and calls while nothing is received.
func TestWhatIsNoMessage(t *testing.T) {
	f, _ := attach(t, nil)
	hurried, cancel := context.WithCancel(t.Context())
	cancel() // who comes early would wait otherwise
	good := message("A", "BETA", "x")
	for _, tt := range []struct {
		name string
		call dcerpc.Call
		want dcerpc.StatusError
	}{
		{"another procedure", dcerpc.Call{Op: 1, Stub: good.Append(nil, false)}, dcerpc.StatusError{Status: dcerpc.OpRange, Rejected: true}},
		{"nothing", dcerpc.Call{}, dcerpc.StatusError{Status: dcerpc.BadStub}},
		{"another order of bytes", dcerpc.Call{Stub: good.Append(nil, true)}, dcerpc.StatusError{Status: dcerpc.BadStub}},
		{"nobody receives", dcerpc.Call{Stub: good.Append(nil, false)}, dcerpc.StatusError{Status: dcerpc.UnknownInterface, Rejected: true}},
	} {
		_, err := f.serve(hurried, sender, tt.call)
		var got *dcerpc.StatusError
		if !errors.As(err, &got) || *got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, &tt.want)
		}
	}
}

func TestConfig(t *testing.T) {
	kind := msgsvc.Kind(&fake{})
	if kind.Name != "rpc" || kind.Summary == "" {
		t.Errorf("kind %+v", kind)
	}
	if _, err := kind.New(transport.Env{}, kind.Config()); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for name, config := range map[string]any{
		"none": nil, "no text": &msgsvc.Config{Newline: "lf"}, "a long text": &msgsvc.Config{Newline: "lf", MaxText: 65537},
		"another newline": &msgsvc.Config{Newline: "nel", MaxText: 1},
	} {
		if _, err := kind.New(transport.Env{}, config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzServe makes calls with any stub: it is a message that comes out clean, or it is
// refused.
func FuzzServe(f *testing.F) {
	good, long := message("ALICE", "BETA", "hello"), message("A", "BETA", strings.Repeat("x\x14", 2000))
	f.Add(good.Append(nil, false), false)
	f.Add(long.Append(nil, true), true)
	spam := recordedSpam(f)
	f.Add(spam[dcerpc.HeaderSize:], false)
	f.Fuzz(func(t *testing.T, stub []byte, big bool) {
		n, part := attach(t, func(env *transport.Env, _ *msgsvc.Config) { env.Local = nil })
		got := receive(t, part, nil)
		first := message("A", "BETA", "x")
		if _, err := n.call(t, first, big); err != nil {
			t.Fatal(err)
		}
		_, err := n.serve(t.Context(), sender, dcerpc.Call{Interface: wire.Interface(), Stub: stub, BigEndian: big})
		if (err == nil) != (len(*got) == 2) {
			t.Fatalf("%v, and %d messages", err, len(*got))
		}
		for _, in := range *got {
			for _, s := range []string{in.Message.Text, in.Message.To, in.Message.From.Claimed} {
				if s != oem.Clean(s) || bytes.IndexByte([]byte(s), 0) >= 0 || len(s) > 8*len(stub)+8 {
					t.Errorf("%q of %d bytes came out", s, len(stub))
				}
			}
		}
	})
}
