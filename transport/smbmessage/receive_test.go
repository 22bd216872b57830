package smbmessage_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/carrier"
	"messngr/carrier/memlan"
	"messngr/transport"
	"messngr/transport/smbmessage"
	"messngr/wire/netbios"
	"messngr/wire/oem"
	"messngr/wire/smb"
)

var (
	hereAddr  = netip.MustParseAddr("10.77.0.2")
	thereAddr = netip.MustParseAddr("10.77.0.1")
)

func nameOf(t testing.TB, label string, suffix netbios.Suffix) netbios.Name {
	t.Helper()
	n, err := netbios.New(label, suffix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// receiver is the machine BETA that receives, and what it got.
type receiver struct {
	t     testing.TB
	there *memlan.Host // whoever sends

	mu     sync.Mutex
	result error // what becomes of messages
	got    []messngr.Inbound
	// deaf ends Receive and waits for that; stopped ends everything.
	deaf, stopped func()
}

// receive switches BETA on. Its settings can be adjusted before.
func receive(t testing.TB, adjust func(*transport.Env, *smbmessage.Config)) *receiver {
	t.Helper()
	lan := memlan.New(memlan.Faults{})
	here := lan.Host(hereAddr)
	r := &receiver{t: t, there: lan.Host(thereAddr)}
	env := transport.Env{
		NetBIOS: []carrier.NetBIOS{here}, Host: "BETA", Workgroup: "LAB",
		Local: func(s string) bool { return s == "BETA" || s == "MÜLLER" },
	}
	config := smbmessage.DefaultConfig()
	if adjust != nil {
		adjust(&env, config)
	}
	part, err := smbmessage.New(env, *config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	receiving, stopReceiving := context.WithCancel(ctx)
	var running, receiver sync.WaitGroup
	running.Go(func() { _ = here.Run(ctx) })
	running.Go(func() { _ = r.there.Run(ctx) })
	receiver.Go(func() { _ = part.Receive(receiving, r.accept) })
	r.deaf = func() { stopReceiving(); receiver.Wait() }
	r.stopped = func() { cancel(); receiver.Wait(); running.Wait() }
	t.Cleanup(r.stopped)
	<-here.Ready()
	<-r.there.Ready()
	return r
}

func (r *receiver) accept(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, in)
	return messngr.Results{{To: in.To[0], Err: r.result}}, r.result
}

func (r *receiver) inbox() []messngr.Inbound {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// texts returns what arrived, each as "from > to: text".
func (r *receiver) texts() []string {
	var texts []string
	for _, in := range r.inbox() {
		texts = append(texts, fmt.Sprintf("%s > %s: %s", in.Message.From.Claimed, in.To[0], in.Message.Text))
	}
	return texts
}

// peer is a hand-made client.
type peer struct {
	t       testing.TB
	session carrier.Session
}

// call opens a session to BETA.
func (r *receiver) call() *peer {
	r.t.Helper()
	return r.callName(nameOf(r.t, "BETA", netbios.Messenger))
}

func (r *receiver) callName(called netbios.Name) *peer {
	r.t.Helper()
	s, err := r.there.Dial(context.Background(), hereAddr, called, nameOf(r.t, "ALPHA", netbios.Workstation))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { s.Close() })
	return &peer{r.t, s}
}

// say sends a request and returns the answer.
func (p *peer) say(request []byte) smb.Packet {
	p.t.Helper()
	if err := p.session.Write(request); err != nil {
		p.t.Fatal(err)
	}
	b, err := p.session.Read()
	if err != nil {
		p.t.Fatalf("no answer: %v", err)
	}
	answer, err := smb.Parse(b)
	if err != nil {
		p.t.Fatal(err)
	}
	if answer.Header.Flags&smb.Reply == 0 || byte(answer.Header.Command) != request[4] {
		p.t.Fatalf("answer %+v to %x", answer.Header, request)
	}
	return answer
}

// hears sends a request and says what the status of the answer should be.
func (p *peer) hears(want smb.Status, request []byte) smb.Packet {
	p.t.Helper()
	answer := p.say(request)
	if got := answer.Header.Status; got != want {
		p.t.Errorf("answer %v (%#x), want %v", got, uint32(got), want)
	}
	return answer
}

// hangsUp says that the other side should have closed the session.
func (p *peer) hangsUp() {
	p.t.Helper()
	if b, err := p.session.Read(); !errors.Is(err, io.EOF) {
		p.t.Errorf("Read = %x, %v, want the end of the session", b, err)
	}
}

// must returns what an Append method returns, for values that can be encoded.
func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// The requests of a client that numbers its messages 0, as smbclient does.

func single(from, to, text string) []byte {
	return must(smb.Single{From: []byte(from), To: []byte(to), Text: []byte(text)}.Append(nil, smb.Header{}))
}

func start(from, to string) []byte {
	return must(smb.Start{From: []byte(from), To: []byte(to)}.Append(nil, smb.Header{}))
}

func block(text string) []byte { return blockOf(0, text) }

func blockOf(group uint16, text string) []byte {
	return must(smb.Text{Group: group, Text: []byte(text)}.Append(nil, smb.Header{}))
}

func end() []byte { return endOf(0) }

func endOf(group uint16) []byte { return smb.End{Group: group}.Append(nil, smb.Header{}) }

// raw is a request with any body.
func raw(command smb.Command, words, data string) []byte {
	return must(smb.Packet{Header: smb.Header{Command: command}, Words: []byte(words), Data: []byte(data)}.Append(nil))
}

func (r *receiver) want(texts ...string) {
	r.t.Helper()
	if diff := cmp.Diff(texts, r.texts()); diff != "" {
		r.t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func recorded(t testing.TB, file string) [][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	for line := range strings.Lines(string(b)) {
		packet, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, packet)
	}
	if len(packets) < 3 {
		t.Fatalf("%s holds %d packets", file, len(packets))
	}
	return packets
}

func TestRecordedClients(t *testing.T) {
	var longest strings.Builder
	for i := 0; longest.Len() < 1598; i++ {
		fmt.Fprintf(&longest, "%03d:abcdefghijklmnopqrstuvwxyz0123456789", i)
	}
	tests := []struct{ file, want string }{
		{"smbclient-short.hex", "hello from smbclient\n"},
		{"smbclient-umlaut.hex", "Gruesse: äöüß ÄÖÜ é ñ\n"},
		{"smbclient-umlaut_euro.hex", "Grüße aus Köln: äöüß ÄÖÜ é ñ €\n"},
		{"smbclient-multi_lf.hex", "line one\nline two\n\nline four\n"},
		{"smbclient-b5000.hex", longest.String()[:1598]},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				p := r.call()
				for _, packet := range recorded(t, tt.file) {
					p.hears(0, packet)
				}
				r.want("alice > BETA: " + tt.want)
			})
		})
	}
}

func TestManyMessagesInOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		p := r.call()
		p.hears(0, single("ALICE", "BETA", "at once"))
		for range 300 {
			group := p.hears(0, start("ALICE", "beta")).Group()
			if group == 0 || group > 255 {
				t.Fatalf("message has number %d, want 1 to 255", group)
			}
			for _, text := range []string{"in ", "", "several ", "blocks"} {
				p.hears(0, blockOf(group, text))
			}
			p.hears(0, endOf(group))
		}
		want := []string{"ALICE > BETA: at once"}
		origins := make(map[messngr.Origin]bool)
		for range 300 {
			want = append(want, "ALICE > BETA: in several blocks")
		}
		r.want(want...)
		for _, in := range r.inbox() {
			origins[in.Origin] = true
		}
		if len(origins) != 301 {
			t.Errorf("%d origins, want one for each of 301 messages", len(origins))
		}
	})
}

func TestWithoutSessionRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		p := r.callName(netbios.Name{})
		p.hears(0, single("", "BETA", "hello"))
		r.want("ALPHA > BETA: hello")
	})
}

func TestNegotiation(t *testing.T) {
	for _, dialects := range []string{
		"\x02PC NETWORK PROGRAM 1.0\x00", "\x02LANMAN1.0\x00", "\x02LM1.2X002\x00", "\x02NT LM 0.12\x00", "\x02SMB 2.???\x00",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := receive(t, nil)
			p := r.call()
			p.hears(0, raw(smb.Negotiate, "", dialects))
			p.hears(0, single("ALICE", "BETA", "after"))
			p.hears(0, start("ALICE", "BETA"))
			p.hears(0, raw(smb.Negotiate, "", dialects))
			p.hears(0, block("between"))
			p.hears(0, end())
			p.hears(smb.InvalidSMB, raw(smb.Negotiate, "", "\x02no end"))
			r.want("ALICE > BETA: after", "ALICE > BETA: between")
		})
	}
}

func TestBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		p := r.call()
		p.hears(0, raw(smb.SendBroadcast, "", "\x04ALICE\x00\x04*\x00\x01\x02\x00hi"))
		p.hears(0, raw(smb.SendBroadcast, "", "\x04rawpeer\x00\x01\x05\x00bcast"))
		r.want("ALICE > LAB: hi", "rawpeer > LAB: bcast")
		for _, in := range r.inbox() {
			if !in.Group || in.Message.To != "*" {
				t.Errorf("message to %q (group: %v), want the group, as *", in.Message.To, in.Group)
			}
		}
	})
}

func TestWhatIsNoMessage(t *testing.T) {
	const rest = "\x04BETA\x00\x01\x02\x00hi"
	long := strings.Repeat("x", 256)
	tests := []struct {
		name    string
		request []byte
		want    smb.Status
	}{
		{"forward a name", raw(smb.ForwardName, "", "\x04ALICE\x00"), smb.BadCommand},
		{"end forwarding", raw(smb.CancelForward, "", "\x04ALICE\x00"), smb.BadCommand},
		{"machine of a name", raw(smb.GetMachineName, "", "\x04ALICE\x00"), smb.BadCommand},
		{"session set-up", raw(0x73, "", ""), smb.BadCommand},
		{"text without start", block("hi"), smb.InvalidParameter},
		{"end without start", end(), smb.InvalidParameter},
		{"text longer than its block", raw(smb.SendSingle, "", "\x04ALICE\x00\x04BETA\x00\x01\xf4\x01short"), smb.InvalidSMB},
		{"text shorter than its block", raw(smb.SendSingle, "", "\x04ALICE\x00\x04BETA\x00\x01\x01\x00short"), smb.InvalidSMB},
		{"name without end", raw(smb.SendStart, "", "\x04ALICE"), smb.InvalidSMB},
		{"broadcast without text", raw(smb.SendBroadcast, "", "\x04ALICE\x00"), smb.InvalidSMB},
		{"long name of the sender", raw(smb.SendSingle, "", "\x04"+long+"\x00"+rest), smb.InvalidSMB},
		{"long name of the recipient", raw(smb.SendStart, "", "\x04A\x00\x04"+long+"\x00"), smb.InvalidSMB},
		{"words that are not there", append(raw(smb.SendEnd, "", "")[:32], 9), smb.InvalidSMB},
		{"bytes that are not there", append(raw(smb.SendEnd, "", "")[:32], 0, 9, 0), smb.InvalidSMB},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				p := r.call()
				p.hears(tt.want, tt.request)
				p.hears(0, single("ALICE", "BETA", "afterwards"))
				r.want("ALICE > BETA: afterwards")
			})
		})
	}
}

