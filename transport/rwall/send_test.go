package rwall_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/transport"
	"messngr/transport/rwall"
	"messngr/wire/sunrpc"
)

// sender is ALPHA's transport.
func sender(t *testing.T, offset, port int) *rwall.Transport {
	t.Helper()
	c := *rwall.DefaultConfig()
	c.Port = port
	part, err := rwall.New(transport.Env{Host: "ALPHA", PortOffset: offset}, c)
	if err != nil {
		t.Fatal(err)
	}
	part.Hurry(hurry)
	return part
}

func message(text string) *messngr.Message {
	return &messngr.Message{From: messngr.From{Claimed: "alice"}, Text: text}
}

var toBeta = messngr.Device{Address: beta}

// directory is a machine's rpcbind: it knows one version of the protocol, and the port of
// the wall; 0: none.
func directory(t *testing.T, version uint32, port uint16) (offset int, s *server) {
	t.Helper()
	offset = freeOffset(t, beta)
	s = serve(t, netip.AddrPortFrom(beta, uint16(sunrpc.BindPort+offset)), func(c sunrpc.Call) *sunrpc.Reply {
		switch {
		case c.Program != sunrpc.BindProgram || c.Procedure != sunrpc.LookupProcedure:
			return &sunrpc.Reply{Status: sunrpc.ProgramUnavailable}
		case c.Version != version:
			return &sunrpc.Reply{Status: sunrpc.ProgramMismatch, Low: version, High: version}
		case version == sunrpc.PortMapVersion:
			return &sunrpc.Reply{Results: sunrpc.AppendUint32(nil, uint32(port))}
		case port == 0:
			return &sunrpc.Reply{Results: sunrpc.AppendString(nil, nil)}
		}
		// Another machine's address: it must not lead us there.
		at := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)
		return &sunrpc.Reply{Results: sunrpc.AppendString(nil, []byte(sunrpc.FormatAddress(at)))}
	})
	return offset, s
}

func TestSend(t *testing.T) {
	for name, version := range map[string]uint32{
		"rpcbind of version 4": sunrpc.BindVersion4, "rpcbind of version 3": sunrpc.BindVersion3, "port mapper": sunrpc.PortMapVersion,
	} {
		t.Run(name, func(t *testing.T) {
			m := start(t, beta, *rwall.DefaultConfig(), 0, nil)
			offset, _ := directory(t, version, m.at().Port())
			ev, err := sender(t, offset, 0).Send(t.Context(), toBeta, message("one\ntwo: Grüße\n"))
			if err != nil || ev.State != messngr.Accepted || ev.Address != m.at() || ev.Lossy {
				t.Errorf("evidence %+v, %v", ev, err)
			}
			got := m.inbox(t, 1)[0].Message
			if got.From.Claimed != "alice@ALPHA" || got.Text != "one\ntwo: Grüße\n" {
				t.Errorf("%q arrived from %q", got.Text, got.From.Claimed)
			}
		})
	}
}

// TestSendWithoutRPCBind: the port of the configuration is called where no rpcbind is, or
// none that knows of a wall.
func TestSendWithoutRPCBind(t *testing.T) {
	m := start(t, beta, *rwall.DefaultConfig(), 0, nil)
	offset := freeOffset(t, beta)
	port := int(m.at().Port()) - offset
	if _, err := sender(t, offset, 0).Send(t.Context(), toBeta, message("x")); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("without rpcbind: %v, want ErrUnavailable", err)
	}
	if port > 0 {
		if ev, err := sender(t, offset, port).Send(t.Context(), toBeta, message("x")); err != nil || ev.Address != m.at() {
			t.Errorf("without rpcbind, to the port: %+v, %v", ev, err)
		}
		m.inbox(t, 1)
	}
	offset, _ = directory(t, sunrpc.BindVersion4, 0)
	if _, err := sender(t, offset, 0).Send(t.Context(), toBeta, message("x")); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("with nobody bound: %v, want ErrUnavailable", err)
	}
}

func TestSendFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer *sunrpc.Reply
		want   error
	}{
		{"lost answer", nil, messngr.ErrUncertain},
		{"refused", &sunrpc.Reply{Status: sunrpc.AuthError, Why: sunrpc.TooWeak}, messngr.ErrRefused},
		{"not understood", &sunrpc.Reply{Status: sunrpc.GarbageArguments}, messngr.ErrRefused},
		{"system error", &sunrpc.Reply{Status: sunrpc.SystemError}, messngr.ErrUnavailable},
		{"another program", &sunrpc.Reply{Status: sunrpc.ProgramUnavailable}, messngr.ErrUnavailable},
		{"another version", &sunrpc.Reply{Status: sunrpc.ProgramMismatch, Low: 2, High: 2}, messngr.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wall := serve(t, netip.AddrPortFrom(beta, 0), func(sunrpc.Call) *sunrpc.Reply {
				if tt.answer == nil {
					return nil
				}
				reply := *tt.answer
				return &reply
			})
			offset, _ := directory(t, sunrpc.BindVersion4, wall.at.Port())
			if _, err := sender(t, offset, 0).Send(t.Context(), toBeta, message("x")); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if calls := wall.made(); len(calls) != 1 {
				t.Errorf("called %d times, want once: a second call is a second message", len(calls))
			}
		})
	}
}

