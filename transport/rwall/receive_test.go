package rwall_test

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/transport"
	"messngr/transport/rwall"
	"messngr/wire/sunrpc"
)

func sys(t *testing.T, machine string, uid uint32) sunrpc.Auth {
	t.Helper()
	b, err := sunrpc.Sys{Machine: machine, UID: uid}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return sunrpc.Auth{Flavor: sunrpc.AuthSys, Body: b}
}

func TestInbound(t *testing.T) {
	m := start(t, beta, *rwall.DefaultConfig(), 0, nil)
	const head = "Remote Broadcast Message from root@vm\n        ((null)) at 19:35 ...\n\n"
	for i, tt := range []struct {
		name, text string
		credential sunrpc.Auth
		from       string
		want       string
		title      string
	}{
		{"Debian's rwall, with the bytes that it adds", head + "Hello from rwall\nline two\nmes:x:5:6!", sunrpc.Auth{},
			"root@vm", "Hello from rwall\nline two\nmes:x:5:6!", ""},
		{"UTF-8", head + "Grüße", sunrpc.Auth{}, "root@vm", "Grüße", ""},
		{"an OEM code page", head + "Gr\x81\xe1e", sunrpc.Auth{}, "root@vm", "Grüße", ""},
		{"cut at the first NUL", head + "Hello\x00rest of the memory", sunrpc.Auth{}, "root@vm", "Hello", ""},
		{"nothing known", "Reboot", sunrpc.Auth{}, "127.0.0.1", "Reboot", ""},
		{"credentials", "Reboot", sys(t, "vm", 0), "root@vm", "Reboot", ""},
		{"credentials of a user", "Reboot", sys(t, "vm", 1000), "uid 1000@vm", "Reboot", ""},
		{"both agree", head + "Reboot", sys(t, "vm", 0), "root@vm", "Reboot", ""},
		{"both differ", head + "Reboot", sys(t, "other", 7), "root@vm", "Reboot", "the call claims to come from uid 7@other"},
		{"broken credentials", "Reboot", sunrpc.Auth{Flavor: sunrpc.AuthSys, Body: []byte("abc")}, "127.0.0.1", "Reboot", ""},
		{"another first line", "Remote Broadcast Message from root@vm\nReboot", sunrpc.Auth{}, "127.0.0.1",
			"Remote Broadcast Message from root@vm\nReboot", ""},
		{"no sender", strings.Replace(head, "root@vm", "", 1) + "x", sunrpc.Auth{}, "127.0.0.1",
			"Remote Broadcast Message from \n        ((null)) at 19:35 ...\n\nx", ""},
		{"escape sequences", strings.Replace(head, "vm", "\x1b[2Jvm", 1) + "\x1b]0;x\x07\r\n", sys(t, "a\x1bb", 0), "root@^[[2Jvm",
			"^[]0;x^G\n", "the call claims to come from root@a^[b"},
		{"empty", "", sunrpc.Auth{}, "127.0.0.1", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := wall(uint32(i), tt.text)
			c.Credential = tt.credential
			client := dial(t, m.at())
			if reply := client.call(c); reply.Status != sunrpc.Success || len(reply.Results) != 0 {
				t.Errorf("answered %+v, want success", reply)
			}
			got := m.inbox(t, i+1)[i]
			want := messngr.Inbound{
				Message: messngr.Message{
					From: messngr.From{Claimed: tt.from, Address: alpha}, To: "BETA", Via: "rwall", Title: tt.title, Text: tt.want,
				},
				To: []string{"BETA"},
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreFields(messngr.Inbound{}, "Origin")); diff != "" {
				t.Errorf("inbound (-want +got):\n%s", diff)
			}
			if len(got.Origin) == 0 || len(got.Origin) > 255 {
				t.Errorf("origin %q", got.Origin)
			}
		})
	}
}

// A repeated call is the same message. The same text in another call is another one.
func TestRepetition(t *testing.T) {
	m := start(t, beta, *rwall.DefaultConfig(), 0, nil)
	one, other := dial(t, m.at()), dial(t, m.at())
	one.call(wall(1, "x"))
	one.call(wall(1, "x"))
	one.call(wall(2, "x"))
	one.call(wall(1, "y"))
	other.call(wall(1, "x"))
	got := m.inbox(t, 5)
	if got[0].Origin != got[1].Origin {
		t.Errorf("the repeated call is %q, want %q", got[1].Origin, got[0].Origin)
	}
	origins := make(map[messngr.Origin]bool)
	for _, in := range got {
		origins[in.Origin] = true
	}
	if len(origins) != 4 {
		t.Errorf("%d messages, want 4: %v", len(origins), origins)
	}
}