func TestErrorsInTheMiddleOfAMessage(t *testing.T) {
	tests := []struct {
		name    string
		request []byte
		want    smb.Status
	}{
		{"lying text", raw(smb.SendText, "\x00\x00", "\x01\x09\x00lie"), smb.InvalidSMB},
		{"lying end", raw(smb.SendEnd, "\x00\x00", "x"), smb.InvalidSMB},
		{"lying start", raw(smb.SendStart, "", "\x04ALICE"), smb.InvalidSMB},
		{"lying counts", append(block("x")[:35], 0xff), smb.InvalidSMB},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				p := r.call()
				p.hears(0, start("ALICE", "BETA"))
				p.hears(0, block("one"))
				p.hears(tt.want, tt.request)
				// What was said before is gone, so that no message has a hole.
				p.hears(smb.InvalidParameter, block("two"))
				p.hears(smb.InvalidParameter, end())
				r.want()
			})
		})
	}
}

func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		p := r.call()
		first := p.hears(0, start("ALICE", "BETA")).Group()
		p.hears(0, blockOf(first, "forgotten"))
		second := p.hears(0, start("BOB", "BETA")).Group()
		if first == second {
			t.Errorf("both messages have number %d", first)
		}
		p.hears(0, blockOf(second, "one "))
		p.hears(smb.InvalidParameter, blockOf(first, "of another"))
		p.hears(smb.InvalidParameter, endOf(first))
		p.hears(0, block("two "))            // smbclient's number
		p.hears(0, blockOf(0x0707, "three")) // a number that nobody gave; smbd takes it
		p.hears(0, endOf(second))
		p.hears(smb.InvalidParameter, endOf(second))
		r.want("BOB > BETA: one two three")
	})
}

func TestTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		p := r.call()
		p.hears(0, start("ALICE", "BETA"))
		text := strings.Repeat("x", 4096)
		for range 16 {
			p.hears(0, block(text))
		}
		p.hears(0, end())
		p.hears(0, start("ALICE", "BETA"))
		for range 16 {
			p.hears(0, block(text))
		}
		p.hears(smb.NoRoom, block("x"))
		p.hears(smb.InvalidParameter, end())
		r.want("ALICE > BETA: " + strings.Repeat(text, 16))
	})
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, func(_ *transport.Env, c *smbmessage.Config) { c.MaxText = 100 })
		p := r.call()
		p.hears(0, single("A", "BETA", strings.Repeat("x", 100)))
		p.hears(smb.NoRoom, single("A", "BETA", strings.Repeat("x", 101)))
		if n := len(r.inbox()); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

func TestAnswersToWhatAcceptSays(t *testing.T) {
	tests := []struct {
		result  error
		dos, nt smb.Status
	}{
		{nil, 0, 0},
		{messngr.ErrUnknownName, smb.UnknownName, 0xC00000CC},
		{messngr.ErrRefused, smb.MessagesOff, 0xC00000D0},
		{messngr.ErrPaused, smb.Paused, 0xC00000CF},
		{messngr.ErrBusy, smb.NoRoom, 0xC000007F},
		{&messngr.TooLongError{}, smb.NoRoom, 0xC000007F},
		{messngr.ErrUnavailable, smb.NoResource, 0xC0000205},
		{errors.New("disk on fire"), smb.NoResource, 0xC0000205},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.result), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				r.result = tt.result
				if tt.result != nil {
					r.result = fmt.Errorf("for BETA: %w", tt.result)
				}
				p := r.call()
				p.hears(tt.dos, single("ALICE", "BETA", "one"))
				p.hears(0, start("ALICE", "BETA"))
				p.hears(tt.dos, end())
				nt := smb.Header{Flags2: smb.NTStatus, MultiplexID: 7, ProcessID: 8, TreeID: 9, UserID: 10}
				answer := p.hears(tt.nt, must(smb.Single{From: []byte("A"), To: []byte("BETA")}.Append(nil, nt)))
				want := smb.Header{
					Command: smb.SendSingle, Flags: smb.Reply, Flags2: smb.NTStatus, Status: tt.nt,
					MultiplexID: 7, ProcessID: 8, TreeID: 9, UserID: 10,
				}
				if diff := cmp.Diff(want, answer.Header); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if n := len(r.inbox()); n != 3 {
					t.Errorf("%d messages were handed over, want 3", n)
				}
			})
		})
	}
}

