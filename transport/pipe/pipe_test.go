package pipe_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/transport"
	"messngr/transport/pipe"
	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
	"messngr/wire/msgsvc"
	"messngr/wire/npa"
	"messngr/wire/oem"
	"messngr/wire/wkssvc"
)

type handler = func(ctx context.Context, who npa.Client, call dcerpc.Call) ([]byte, error)

// host is this host, and the server of its pipes.
type host struct {
	handlers map[string]handler // by pipe and interface
	names    []string
	fail     error // of AddName, RemoveName and Relay
	relayed  []pipe.Relay

	mu  sync.Mutex
	got []messngr.Inbound
}

func (h *host) Handle(name string, served dcerpc.Syntax, run func(context.Context, npa.Client, dcerpc.Call) ([]byte, error)) {
	h.handlers[name+" "+served.String()] = run
}

func (h *host) Who(uid int) messngr.Principal {
	return messngr.Principal{UID: uid, Login: map[int]string{0: "root", 1000: "alice"}[uid], Admin: uid == 0}
}

func (h *host) Names() []string { return h.names }

func (h *host) AddName(_ context.Context, name string) error {
	if h.fail == nil {
		h.names = append(h.names, strings.ToUpper(name))
	}
	return h.fail
}

func (h *host) RemoveName(_ context.Context, name string) error {
	if h.fail == nil {
		h.names = slices.DeleteFunc(h.names, func(n string) bool { return n == strings.ToUpper(name) })
	}
	return h.fail
}

func (h *host) Relay(_ context.Context, r pipe.Relay) error {
	h.relayed = append(h.relayed, r)
	return h.fail
}