func TestAnswers(t *testing.T) {
	answers := make(chan error, 1)
	m := start(t, beta, *rwall.DefaultConfig(), 0, func() error { return <-answers })
	c := dial(t, m.at())
	for _, tt := range []struct {
		name string
		err  error
		want sunrpc.Status
	}{
		{"refused", messngr.ErrRefused, sunrpc.AuthError},
		{"busy", messngr.ErrBusy, sunrpc.SystemError},
		{"paused", messngr.ErrPaused, sunrpc.SystemError},
		{"not stored", messngr.ErrUnavailable, sunrpc.SystemError},
		{"too long", messngr.ErrTooLong, sunrpc.GarbageArguments},
	} {
		answers <- tt.err
		if reply := c.call(wall(1, tt.name)); reply.Status != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, reply.Status, tt.want)
		}
	}
	change := func(f func(*sunrpc.Call)) sunrpc.Call {
		c := wall(7, "x")
		f(&c)
		return c
	}
	for _, tt := range []struct {
		name string
		call sunrpc.Call
		want sunrpc.Reply
	}{
		{"null procedure", change(func(c *sunrpc.Call) { c.Procedure, c.Args = 0, nil }), sunrpc.Reply{}},
		{"another procedure", change(func(c *sunrpc.Call) { c.Procedure = 3 }), sunrpc.Reply{Status: sunrpc.ProcedureUnavailable}},
		{"another version", change(func(c *sunrpc.Call) { c.Version = 2 }), sunrpc.Reply{Status: sunrpc.ProgramMismatch, Low: 1, High: 1}},
		{"another program", change(func(c *sunrpc.Call) { c.Program++ }), sunrpc.Reply{Status: sunrpc.ProgramUnavailable}},
		{"no text", change(func(c *sunrpc.Call) { c.Args = nil }), sunrpc.Reply{Status: sunrpc.GarbageArguments}},
		{"a text that lies", change(func(c *sunrpc.Call) { c.Args[0] = 0xff }), sunrpc.Reply{Status: sunrpc.GarbageArguments}},
		{"a text over the limit", wall(7, strings.Repeat("x", 8001)), sunrpc.Reply{Status: sunrpc.GarbageArguments}},
	} {
		tt.want.XID = 7
		if diff := cmp.Diff(tt.want, c.call(tt.call), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: reply (-want +got):\n%s", tt.name, diff)
		}
	}
	m.inbox(t, 5) // and nothing of the last ones
}