func TestWhatEndsASession(t *testing.T) {
	answer := end()
	answer[9] |= byte(smb.Reply)
	for name, request := range map[string][]byte{
		"nothing": {}, "other protocol": []byte("GET / HTTP/1.0\r\n\r\nxxxxxxxxxxxxxxxxxxxxx"),
		"SMB 2": []byte("\xfeSMB" + strings.Repeat("\x00", 60)), "an answer": answer,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				p := r.call()
				if err := p.session.Write(request); err != nil {
					t.Fatal(err)
				}
				p.hangsUp()
				r.want()
			})
		})
	}
	t.Run("nonsense", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := receive(t, nil)
			p := r.call()
			for range 15 {
				p.hears(smb.BadCommand, raw(smb.GetMachineName, "", ""))
			}
			p.hears(0, single("ALICE", "BETA", "sense"))
			for range 16 {
				p.hears(smb.BadCommand, raw(smb.GetMachineName, "", ""))
			}
			p.hangsUp()
			r.want("ALICE > BETA: sense")
		})
	})
}

func TestTimeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		p := r.call()
		began := time.Now()
		p.hears(0, start("ALICE", "BETA"))
		p.hangsUp()
		if idle := time.Since(began); idle != 30*time.Second {
			t.Errorf("silent session ended after %v, want 30 s", idle)
		}
		p = r.call()
		began = time.Now()
		p.hears(0, start("ALICE", "BETA"))
		for time.Since(began) < 110*time.Second {
			p.hears(0, block("x"))
			time.Sleep(20 * time.Second)
		}
		p.hangsUp()
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("session that dribbles ended after %v, want 2 min", took)
		}
		r.want()
	})
}

func TestTheEndWaitsForNobodyWhoIsSilent(t *testing.T) {
	for name, stop := range map[string]func(*receiver){
		"of the transport": func(r *receiver) { r.deaf() },
		"of everything":    func(r *receiver) { r.stopped() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				p := r.call()
				p.hears(0, start("ALICE", "BETA"))
				began := time.Now()
				stop(r)
				if took := time.Since(began); took != 0 {
					t.Errorf("end took %v", took)
				}
				p.hangsUp()
			})
		})
	}
}

func TestWhoMayCall(t *testing.T) {
	mueller := nameOf(t, "M\x9aLLER", netbios.Messenger)
	tests := []struct {
		name   string
		called netbios.Name
		refuse error
		want   error
	}{
		{"our name", nameOf(t, "BETA", netbios.Messenger), nil, nil},
		{"our name as a server", nameOf(t, "BETA", netbios.FileServer), nil, nil},
		{"a name with an umlaut", mueller, nil, nil},
		{"whichever server", nameOf(t, "*SMBSERVER", netbios.FileServer), nil, nil},
		{"another name", nameOf(t, "GAMMA", netbios.Messenger), nil, carrier.ErrNoName},
		{"our name as a workstation", nameOf(t, "BETA", netbios.Workstation), nil, carrier.ErrNoName},
		{"a stranger", nameOf(t, "BETA", netbios.Messenger), messngr.ErrRefused, carrier.ErrNotListening},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, func(env *transport.Env, _ *smbmessage.Config) {
					env.Permit = func(addr netip.Addr) error {
						if addr != thereAddr {
							t.Errorf("asked for %v, want %v", addr, thereAddr)
						}
						return tt.refuse
					}
				})
				s, err := r.there.Dial(t.Context(), hereAddr, tt.called, mueller)
				if !errors.Is(err, tt.want) {
					t.Errorf("dial %s: %v, want %v", tt.called, err, tt.want)
				}
				if err == nil {
					s.Close()
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, func(env *transport.Env, _ *smbmessage.Config) {
			env.Permit = func(netip.Addr) error { return messngr.ErrRefused }
		})
		r.callName(netbios.Name{}).hangsUp()
	})
}

