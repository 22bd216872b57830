package browser_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/carrier"
	"messngr/carrier/browser"
	"messngr/wire/browse"
	"messngr/wire/netbios"
	"messngr/wire/smb"
)

func (n *network) Resolve(_ context.Context, asked netbios.Name) ([]netip.Addr, error) {
	if asked != master || len(n.addrs) == 0 {
		return nil, carrier.ErrNoName
	}
	return n.addrs, nil
}

func (n *network) Status(context.Context, netip.Addr) ([]carrier.NameEntry, error) {
	if n.entries == nil {
		return nil, carrier.ErrNoName
	}
	return n.entries, nil
}

func (n *network) Dial(_ context.Context, _ netip.Addr, called, _ netbios.Name) (carrier.Session, error) {
	n.called = called
	return n.session, n.fail
}

// server is a master browser in a session: it answers what it is asked in that order.
type server struct {
	carrier.Session
	t       *testing.T
	list    browse.List
	pieces  int        // in how many the list comes
	refuse  smb.Status // at the command refuseAt
	refused smb.Command
	deaf    bool
	answers [][]byte
	until   time.Time
	closed  bool
}

func (s *server) SetDeadline(t time.Time) error { s.until = t; return nil }

func (s *server) Close() error { s.closed = true; return nil }

func (s *server) Read() ([]byte, error) {
	if len(s.answers) == 0 {
		return nil, io.EOF
	}
	b := s.answers[0]
	s.answers = s.answers[1:]
	return b, nil
}

func (s *server) Write(b []byte) error {
	p, err := smb.Parse(b)
	if err != nil {
		s.t.Fatalf("malformed request: %v", err)
	}
	switch {
	case s.deaf:
	case p.Header.Command == s.refused:
		h := p.Header.Answer(s.refuse)
		s.answer(smb.Packet{Header: h})
	case p.Header.Command == smb.Negotiate:
		s.answer(smb.Packet{Header: p.Header.Answer(0), Words: make([]byte, 34)})
	case p.Header.Command == smb.Transaction:
		s.enumerate(p)
	default:
		h := p.Header.Answer(0)
		h.UserID, h.TreeID = 7, 9
		s.answer(smb.Packet{Header: h, Words: make([]byte, 6)})
	}
	return nil
}

func (s *server) answer(p smb.Packet) {
	b, err := p.Append(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.answers = append(s.answers, b)
}

func (s *server) enumerate(p smb.Packet) {
	params, err := browse.ParseCall(p)
	if err != nil {
		s.t.Fatal(err)
	}
	if r, err := browse.ParseListRequest(params); err != nil || r != (browse.ListRequest{Types: browse.All}) {
		s.t.Errorf("asked for %+v, %v", r, err)
	}
	if p.Header.UserID != 7 || p.Header.TreeID != 9 {
		s.t.Errorf("asked as user %d in tree %d, want 7 and 9", p.Header.UserID, p.Header.TreeID)
	}
	parameters, data, err := s.list.Append()
	if err != nil {
		s.t.Fatal(err)
	}
	const at = 32 + 1 + 20 + 2
	total := len(data)
	for i := range s.pieces {
		piece := data[total*i/s.pieces : total*(i+1)/s.pieces]
		if i > 0 {
			parameters = nil
		}
		from, n := total*i/s.pieces, len(piece)
		s.answer(smb.Packet{
			Header: p.Header.Answer(0),
			Words: []byte{
				8, 0, byte(total), byte(total >> 8), 0, 0, byte(len(parameters)), 0, at, 0, 0, 0,
				byte(n), byte(n >> 8), at + byte(len(parameters)), 0, byte(from), byte(from >> 8), 0, 0,
			},
			Data: append(parameters, piece...),
		})
	}
}

var (
	masterAddr = netip.MustParseAddr("10.0.0.1")
	machines   = browse.List{
		Entries:   []browse.Entry{{Name: "ALPHA", Type: 3, Comment: "The master"}, {Name: "BETA", Type: 1}},
		Available: 2,
	}
	fileServer = carrier.NameEntry{Name: name("ALPHA", netbios.FileServer)}
)

// list asks a master for its list.
func list(t *testing.T, prepare func(*network, *server)) (browser.List, *network, *server, error) {
	t.Helper()
	var got browser.List
	var n *network
	var err error
	s := &server{t: t, list: machines, pieces: 1}
	synctest.Test(t, func(t *testing.T) {
		var b *browser.Browser
		b, n, _ = run(t, browser.Config{Silent: true})
		n.addrs, n.entries, n.session = []netip.Addr{masterAddr}, []carrier.NameEntry{{Name: workgroup, Group: true}, fileServer}, s
		prepare(n, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err = b.List(ctx)
	})
	return got, n, s, err
}

func TestList(t *testing.T) {
	want := browser.List{Master: "ALPHA", Address: masterAddr, Entries: machines.Entries, Available: 2}
	for what, prepare := range map[string]func(*network, *server){
		"at once":   func(*network, *server) {},
		"in pieces": func(_ *network, s *server) { s.pieces = 5 },
		"heard of": func(n *network, _ *server) {
			n.says(t, browse.Announcement{Kind: browse.LocalMaster, Name: "ALPHA", Type: 1}, "10.0.0.1", name("OFFICE", netbios.BrowserElection))
			n.addrs = nil
		},
	} {
		got, n, s, err := list(t, prepare)
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); err != nil || diff != "" {
			t.Errorf("%s: List: %v (-want +got):\n%s", what, err, diff)
		}
		if n.called != fileServer.Name || !s.closed || s.until.IsZero() {
			t.Errorf("%s: %v was called, the session was closed: %v, bounded by %v", what, n.called, s.closed, s.until)
		}
	}
}

func TestListFails(t *testing.T) {
	got, n, _, err := list(t, func(n *network, _ *server) { n.entries = nil })
	if err != nil || got.Master != "" || n.called != netbios.Name([]byte("*SMBSERVER     \x20")) {
		t.Errorf("of a master that tells no names: %+v, %v, called %v", got, err, n.called)
	}
	for what, tt := range map[string]struct {
		prepare func(*network, *server)
		want    error
		known   bool
	}{
		"no master":           {func(n *network, _ *server) { n.addrs = nil }, browser.ErrNoMaster, false},
		"no session":          {func(n *network, _ *server) { n.fail = carrier.ErrNotListening }, carrier.ErrNotListening, true},
		"a master that hangs": {func(_ *network, s *server) { s.deaf = true }, io.EOF, true},
		"no user":             {func(_ *network, s *server) { s.refused, s.refuse = 0x73, smb.AccessDenied }, smb.AccessDenied, true},
		"no pipes":            {func(_ *network, s *server) { s.refused, s.refuse = 0x75, smb.AccessDenied }, smb.AccessDenied, true},
		"no list":             {func(_ *network, s *server) { s.refused, s.refuse = smb.Transaction, smb.AccessDenied }, smb.AccessDenied, true},
		"no end":              {func(_ *network, s *server) { s.list.Available, s.pieces = 2, 100 }, nil, true},
		"no dialect":          {func(_ *network, s *server) { s.refused, s.refuse = smb.Negotiate, 0 }, nil, true},
	} {
		got, _, _, err := list(t, tt.prepare)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || (got.Address == masterAddr) != tt.known || len(got.Entries) != 0 {
			t.Errorf("%s: List = %+v, %v, want %v", what, got, err, tt.want)
		}
	}
}
