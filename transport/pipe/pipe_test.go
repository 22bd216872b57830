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