func TestRecipients(t *testing.T) {
	tests := []struct{ to, want, shown string }{
		{"beta", "BETA", "beta"},
		{" Beta ", "BETA", "Beta"},
		{"m\x81ller", "MÜLLER", "müller"},
		{"10.77.0.2", "BETA", "10.77.0.2"},
		{"beta.example.org", "BETA", "beta.example.org"},
		{"gamma.example.org", "GAMMA.EXAMPLE.ORG", "gamma.example.org"},
		{"gamma", "GAMMA", "gamma"},
		{"a\x1bb", "A^[B", "a^[b"},
	}
	for _, tt := range tests {
		t.Run(tt.shown, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				r.call().hears(0, single("ALICE", tt.to, "hello"))
				in := r.inbox()[0]
				if in.To[0] != tt.want || in.Message.To != tt.shown {
					t.Errorf("to %q shown as %q, want %q shown as %q", in.To[0], in.Message.To, tt.want, tt.shown)
				}
			})
		})
	}
}

func TestSenders(t *testing.T) {
	tests := []struct{ from, want string }{
		{"ALICE", "ALICE"},
		{"M\x9aLLER", "MÜLLER"},
		{"a user with a long name", "a user with a long name"},
		{"\x1b[31m'; rm -rf /;'", "^[[31m'; rm -rf /;'"},
		{"", "ALPHA"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, nil)
				r.call().hears(0, single(tt.from, "BETA", "hello"))
				from := r.inbox()[0].Message.From
				want := messngr.From{Claimed: tt.want, Trust: messngr.Unverified, Address: thereAddr}
				if from != want {
					t.Errorf("from %+v, want %+v", from, want)
				}
			})
		})
	}
}

func TestTextIsJoinedBeforeItIsRead(t *testing.T) {
	japanese, err := oem.Lookup("932")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		blocks []string
		want   string
	}{
		{"character in two blocks", []string{"\x93", "\xfa\x96", "\x7b"}, "日本"},
		{"line break in two blocks", []string{"a\r", "\nb\x14c"}, "a\nb\nc"},
		{"UTF-8 in two blocks", []string{"Gr\xc3", "\xbc\xc3\x9fe aus K\xc3\xb6ln"}, "Grüße aus Köln"},
		{"controls", []string{"a\x1b[2J\x00b"}, "a^[[2J^@b"},
		{"terminated", []string{"a\x00", "b\x00\x00"}, "ab"},
		{"empty, by smbclient", []string{"\x00"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t, func(env *transport.Env, _ *smbmessage.Config) { env.Page = japanese })
				p := r.call()
				p.hears(0, start("A", "BETA"))
				for _, b := range tt.blocks {
					p.hears(0, block(b))
				}
				p.hears(0, end())
				r.want("A > BETA: " + tt.want)
			})
		})
	}
}

func TestSingleBlockThatIsTerminated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t, nil)
		r.call().hears(0, single("A", "BETA", "hi\x00"))
		r.want("A > BETA: hi")
	})
}

func TestConfig(t *testing.T) {
	for name, adjust := range map[string]func(*smbmessage.Config){
		"no text":       func(c *smbmessage.Config) { c.MaxText = 0 },
		"too much text": func(c *smbmessage.Config) { c.MaxText = messngr.MaxText + 1 },
		"no patience":   func(c *smbmessage.Config) { c.AnswerSeconds = 0 },
		"no idle time":  func(c *smbmessage.Config) { c.IdleSeconds = 0 },
		"for ever":      func(c *smbmessage.Config) { c.IdleSeconds = 1e9 },
		"newline":       func(c *smbmessage.Config) { c.Newline = "CRLF" },
	} {
		c := smbmessage.DefaultConfig()
		adjust(c)
		if _, err := smbmessage.New(transport.Env{}, *c); err == nil {
			t.Errorf("%s: accepted %+v", name, *c)
		}
	}
	if _, err := smbmessage.Kind().New(transport.Env{}, "text"); err == nil {
		t.Error("accepted a configuration of another type")
	}
}
