package smbmessage_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/carrier"
	"messngr/carrier/memlan"
	"messngr/transport"
	"messngr/transport/smbmessage"
	"messngr/wire/nbss"
	"messngr/wire/netbios"
	"messngr/wire/smb"
)

// server is a hand-made machine PC1 that messages are sent to, and what it heard.
type server struct {
	t    *testing.T
	lan  *memlan.LAN
	part *smbmessage.Transport // of the machine that sends
	// respond answers a request; nil ends the session.
	respond func(p smb.Packet) []byte

	mu    sync.Mutex
	heard []string
}

// serve switches the machine on, and one that sends to it.
func serve(t *testing.T, respond func(p smb.Packet) []byte, adjust func(*transport.Env, *smbmessage.Config)) *server {
	t.Helper()
	s := &server{t: t, lan: memlan.New(memlan.Faults{}), respond: respond}
	there, here := s.lan.Host(thereAddr), s.lan.Host(hereAddr)
	there.HandleSessions(s.session)
	env := transport.Env{NetBIOS: []carrier.NetBIOS{here}, Host: "BETA"}
	config := smbmessage.DefaultConfig()
	if adjust != nil {
		adjust(&env, config)
	}
	var err error
	if s.part, err = smbmessage.New(env, *config); err != nil {
		t.Fatal(err)
	}
	run(t, there, here)
	for _, suffix := range []netbios.Suffix{netbios.Workstation, netbios.Messenger} {
		if err := there.Claim(t.Context(), nameOf(t, "PC1", suffix), false); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func run(t *testing.T, hosts ...*memlan.Host) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, h := range hosts {
		running.Go(func() { _ = h.Run(ctx) })
		<-h.Ready()
	}
	t.Cleanup(func() { cancel(); running.Wait() })
}

func (s *server) session(_ context.Context, session carrier.Session) {
	for {
		b, err := session.Read()
		if err != nil {
			return
		}
		p, err := smb.Parse(b)
		if err != nil {
			s.t.Errorf("malformed request %x: %v", b, err)
			return
		}
		s.hear(p)
		answer := s.respond(p)
		if answer == nil {
			return
		}
		if err := session.Write(answer); err != nil {
			return
		}
	}
}

// hear notes a request in words.
func (s *server) hear(p smb.Packet) {
	note := fmt.Sprintf("%#02x", byte(p.Header.Command))
	switch p.Header.Command {
	case smb.SendSingle:
		m, err := p.Single()
		note = fmt.Sprintf("single %s > %s: %q %v", m.From, m.To, m.Text, err)
	case smb.SendStart:
		m, err := p.Start()
		note = fmt.Sprintf("start %s > %s %v", m.From, m.To, err)
	case smb.SendText:
		m, err := p.Text()
		note = fmt.Sprintf("text %d %q %v", m.Group, m.Text, err)
	case smb.SendEnd:
		m, err := p.End()
		note = fmt.Sprintf("end %d %v", m.Group, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, strings.TrimSuffix(note, " <nil>"))
}

func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

func (s *server) wantHeard(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.requests()); diff != "" {
		s.t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func (s *server) send(text string) (messngr.Evidence, error) {
	return s.sendTo(messngr.Device{Name: "PC1"}, text)
}

func (s *server) sendTo(to messngr.Device, text string) (messngr.Evidence, error) {
	return s.part.Send(s.t.Context(), to, &messngr.Message{From: messngr.From{Claimed: "ALICE"}, Text: text})
}

// windows answers as MS-MSRP says, smbd as Samba's server does.
func windows(p smb.Packet) []byte {
	if p.Header.Command == smb.SendStart {
		return p.Header.AppendStarted(nil, 0x0304)
	}
	return p.Header.AppendAnswer(nil, 0)
}

func smbd(p smb.Packet) []byte { return p.Header.AppendAnswer(nil, 0) }

// except answers one command in another way.
func except(command smb.Command, respond func(p smb.Packet) []byte) func(p smb.Packet) []byte {
	return func(p smb.Packet) []byte {
		if p.Header.Command == command {
			return respond(p)
		}
		return windows(p)
	}
}

// refuse answers with a status, hangUp not at all.
func refuse(status smb.Status) func(p smb.Packet) []byte {
	return func(p smb.Packet) []byte { return p.Header.AppendAnswer(nil, status) }
}

func hangUp(smb.Packet) []byte { return nil }

func TestBlocks(t *testing.T) {
	full := strings.Repeat("x", 128)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{`text 772 "\x00"`}},
		{"short", "hello", []string{`text 772 "hello"`}},
		{"full", full, []string{`text 772 "` + full + `"`}},
		{"one more", full + "y", []string{`text 772 "` + full + `"`, `text 772 "y"`}},
		{"code page", "Grüße", []string{`text 772 "Gr\x81\xe1e"`}},
		{"zero byte", "a\x00b", []string{`text 772 "a b"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, windows, nil)
				if ev, err := s.send(tt.text); err != nil || ev.State != messngr.Accepted || ev.Address.Addr() != thereAddr {
					t.Errorf("evidence %+v, %v, want accepted at %v", ev, err, thereAddr)
				}
				want := append([]string{"start ALICE > PC1"}, tt.want...)
				s.wantHeard(append(want, "end 772")...)
			})
		})
	}
}

func TestEmptyTextForSmbd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, smbd, nil)
		if _, err := s.send(""); err != nil {
			t.Fatal(err)
		}
		s.wantHeard("start ALICE > PC1", `text 0 "\r\n"`, "end 0")
	})
}

func TestNewlines(t *testing.T) {
	tests := []struct {
		word    string
		respond func(smb.Packet) []byte
		want    string
	}{
		{"auto", windows, `text 772 "a\x14b\x14\x14c"`},
		{"auto", smbd, `text 0 "a\r\nb\r\n\r\nc"`},
		{"dc4", smbd, `text 0 "a\x14b\x14\x14c"`},
		{"crlf", windows, `text 772 "a\r\nb\r\n\r\nc"`},
		{"lf", windows, `text 772 "a\nb\n\nc"`},
	}
	for _, tt := range tests {
		t.Run(tt.word, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, tt.respond, func(_ *transport.Env, c *smbmessage.Config) { c.Newline = tt.word })
				if _, err := s.send("a\nb\r\n\nc"); err != nil {
					t.Fatal(err)
				}
				if got := s.requests()[1]; got != tt.want {
					t.Errorf("sent %s, want %s", got, tt.want)
				}
			})
		})
	}
	t.Run("never in two halves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, smbd, nil)
			x := strings.Repeat("x", 127)
			if _, err := s.send(x + "\n" + x + "y\nz"); err != nil {
				t.Fatal(err)
			}
			s.wantHeard("start ALICE > PC1", `text 0 "`+x+`"`, `text 0 "\r\n`+x[1:]+`"`, `text 0 "xy\r\nz"`, "end 0")
		})
	})
}

func TestSingleBlockForThoseWhoKnowNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, except(smb.SendStart, refuse(smb.BadCommand)), nil)
		if ev, err := s.send("hello\nyou"); err != nil || ev.State != messngr.Accepted {
			t.Errorf("evidence %+v, %v, want accepted", ev, err)
		}
		s.wantHeard("start ALICE > PC1", `single ALICE > PC1: "hello\x14you"`)
		_, err := s.send(strings.Repeat("x", 129))
		var long *messngr.TooLongError
		if !errors.As(err, &long) || long.Limit != 128 || long.Length != 129 {
			t.Errorf("longer text: %v, want that 128 bytes are the limit", err)
		}
	})
}

// TestBareAnswers: MS-MSRP 2.2.3 wants all of an answer's header to be zero but command and
// status, and so nothing that marks it as an answer.
func TestBareAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, func(p smb.Packet) []byte {
			b := windows(p)
			clear(b[9:32])
			return b
		}, nil)
		if ev, err := s.send("hello"); err != nil || ev.State != messngr.Accepted {
			t.Errorf("evidence %+v, %v, want accepted", ev, err)
		}
		s.wantHeard("start ALICE > PC1", `text 772 "hello"`, "end 772")
	})
}

func TestWhenThingsGoWrong(t *testing.T) {
	silent := func(p smb.Packet) []byte { time.Sleep(time.Minute); return windows(p) }
	garbage := func(smb.Packet) []byte { return []byte("garbage") }
	request := func(p smb.Packet) []byte { return must(p.Append(nil)) }
	another := func(p smb.Packet) []byte { p.Header.Command = smb.Negotiate; return windows(p) }
	noBlocks := func(respond func(smb.Packet) []byte) func(smb.Packet) []byte {
		return func(p smb.Packet) []byte {
			if p.Header.Command == smb.SendStart {
				return p.Header.AppendAnswer(nil, smb.BadCommand)
			}
			return respond(p)
		}
	}
	tests := []struct {
		name    string
		respond func(smb.Packet) []byte
		want    error
		text    string // part of what the error says
	}{
		{"start closed", except(smb.SendStart, hangUp), messngr.ErrUnavailable, "server min protocol = NT1"},
		{"start silent", except(smb.SendStart, silent), messngr.ErrUnavailable, "no answer within 30s"},
		{"start garbage", except(smb.SendStart, garbage), messngr.ErrUnavailable, "not an SMB packet"},
		{"start answered by a request", except(smb.SendStart, request), messngr.ErrUnavailable, "something else"},
		{"start answered for another", except(smb.SendStart, another), messngr.ErrUnavailable, "something else"},
		{"text closed", except(smb.SendText, hangUp), messngr.ErrUnavailable, "EOF"},
		{"text silent", except(smb.SendText, silent), messngr.ErrUnavailable, "no answer within 30s"},
		{"end closed", except(smb.SendEnd, hangUp), messngr.ErrUncertain, "closed instead of an answer (EOF)"},
		{"end silent", except(smb.SendEnd, silent), messngr.ErrUncertain, "no answer within 30s"},
		{"end garbage", except(smb.SendEnd, garbage), messngr.ErrUncertain, "not an SMB packet"},
		{"end answered for another", except(smb.SendEnd, another), messngr.ErrUncertain, "something else"},
		{"single closed", noBlocks(hangUp), messngr.ErrUncertain, "closed instead of an answer (EOF)"},
		{"single silent", noBlocks(silent), messngr.ErrUncertain, "no answer within 30s"},
		{"single refused", noBlocks(refuse(smb.Paused)), messngr.ErrPaused, "paused"},
		{"end refused", except(smb.SendEnd, refuse(smb.MessagesOff)), messngr.ErrRefused, "switched off"},
		{"text refused", except(smb.SendText, refuse(smb.NoRoom)), messngr.ErrBusy, "no room"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, tt.respond, nil)
				ev, err := s.send("hello")
				if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.text) {
					t.Errorf("error %v, want %v that says %q", err, tt.want, tt.text)
				}
				if strings.Count(fmt.Sprint(err), tt.want.Error()) > 1 {
					t.Errorf("error %q repeats itself", err)
				}
				for _, other := range []error{messngr.ErrUncertain, messngr.ErrUnavailable} {
					if other != tt.want && errors.Is(err, other) {
						t.Errorf("error %v is also %v", err, other)
					}
				}
				if ev.State != messngr.Queued || ev.Address.Addr() != thereAddr {
					t.Errorf("evidence %+v, want the address and no state", ev)
				}
				time.Sleep(time.Hour)
				starts := 0
				for _, note := range s.requests() {
					if strings.HasPrefix(note, "start") {
						starts++
					}
				}
				if starts != 1 {
					t.Errorf("tried %d times, want once: %q", starts, s.requests())
				}
			})
		})
	}
}

// A peer that takes longer than the sender allows is given up; what that means depends on
// how far it came.
func TestSendEndsInTime(t *testing.T) {
	silent := func(p smb.Packet) []byte { time.Sleep(time.Minute); return windows(p) }
	for command, want := range map[smb.Command]error{
		smb.SendStart: messngr.ErrUnavailable, smb.SendText: messngr.ErrUnavailable, smb.SendEnd: messngr.ErrUncertain,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, except(command, silent), nil)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			begin := time.Now()
			_, err := s.part.Send(ctx, messngr.Device{Name: "PC1"}, &messngr.Message{Text: "hello"})
			if d := time.Since(begin); !errors.Is(err, want) || !strings.Contains(err.Error(), "no answer in time") || d != 5*time.Second {
				t.Errorf("silent at %#02x: %v after %v, want %v", byte(command), err, d, want)
			}
		})
	}
}

func TestStatusOfThePeer(t *testing.T) {
	tests := []struct {
		status smb.Status
		want   error
		text   string
	}{
		{smb.UnknownName, messngr.ErrUnknownName, "no such name"},
		{0xC00000CC, messngr.ErrUnknownName, "no such name"},
		{smb.Paused, messngr.ErrPaused, "paused"},
		{smb.NoRoom, messngr.ErrBusy, "no room"},
		{0xC000007F, messngr.ErrBusy, "no room"},
		{smb.MessagesOff, messngr.ErrRefused, "switched off"},
		{smb.AccessDenied, messngr.ErrRefused, "access denied"},
		{smb.NotAccepted, messngr.ErrRefused, "'message command'"},
		{smb.NoResource, messngr.ErrUnavailable, "no resources"},
		{8, messngr.ErrRefused, "0x00000008"},
		{0x00010001, messngr.ErrRefused, "class 1, code 1"},
	}
	for _, tt := range tests {
		t.Run(tt.status.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, refuse(tt.status), nil)
				_, err := s.send("hello")
				if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.text) {
					t.Errorf("error %v, want %v that says %q", err, tt.want, tt.text)
				}
			})
		})
	}
}

func TestPeerWithLittleRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := 4000
		s := serve(t, except(smb.SendText, func(p smb.Packet) []byte {
			if m, err := p.Text(); err != nil || room < len(m.Text) {
				return p.Header.AppendAnswer(nil, smb.NoRoom)
			} else {
				room -= len(m.Text)
			}
			return windows(p)
		}), nil)
		_, err := s.send(strings.Repeat("x", 5000))
		var long *messngr.TooLongError
		if !errors.As(err, &long) || long.Limit != 3968 || long.Length != 5000 {
			t.Errorf("error %v, want that 3968 bytes are the limit", err)
		}
	})
}

func TestSendTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, windows, func(_ *transport.Env, c *smbmessage.Config) { c.MaxText = 100 })
		var long *messngr.TooLongError
		if _, err := s.send(strings.Repeat("\n", 51)); !errors.As(err, &long) || long.Limit != 100 || long.Length != 102 {
			t.Errorf("error %v, want that 102 bytes are more than 100: line breaks may need two", err)
		}
		s.wantHeard()
	})
}

func TestNameOfTheSender(t *testing.T) {
	for claimed, want := range map[string]string{
		"":                  "start BETA > PC1",
		"Müller":            "start M\x81ller > PC1",
		"a name of 16 char": "start a name of 16 ch > PC1",
		"line\nbreak":       "start line break > PC1",
		"ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄ": "start \x8e\x99\x9a\x8e\x99\x9a\x8e\x99\x9a\x8e\x99\x9a\x8e\x99\x9a > PC1",
	} {
		t.Run(claimed, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, windows, nil)
				m := &messngr.Message{From: messngr.From{Claimed: claimed}}
				if _, err := s.part.Send(t.Context(), messngr.Device{Name: "PC1"}, m); err != nil {
					t.Fatal(err)
				}
				if got := s.requests()[0]; got != want {
					t.Errorf("request %q, want %q", got, want)
				}
			})
		})
	}
}

// network is a NetBIOS network with hand-made answers; what it lacks is not asked.
type network struct {
	carrier.NetBIOS
	names   []carrier.NameEntry
	status  error
	addrs   []netip.Addr
	resolve error
	dial    map[netip.Addr]error
	called  []string
}

func (n *network) HandleSessions(carrier.SessionHandler) {}

func (n *network) Status(context.Context, netip.Addr) ([]carrier.NameEntry, error) {
	return n.names, n.status
}

func (n *network) Resolve(context.Context, netbios.Name) ([]netip.Addr, error) {
	return n.addrs, n.resolve
}

func (n *network) Dial(ctx context.Context, addr netip.Addr, called, calling netbios.Name) (carrier.Session, error) {
	n.called = append(n.called, fmt.Sprintf("%s by %s at %v", called, calling, addr))
	if err := n.dial[addr]; err != nil {
		return nil, err
	}
	return n.NetBIOS.Dial(ctx, addr, called, calling)
}

func transportOn(t *testing.T, networks ...carrier.NetBIOS) *smbmessage.Transport {
	t.Helper()
	part, err := smbmessage.New(transport.Env{Host: "BETA", NetBIOS: networks}, *smbmessage.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	return part
}

func TestWhatIsCalled(t *testing.T) {
	entry := func(label string, suffix netbios.Suffix, group bool) carrier.NameEntry {
		return carrier.NameEntry{Name: nameOf(t, label, suffix), Group: group, State: carrier.Owned}
	}
	conflict := entry("PC1", netbios.Messenger, false)
	conflict.State = carrier.Conflict
	pc, user := entry("PC1", netbios.Messenger, false), entry("ALICE", netbios.Messenger, false)
	machine, group := entry("PC1", netbios.Workstation, false), entry("LAB", netbios.Workstation, true)
	tests := []struct {
		name   string
		names  []carrier.NameEntry
		status error
		want   string
	}{
		{"the machine's own", []carrier.NameEntry{group, user, machine, pc}, nil, "PC1<03> by BETA<03> at 10.77.0.1"},
		{"a user's", []carrier.NameEntry{group, machine, user}, nil, "ALICE<03> by BETA<03> at 10.77.0.1"},
		{"not one in conflict", []carrier.NameEntry{machine, conflict, user}, nil, "ALICE<03> by BETA<03> at 10.77.0.1"},
		{"whichever server", nil, carrier.ErrNoName, "*SMBSERVER<20> by BETA<03> at 10.77.0.1"},
		{"nothing", []carrier.NameEntry{machine, group}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := &network{names: tt.names, status: tt.status, dial: map[netip.Addr]error{thereAddr: carrier.ErrNoName}}
			_, err := transportOn(t, n).Send(t.Context(), messngr.Device{Address: thereAddr}, &messngr.Message{})
			if !errors.Is(err, messngr.ErrUnknownName) {
				t.Errorf("error %v, want ErrUnknownName", err)
			}
			if got := strings.Join(n.called, ", "); got != tt.want {
				t.Errorf("called %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhenNoSessionComesAbout(t *testing.T) {
	to := messngr.Device{Name: "PC1"}
	addrs := []netip.Addr{thereAddr}
	failing := func(err error) *network {
		return &network{addrs: addrs, dial: map[netip.Addr]error{thereAddr: err}}
	}
	tests := []struct {
		name    string
		network *network
		want    error
	}{
		{"name not there", failing(fmt.Errorf("dial: %w: %w", carrier.ErrNoName, nbss.CalledNameNotPresent)), messngr.ErrUnknownName},
		{"not listening", failing(fmt.Errorf("dial: %w: %w", carrier.ErrNotListening, nbss.NotListeningOnCalled)), messngr.ErrUnavailable},
		{"not for us", failing(fmt.Errorf("dial: %w: %w", carrier.ErrNotListening, nbss.NotListeningForCalling)), messngr.ErrRefused},
		{"full", failing(carrier.ErrNoResources), messngr.ErrBusy},
		{"connection refused", failing(syscall.ECONNREFUSED), messngr.ErrUnavailable},
		{"off", failing(carrier.ErrOff), messngr.ErrUnavailable},
		{"nobody", &network{resolve: carrier.ErrNoName}, messngr.ErrUnknownName},
		{"no addresses", &network{}, messngr.ErrUnknownName},
		{"no name service", &network{resolve: carrier.ErrOff}, messngr.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := transportOn(t, tt.network).Send(t.Context(), to, &messngr.Message{})
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("no networks", func(t *testing.T) {
		if _, err := transportOn(t).Send(t.Context(), to, &messngr.Message{}); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
	})
	t.Run("the first network's reason", func(t *testing.T) {
		first, second := &network{resolve: carrier.ErrNoName}, &network{resolve: carrier.ErrOff}
		if _, err := transportOn(t, first, second).Send(t.Context(), to, &messngr.Message{}); !errors.Is(err, messngr.ErrUnknownName) {
			t.Errorf("error %v, want ErrUnknownName", err)
		}
		if _, err := transportOn(t, second, first).Send(t.Context(), to, &messngr.Message{}); !errors.Is(err, messngr.ErrUnknownName) {
			t.Errorf("the other way round: %v, want ErrUnknownName", err)
		}
	})
}

func TestNextAddressAndNextNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, windows, nil)
		here := s.lan.Host(netip.MustParseAddr("10.77.0.7"))
		run(t, here)
		dead := netip.MustParseAddr("10.77.0.8")
		broken := &network{NetBIOS: here, resolve: carrier.ErrOff}
		works := &network{NetBIOS: here, addrs: []netip.Addr{dead, thereAddr}, dial: map[netip.Addr]error{dead: syscall.EHOSTUNREACH}}
		ev, err := transportOn(t, broken, works).Send(t.Context(), messngr.Device{Name: "PC1"}, &messngr.Message{Text: "hello"})
		if err != nil || ev.Address.Addr() != thereAddr {
			t.Errorf("evidence %+v, %v, want it at %v", ev, err, thereAddr)
		}
		s.wantHeard("start BETA > PC1", `text 772 "hello"`, "end 772")
	})
}

// Who sends under a name that does not go over the wire as a whole is told so, once it is taken.
func TestSendTellsOfTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, windows, nil)
		m := &messngr.Message{From: messngr.From{Claimed: "Administrator of PC17"}, Text: "hello"}
		ev, err := s.part.Send(t.Context(), messngr.Device{Name: "PC1"}, m)
		if want := `sent as "Administrator o", all that old machines take of the name`; err != nil || ev.Detail != want {
			t.Errorf("evidence %+v, %v; want the detail %q", ev, err, want)
		}
		if got := s.requests()[0]; got != "start Administrator o > PC1" {
			t.Errorf("it began with %q", got)
		}
	})
}