// TestSendToNobody: rpcbind names a port on which nobody listens.
func TestSendToNobody(t *testing.T) {
	offset, _ := directory(t, sunrpc.BindVersion4, uint16(freeOffset(t, beta)+sunrpc.BindPort))
	if _, err := sender(t, offset, 0).Send(t.Context(), toBeta, message("x")); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

// TestLostQuestion: a question about the port is asked again, since that does no harm.
func TestLostQuestion(t *testing.T) {
	m := start(t, beta, *rwall.DefaultConfig(), 0, nil)
	offset := freeOffset(t, beta)
	asked := 0
	serve(t, netip.AddrPortFrom(beta, uint16(sunrpc.BindPort+offset)), func(sunrpc.Call) *sunrpc.Reply {
		if asked++; asked < 3 {
			return nil
		}
		return &sunrpc.Reply{Results: sunrpc.AppendString(nil, []byte(sunrpc.FormatAddress(m.at())))}
	})
	if _, err := sender(t, offset, 0).Send(t.Context(), toBeta, message("x")); err != nil {
		t.Error(err)
	}
	m.inbox(t, 1)
}

func TestSendCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	wall := serve(t, netip.AddrPortFrom(beta, 0), func(sunrpc.Call) *sunrpc.Reply { cancel(); return nil })
	offset, _ := directory(t, sunrpc.BindVersion4, wall.at.Port())
	if _, err := sender(t, offset, 0).Send(ctx, toBeta, message("x")); !errors.Is(err, messngr.ErrUncertain) || !errors.Is(err, context.Canceled) {
		t.Errorf("called off before the answer: %v, want ErrUncertain", err)
	}
	begin := time.Now()
	if _, err := sender(t, offset, 0).Send(ctx, toBeta, message("x")); !errors.Is(err, messngr.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("called off before: %v, want ErrUnavailable", err)
	}
	if took := time.Since(begin); took > hurry || len(wall.made()) != 1 {
		t.Errorf("gave up after %v and %d calls", took, len(wall.made()))
	}
}

func TestSendNot(t *testing.T) {
	s := sender(t, 0, 0)
	if _, err := s.Send(t.Context(), messngr.Device{Name: "WORKGROUP", Group: true}, message("x")); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("to a group: %v, want ErrUnavailable", err)
	}
	long := message(strings.Repeat("x", 8000))
	_, err := s.Send(t.Context(), toBeta, long)
	var tooLong *messngr.TooLongError
	if !errors.As(err, &tooLong) || tooLong.Limit >= 8000 || tooLong.Limit < 7900 {
		t.Fatalf("8,000 bytes: %v, want a limit below, for the lines in front of it", err)
	}
	m := start(t, beta, *rwall.DefaultConfig(), 0, nil)
	offset, _ := directory(t, sunrpc.BindVersion4, m.at().Port())
	if _, err := sender(t, offset, 0).Send(t.Context(), toBeta, message(long.Text[:tooLong.Limit])); err != nil {
		t.Errorf("a text at the limit: %v", err)
	}
	if got := m.inbox(t, 1)[0].Message.Text; len(got) != tooLong.Limit {
		t.Errorf("%d bytes arrived, want %d", len(got), tooLong.Limit)
	}
}

func TestMistakesInTheConfiguration(t *testing.T) {
	for name, change := range map[string]func(*rwall.Config){
		"no room":      func(c *rwall.Config) { c.MaxText = 100 },
		"too long":     func(c *rwall.Config) { c.MaxText = 70000 },
		"port":         func(c *rwall.Config) { c.Port = 65536 },
		"no port":      func(c *rwall.Config) { c.Port = -1 },
		"no time":      func(c *rwall.Config) { c.AnswerSeconds = 0 },
		"for ever":     func(c *rwall.Config) { c.AnswerSeconds = 1e9 },
		"above 65,535": func(c *rwall.Config) { c.Port = 65000 },
	} {
		c := *rwall.DefaultConfig()
		change(&c)
		if _, err := rwall.New(transport.Env{PortOffset: 10000}, c); err == nil {
			t.Errorf("%s: %+v is taken", name, c)
		}
	}
	if _, err := rwall.Kind().New(transport.Env{}, nil); err == nil {
		t.Error("no configuration is taken")
	}
}