// newHost is a host that receives; accept is what becomes of its messages.
func newHost(t *testing.T, accept func() error) *host {
	t.Helper()
	h := &host{handlers: make(map[string]handler), names: []string{"BETA", "BACKUP", "ALICE"}}
	env := transport.Env{
		Host: "BETA", Page: page(t), Local: func(name string) bool { return slices.Contains(h.names, name) },
		Permit: func(addr netip.Addr) error {
			if !addr.IsPrivate() {
				return fmt.Errorf("%w: not on link", messngr.ErrRefused)
			}
			return nil
		},
	}
	part, err := pipe.New(env, h, h, *pipe.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var receiving sync.WaitGroup
	receiving.Go(func() {
		_ = part.Receive(ctx, func(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
			h.mu.Lock()
			h.got = append(h.got, in)
			h.mu.Unlock()
			return nil, accept()
		})
	})
	t.Cleanup(func() { cancel(); receiving.Wait() })
	// Receive has begun when calls are run.
	for {
		if _, err := h.do(root, msgnames.Pipe, msgnames.Interface(), msgnames.Del, (&msgnames.Request{Name: "NOBODY"}).Append(nil, msgnames.Del, false)); err == nil {
			break
		}
	}
	return h
}

func page(t *testing.T) oem.Page {
	t.Helper()
	p, err := oem.Lookup("850")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func taken() error { return nil }

// do makes a call.
func (h *host) do(who npa.Client, name string, syntax dcerpc.Syntax, op uint16, stub []byte) ([]byte, error) {
	return h.handlers[name+" "+syntax.String()](context.Background(), who, dcerpc.Call{Interface: syntax, Op: op, Stub: stub})
}

// client is somebody at 10.0.0.7 with those SIDs.
func client(sids ...string) npa.Client {
	return npa.Client{Level: 7, Machine: "alpha", Address: netip.MustParseAddrPort("10.0.0.7:50000"), SIDs: sids}
}

// The callers.
var (
	root      = client(npa.Authenticated, "S-1-22-1-0")
	alice     = client(npa.Authenticated, "S-1-22-1-1000")
	windows   = client(npa.Authenticated, npa.Administrators, "S-1-22-1-1000")
	stranger  = client(npa.Authenticated) // whom no user of this host stands for
	guest     = client(npa.Guests, "S-1-22-1-65534")
	anonymous = client(npa.Anonymous, "S-1-22-1-0") // whoever the account is that stands for nobody
	faraway   = npa.Client{Address: netip.MustParseAddrPort("192.0.2.1:50000"), SIDs: root.SIDs}
	nowhere   = npa.Client{SIDs: root.SIDs}
)

// call calls a procedure of the interface that manages names.
func (h *host) call(t *testing.T, who npa.Client, op uint16, q msgnames.Request) msgnames.Answer {
	t.Helper()
	stub, err := h.do(who, msgnames.Pipe, msgnames.Interface(), op, q.Append(nil, op, false))
	if err != nil {
		t.Fatal(err)
	}
	a, err := msgnames.ParseAnswer(op, stub, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWhoMayDoWhat(t *testing.T) {
	for name, tt := range map[string]struct {
		who         npa.Client
		look, touch bool
	}{
		"root":                {root, true, true},
		"a user":              {alice, true, false},
		"an administrator":    {windows, true, true},
		"nobody of this host": {stranger, false, false},
		"a guest":             {guest, false, false},
		"nobody":              {anonymous, false, false},
		"root from afar":      {faraway, false, false},
		"root from nowhere":   {nowhere, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, taken)
			want := func(op uint16, allowed bool, status msgnames.Status) {
				t.Helper()
				if denied := status == msgnames.AccessDenied; denied == allowed {
					t.Errorf("procedure %d: %v", op, status)
				}
			}
			want(msgnames.Enum, tt.look, h.call(t, tt.who, msgnames.Enum, msgnames.Request{PrefMaxLen: msgnames.AllBytes}).Status)
			want(msgnames.GetInfo, tt.look, h.call(t, tt.who, msgnames.GetInfo, msgnames.Request{Name: "ALICE"}).Status)
			want(msgnames.Add, tt.touch, h.call(t, tt.who, msgnames.Add, msgnames.Request{Name: "new"}).Status)
			if slices.Contains(h.names, "NEW") != tt.touch {
				t.Errorf("the names are %q", h.names)
			}
			want(msgnames.Del, tt.touch, h.call(t, tt.who, msgnames.Del, msgnames.Request{Name: "backup"}).Status)
			if slices.Contains(h.names, "BACKUP") == tt.touch {
				t.Errorf("the names are %q", h.names)
			}
		})
	}
}

func TestEnum(t *testing.T) {
	h := newHost(t, taken)
	// BETA takes 4+10 bytes of level 0, BACKUP 4+14, ALICE 4+12.
	for _, tt := range []struct {
		name string
		q    msgnames.Request
		want msgnames.Answer
	}{
		{"everything", msgnames.Request{PrefMaxLen: msgnames.AllBytes, HasResume: true},
			msgnames.Answer{Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3, HasResume: true}},
		{"level 1, no handle", msgnames.Request{Level: 1, PrefMaxLen: msgnames.AllBytes},
			msgnames.Answer{Level: 1, Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"just enough", msgnames.Request{PrefMaxLen: 48}, msgnames.Answer{Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"too little", msgnames.Request{PrefMaxLen: 47, HasResume: true},
			msgnames.Answer{Status: msgnames.BufTooSmall, Names: []string{"BETA", "BACKUP"}, Total: 2, HasResume: true, Resume: 2}},
		{"the rest", msgnames.Request{PrefMaxLen: 47, HasResume: true, Resume: 2},
			msgnames.Answer{Names: []string{"ALICE"}, Total: 1, HasResume: true}},
		{"for none", msgnames.Request{PrefMaxLen: 13, HasResume: true},
			msgnames.Answer{Status: msgnames.BufTooSmall, HasResume: true}},
		{"level 1 takes more", msgnames.Request{Level: 1, PrefMaxLen: 47, HasResume: true},
			msgnames.Answer{Level: 1, Status: msgnames.BufTooSmall, Names: []string{"BETA"}, Total: 1, HasResume: true, Resume: 1}},
		{"behind the end", msgnames.Request{PrefMaxLen: 100, HasResume: true, Resume: 3}, msgnames.Answer{HasResume: true}},
		{"far behind the end", msgnames.Request{PrefMaxLen: 100, HasResume: true, Resume: 1 << 31}, msgnames.Answer{HasResume: true}},
		{"the most of level 0", msgnames.Request{PrefMaxLen: 11776}, msgnames.Answer{Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"more than that", msgnames.Request{PrefMaxLen: 11777}, msgnames.Answer{Status: msgnames.InvalidParameter}},
		{"more of level 1", msgnames.Request{Level: 1, PrefMaxLen: 11777},
			msgnames.Answer{Level: 1, Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"level 2", msgnames.Request{Level: 2}, msgnames.Answer{Level: 2, Status: msgnames.InvalidLevel}},
	} {
		if diff := cmp.Diff(tt.want, h.call(t, alice, msgnames.Enum, tt.q), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestGetInfo(t *testing.T) {
	h := newHost(t, taken)
	for _, tt := range []struct {
		name  string
		level uint32
		want  msgnames.Answer
	}{
		{"ALICE", 0, msgnames.Answer{Names: []string{"ALICE"}}},
		{" alice ", 1, msgnames.Answer{Level: 1, Names: []string{"ALICE"}}},
		{"NOBODY", 0, msgnames.Answer{Status: msgnames.NotLocalName}},
		{"", 0, msgnames.Answer{Status: msgnames.NotLocalName}},
		{"ALICE", 2, msgnames.Answer{Level: 2, Status: msgnames.InvalidLevel}},
	} {
		got := h.call(t, alice, msgnames.GetInfo, msgnames.Request{Name: tt.name, Level: tt.level})
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q of level %d (-want +got):\n%s", tt.name, tt.level, diff)
		}
	}
}

func TestChangesThatFail(t *testing.T) {
	h := newHost(t, taken)
	long := strings.Repeat("A", 16)
	if a := h.call(t, root, msgnames.Add, msgnames.Request{Name: long}); a.Status != msgnames.InvalidParameter {
		t.Errorf("a name of 16 characters: %v", a.Status)
	}
	for _, tt := range []struct {
		err      error
		add, del msgnames.Status
	}{
		{nil, msgnames.Success, msgnames.Success},
		{pipe.ErrInvalid, msgnames.InvalidName, msgnames.InvalidName},
		{pipe.ErrExists, msgnames.AlreadyExists, msgnames.AlreadyExists},
		{pipe.ErrTooMany, msgnames.TooManyNames, msgnames.TooManyNames},
		{pipe.ErrTaken, msgnames.DuplicateName, msgnames.DuplicateName},
		{pipe.ErrOwn, msgnames.DelComputerName, msgnames.DelComputerName},
		{messngr.ErrNotFound, msgnames.NotLocalName, msgnames.NotLocalName},
		{errors.New("no network"), msgnames.NetworkError, msgnames.IncompleteDel},
	} {
		if h.fail = tt.err; tt.err != nil {
			h.fail = fmt.Errorf("names: %w", tt.err)
		}
		if a := h.call(t, root, msgnames.Add, msgnames.Request{Name: "NEW"}); a.Status != tt.add {
			t.Errorf("%v: %v, want %v", tt.err, a.Status, tt.add)
		}
		if a := h.call(t, root, msgnames.Del, msgnames.Request{Name: "NEW"}); a.Status != tt.del {
			t.Errorf("%v: %v, want %v", tt.err, a.Status, tt.del)
		}
	}
}

// send hands a message over.
func (h *host) send(t *testing.T, who npa.Client, m msgsvc.Message) msgsvc.Status {
	t.Helper()
	stub, err := h.do(who, msgnames.Pipe, msgsvc.Interface(), msgsvc.SendMessage, m.Append(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	status, err := msgsvc.ParseStatus(stub, false)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestSendMessage(t *testing.T) {
	address := netip.MustParseAddr("10.0.0.7")
	for name, tt := range map[string]struct {
		who  npa.Client
		m    msgsvc.Message
		want messngr.Inbound
	}{
		"from a user": {alice, msgsvc.Message{From: []byte("ALICEPC"), To: []byte("backup"), Text: []byte("Gr\x81\xe1e\r\nzwei")}, messngr.Inbound{
			Message: messngr.Message{
				From: messngr.From{Claimed: "ALICEPC", Proven: "alice", Trust: messngr.Vouched, Address: address},
				To:   "backup", Text: "Grüße\nzwei",
			},
			To: []string{"BACKUP"},
		}},
		"from a guest": {guest, msgsvc.Message{From: []byte("BOSS"), To: []byte("BETA"), Text: []byte("x\x1b[2J")}, messngr.Inbound{
			Message: messngr.Message{From: messngr.From{Claimed: "BOSS", Address: address}, To: "BETA", Text: "x^[[2J"},
			To:      []string{"BETA"},
		}},
		"from nobody, to an address": {anonymous, msgsvc.Message{From: []byte("X"), To: []byte("10.0.0.2")}, messngr.Inbound{
			Message: messngr.Message{From: messngr.From{Claimed: "X", Address: address}, To: "10.0.0.2"},
			To:      []string{"BETA"},
		}},
		"from somebody else's user, to a DNS name": {stranger, msgsvc.Message{To: []byte("beta.example")}, messngr.Inbound{
			Message: messngr.Message{From: messngr.From{Address: address}, To: "beta.example"},
			To:      []string{"BETA"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, taken)
			if status := h.send(t, tt.who, tt.m); status != msgsvc.Success {
				t.Fatalf("answered %v", status)
			}
			tt.want.Message.Via = "pipe"
			if diff := cmp.Diff([]messngr.Inbound{tt.want}, h.got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("inbound (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessagesThatAreNotTaken(t *testing.T) {
	hello := msgsvc.Message{From: []byte("A"), To: []byte("BETA"), Text: []byte("hello")}
	for _, tt := range []struct {
		err  error
		want msgsvc.Status
	}{
		{messngr.ErrUnknownName, msgsvc.NameNotFound},
		{messngr.ErrRefused, msgsvc.AccessDenied},
		{messngr.ErrBusy, msgsvc.NotReceived},
		{messngr.ErrPaused, msgsvc.Paused},
		{messngr.ErrUnavailable, msgsvc.NetworkError},
		{messngr.ErrTooLong, msgsvc.InvalidParameter},
	} {
		h := newHost(t, func() error { return fmt.Errorf("store: %w", tt.err) })
		if got := h.send(t, alice, hello); got != tt.want {
			t.Errorf("%v: answered %v, want %v", tt.err, got, tt.want)
		}
	}
	h := newHost(t, taken)
	nobody := hello
	nobody.To = []byte("NOBODY")
	if got := h.send(t, alice, nobody); got != msgsvc.NameNotFound {
		t.Errorf("to nobody: %v", got)
	}
	for _, who := range []npa.Client{faraway, nowhere} {
		if got := h.send(t, who, hello); got != msgsvc.AccessDenied {
			t.Errorf("from %v: %v", who.Address, got)
		}
	}
	if len(h.got) != 0 {
		t.Errorf("%d messages were handed over", len(h.got))
	}
}

// pass has a message sent.
func (h *host) pass(t *testing.T, who npa.Client, m wkssvc.Message) msgsvc.Status {
	t.Helper()
	stub, err := h.do(who, wkssvc.Pipe, wkssvc.Interface(), wkssvc.MessageBufferSend, m.Append(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	status, err := msgsvc.ParseStatus(stub, false)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestRelay(t *testing.T) {
	h := newHost(t, taken)
	text := wkssvc.EncodeText("Grüße\r\nzwei\x07")
	for _, tt := range []struct {
		who  npa.Client
		m    wkssvc.Message
		want pipe.Relay
	}{
		{alice, wkssvc.Message{Server: "BETA", To: "BOB", From: "Alice", Text: text},
			pipe.Relay{Caller: h.Who(1000), From: "Alice", To: "BOB", Text: "Grüße\nzwei^G"}},
		{root, wkssvc.Message{To: "*", Text: text}, pipe.Relay{Caller: h.Who(0), To: "*", Text: "Grüße\nzwei^G"}},
		{windows, wkssvc.Message{To: "OFFICE*", From: "FS01", Text: text[:2]},
			pipe.Relay{Caller: messngr.Principal{UID: 1000, Login: "alice", Admin: true}, From: "FS01", To: "OFFICE*", Text: "G"}},
	} {
		h.relayed = nil
		if status := h.pass(t, tt.who, tt.m); status != msgsvc.Success {
			t.Errorf("%+v: %v", tt.m, status)
		}
		if diff := cmp.Diff([]pipe.Relay{tt.want}, h.relayed); diff != "" {
			t.Errorf("relayed (-want +got):\n%s", diff)
		}
	}
}

func TestRelaysThatFail(t *testing.T) {
	h := newHost(t, taken)
	m := wkssvc.Message{To: "BOB", Text: wkssvc.EncodeText("x")}
	for _, who := range []npa.Client{guest, anonymous, stranger, faraway, nowhere} {
		if got := h.pass(t, who, m); got != msgsvc.AccessDenied {
			t.Errorf("for %q at %v: %v", who.SIDs, who.Address, got)
		}
	}
	for _, to := range []string{"", " ", "/users", "/domain", "bob@host", "BOB,EVE"} {
		if got := h.pass(t, root, wkssvc.Message{To: to, Text: m.Text}); got != msgsvc.InvalidParameter {
			t.Errorf("to %q: %v", to, got)
		}
	}
	if got := h.pass(t, root, wkssvc.Message{To: "BOB", Text: wkssvc.EncodeText(strings.Repeat("€", 30000))}); got != msgsvc.InvalidParameter {
		t.Errorf("a long text: %v", got)
	}
	if len(h.relayed) > 0 {
		t.Errorf("relayed %+v", h.relayed)
	}
	for _, tt := range []struct {
		err  error
		want msgsvc.Status
	}{
		{messngr.ErrRefused, msgsvc.AccessDenied},
		{messngr.ErrUnknownName, msgsvc.NameNotFound},
		{messngr.ErrUncertain, msgsvc.NetworkError},
		{messngr.ErrUnavailable, msgsvc.NetworkError},
		{pipe.ErrInvalid, msgsvc.InvalidParameter},
	} {
		h.fail = fmt.Errorf("router: %w", tt.err)
		if got := h.pass(t, alice, m); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

// TestNotRun: what cannot be read, does not exist, or comes when nothing is received.
func TestNotRun(t *testing.T) {
	h := newHost(t, taken)
	idle := &host{handlers: make(map[string]handler)}
	if _, err := pipe.New(transport.Env{}, idle, idle, *pipe.DefaultConfig()); err != nil {
		t.Fatal(err)
	}
	good := map[string][]byte{
		msgnames.Interface().String(): (&msgnames.Request{Name: "A"}).Append(nil, msgnames.Add, false),
		msgsvc.Interface().String():   (&msgsvc.Message{}).Append(nil, false),
		wkssvc.Interface().String():   (&wkssvc.Message{To: "A"}).Append(nil, false),
	}
	hurried, cancel := context.WithCancel(t.Context())
	cancel() // who comes early would wait otherwise
	for key, run := range h.handlers {
		_, syntax, _ := strings.Cut(key, " ")
		op := uint16(0)
		if syntax == wkssvc.Interface().String() {
			op = wkssvc.MessageBufferSend
		}
		fault := func(run handler, c dcerpc.Call) dcerpc.StatusError {
			t.Helper()
			_, err := run(hurried, root, c)
			var failed *dcerpc.StatusError
			if !errors.As(err, &failed) {
				t.Fatalf("%s: %v, want a fault", key, err)
			}
			return *failed
		}
		if got := fault(run, dcerpc.Call{Op: 99}); got.Status != dcerpc.OpRange || !got.Rejected {
			t.Errorf("%s: procedure 99: %v", key, got)
		}
		if got := fault(run, dcerpc.Call{Op: op, Stub: []byte("?")}); got.Status != dcerpc.BadStub {
			t.Errorf("%s: nonsense: %v", key, got)
		}
		if got := fault(idle.handlers[key], dcerpc.Call{Op: op, Stub: good[syntax]}); got.Status != dcerpc.UnknownInterface || !got.Rejected {
			t.Errorf("%s: when nothing is received: %v", key, got)
		}
	}
	if len(h.handlers) != 3 {
		t.Errorf("%d interfaces are served, want 3", len(h.handlers))
	}
}

func TestConfiguration(t *testing.T) {
	for _, c := range []any{nil, &pipe.Config{}, &pipe.Config{MaxText: 1 << 20}} {
		if _, err := pipe.Kind(nil, nil).New(transport.Env{}, c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	kind := pipe.Kind(nil, nil)
	part, err := kind.New(transport.Env{}, kind.Config())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := part.(messngr.Receiver).Receive(ctx, nil); err != nil {
		t.Error(err)
	}
}