// TestSilence: no answer is longer than the question, and nonsense gets none.
func TestSilence(t *testing.T) {
	m := start(t, beta, *rwall.DefaultConfig(), 0, nil)
	c := dial(t, m.at())
	for name, b := range map[string][]byte{
		"nothing":                           {},
		"a reply":                           []byte("\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"a short call of another version":   []byte("\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x03"),
		"a call that ends in the middle":    []byte("\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa8"),
		"a message in somebody else's form": []byte("GET / HTTP/1.0\r\n\r\n"),
	} {
		if answer := c.say(b); answer != nil {
			t.Errorf("%s: answered %x", name, answer)
		}
	}
	long := append([]byte("\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x03"), make([]byte, 12)...)
	reply, err := sunrpc.ParseReply(c.say(long))
	if err != nil || reply.Status != sunrpc.RPCMismatch || reply.Low != 2 || reply.High != 2 {
		t.Errorf("version 3: %+v, %v, want that there is version 2", reply, err)
	}
	m.inbox(t, 0)
}

func TestPermit(t *testing.T) {
	c := *rwall.DefaultConfig()
	c.Enabled = true
	asked := make(chan netip.Addr, 10)
	part, err := rwall.New(transport.Env{
		Host: "BETA", Addresses: func() []netip.Addr { return []netip.Addr{beta} },
		Permit: func(addr netip.Addr) error { asked <- addr; return messngr.ErrRefused },
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- part.Receive(ctx, func(context.Context, messngr.Inbound) (messngr.Results, error) {
			t.Error("a message got through")
			return nil, nil
		})
	}()
	until(t, "port", func() bool { return len(part.Ports()) == 1 })
	b, err := wall(1, "x").Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer := dial(t, part.Ports()[0].Address).say(b); answer != nil {
		t.Errorf("answered %x to somebody who is not listened to", answer)
	}
	if got := <-asked; got != alpha {
		t.Errorf("asked about %v, want %v", got, alpha)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestDisabled: a transport that is not switched on opens nothing.
func TestDisabled(t *testing.T) {
	part, err := rwall.New(transport.Env{Addresses: func() []netip.Addr { t.Error("it looks for addresses"); return nil }}, *rwall.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := part.Receive(ctx, nil); err != nil || len(part.Ports()) != 0 {
		t.Errorf("Receive = %v with ports %v", err, part.Ports())
	}
}

// TestStopWhileStoring: a message that is being stored at the end is still answered.
func TestStopWhileStoring(t *testing.T) {
	storing := make(chan struct{})
	m := start(t, beta, *rwall.DefaultConfig(), 0, func() error {
		close(storing)
		time.Sleep(100 * time.Millisecond)
		return nil
	})
	go func() { <-storing; m.stop() }()
	if reply := dial(t, m.at()).call(wall(1, "x")); reply.Status != sunrpc.Success {
		t.Errorf("answered %v", reply.Status)
	}
}

// TestAddressesComeAndGo: doors follow the addresses of the host, all at one port.
func TestAddressesComeAndGo(t *testing.T) {
	current := make(chan []netip.Addr, 1)
	current <- nil
	c := *rwall.DefaultConfig()
	c.Enabled = true
	part, err := rwall.New(transport.Env{Addresses: func() []netip.Addr {
		addrs := <-current
		current <- addrs
		return addrs
	}}, c)
	if err != nil {
		t.Fatal(err)
	}
	part.Hurry(5 * time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- part.Receive(ctx, nil) }()
	for _, addrs := range [][]netip.Addr{{alpha}, {alpha, beta}, {beta}, nil} {
		<-current
		current <- addrs
		until(t, "other ports", func() bool {
			ports := part.Ports()
			for i := range ports {
				if i >= len(addrs) || ports[i].Address.Addr() != addrs[i] || ports[i].Address.Port() != ports[0].Address.Port() || ports[i].Err != nil {
					return false
				}
			}
			return len(ports) == len(addrs)
		})
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// FuzzSplit: what is not in the form of rwall(1) stays whole, and a sender is one line.
func FuzzSplit(f *testing.F) {
	f.Add("Remote Broadcast Message from root@vm\n        ((null)) at 19:35 ...\n\nHello")
	f.Add("Remote Broadcast Message from \n() at ...")
	f.Fuzz(func(t *testing.T, whole string) {
		from, text := rwall.Split(whole)
		if from == "" && text != whole {
			t.Errorf("%q was cut to %q", whole, text)
		}
		if strings.ContainsAny(from, "\n\x1b") || !strings.HasSuffix(whole, text) {
			t.Errorf("%q is from %q: %q", whole, from, text)
		}
	})
}

func TestCompose(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 5, 0, 0, time.UTC)
	got := rwall.Compose("alice@ALPHA", at, "one\ntwo")
	if want := "Remote Broadcast Message from alice@ALPHA\n        (messngr) at 09:05 ...\n\none\ntwo"; got != want {
		t.Errorf("composed %q, want %q", got, want)
	}
	if from, text := rwall.Split(got); from != "alice@ALPHA" || text != "one\ntwo" {
		t.Errorf("split into %q and %q", from, text)
	}
}

func TestBind(t *testing.T) {
	r := newRPCBind(t)
	c := *rwall.DefaultConfig()
	c.RPCBind = r.path
	m := start(t, beta, c, 0, nil)
	want := sunrpc.FormatAddress(netip.AddrPortFrom(netip.IPv4Unspecified(), m.at().Port()))
	until(t, "binding", func() bool { return r.has(want) })
	r.stop()
	if r.has(want) {
		t.Error("the test's rpcbind remembers")
	}
	r.start()
	until(t, "binding after a restart", func() bool { return r.has(want) })
	m.stop()
	if !r.has("") {
		t.Error("it is still bound at the end")
	}
}

// TestBindLater: rpcbind may come later than we do.
func TestBindLater(t *testing.T) {
	r := newRPCBind(t)
	r.stop()
	c := *rwall.DefaultConfig()
	c.RPCBind = r.path
	m := start(t, beta, c, 0, nil)
	time.Sleep(2 * hurry)
	r.start()
	until(t, "binding", func() bool { return !r.has("") })
	m.stop()
}

// TestBindBesideOthers: who is bound and alive stays; who has died does not.
func TestBindBesideOthers(t *testing.T) {
	offset := freeOffset(t, alpha)
	other := serve(t, netip.AddrPortFrom(alpha, 0), func(sunrpc.Call) *sunrpc.Reply { return &sunrpc.Reply{} })
	bound := sunrpc.FormatAddress(other.at)
	dead := "127.0.0.1.0.1" // where nobody listens
	table := make(chan string, 1)
	table <- bound
	serve(t, netip.AddrPortFrom(alpha, uint16(sunrpc.BindPort+offset)), func(sunrpc.Call) *sunrpc.Reply {
		addr := <-table
		table <- addr
		return &sunrpc.Reply{Results: sunrpc.AppendString(nil, []byte(addr))}
	})
	r := newRPCBind(t)
	r.bound = bound
	c := *rwall.DefaultConfig()
	c.RPCBind = r.path
	m := start(t, beta, c, offset, nil)
	until(t, "look at who is bound", func() bool { return len(other.made()) > 1 })
	if !r.has(bound) {
		t.Error("the binding of a living program is gone")
	}
	<-table
	table <- dead
	want := sunrpc.FormatAddress(netip.AddrPortFrom(netip.IPv4Unspecified(), m.at().Port()))
	until(t, "binding", func() bool { return r.has(want) })
	m.stop()
	if _, err := os.Stat(r.path); err != nil {
		t.Error(err)
	}
}
