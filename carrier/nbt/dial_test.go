package nbt

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier"
	"messngr/wire/nbss"
	"messngr/wire/netbios"
)

func TestDial(t *testing.T) {
	echoHost(t, 20, nil)
	c := sessionHost(t, 21, nil)
	s, err := c.Dial(t.Context(), ownAddr(20), beta, alpha)
	if err != nil {
		t.Fatal(err)
	}
	if s.Called() != beta || s.Calling() != alpha || s.Remote() != netip.AddrPortFrom(ownAddr(20), testSession) {
		t.Errorf("session of %s by %s at %v", s.Called(), s.Calling(), s.Remote())
	}
	for _, text := range []string{"hello", "", strings.Repeat("x", nbss.MaxLength)} {
		if err := s.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(); err != nil || string(got) != text {
			t.Errorf("Read = %d bytes, %v, want %d", len(got), err, len(text))
		}
	}
	if err := s.SetDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Error(err)
	}
	if _, err := s.Read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read after the deadline: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// answeringAt is a machine that answers each session request in turn with some bytes, and
// then closes the connection.
func answeringAt(t *testing.T, n byte, port uint16, answers ...string) netip.Addr {
	t.Helper()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(ownAddr(n), port).String())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for _, answer := range answers {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.ReadFull(conn, make([]byte, 72))
			io.WriteString(conn, answer)
			if answer == "" {
				io.Copy(io.Discard, conn) // says nothing until the caller gives up
			}
			conn.Close()
		}
	}()
	return ownAddr(n)
}

func TestDialIsNotGranted(t *testing.T) {
	to := func(addr netip.Addr, port uint16) string {
		b, err := nbss.AppendRetarget(nil, netip.AddrPortFrom(addr, port))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	self, other := ownAddr(22), ownAddr(23)
	tests := []struct {
		name    string
		answers []string
		want    error // nil: some other error
		code    nbss.ErrorCode
		text    string
	}{
		{"not listening on called", []string{"\x83\x00\x00\x01\x80"}, carrier.ErrNotListening, 0x80, "BETA<03>"},
		{"not listening for calling", []string{"\x83\x00\x00\x01\x81"}, carrier.ErrNotListening, 0x81, ""},
		{"no name", []string{keepalive + "\x83\x00\x00\x01\x82"}, carrier.ErrNoName, 0x82, ""},
		{"no resources", []string{"\x83\x00\x00\x01\x83"}, carrier.ErrNoResources, 0x83, ""},
		{"unspecified", []string{"\x83\x00\x00\x01\x8f"}, nil, 0x8f, "not granted"},
		{"closed", []string{"\x82"}, io.ErrUnexpectedEOF, 0, ""},
		{"something else", []string{"\x00\x00\x00\x01x"}, nil, 0, "type 0x00"},
		{"garbage", []string{"SSH-2.0-x\r\n"}, nil, 0, "flags"},
		{"elsewhere", []string{to(other, testSession)}, carrier.ErrNotListening, 0, "another machine"},
		{"round and round", []string{to(self, testSession), to(self, testSession)}, nil, 0, "from one place to another"},
		{"nowhere", []string{to(self, 1)}, nil, 0, "refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answeringAt(t, 22, testSession, tt.answers...)
			s, err := sessionHost(t, 21, nil).Dial(t.Context(), self, beta, alpha)
			if err == nil {
				s.Close()
				t.Fatal("granted")
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			var code nbss.ErrorCode
			if errors.As(err, &code); code != tt.code {
				t.Errorf("error %v with code %#02x, want %#02x", err, byte(code), byte(tt.code))
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want it to say %q", err, tt.text)
			}
		})
	}
}

func TestDialFollowsToAnotherPort(t *testing.T) {
	there := answeringAt(t, 24, 10140, positive)
	retarget, err := nbss.AppendRetarget(nil, netip.AddrPortFrom(there, 10140))
	if err != nil {
		t.Fatal(err)
	}
	answeringAt(t, 24, testSession, string(retarget))
	s, err := sessionHost(t, 21, nil).Dial(t.Context(), there, beta, alpha)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Remote().Port(); got != 10140 {
		t.Errorf("session on port %d, want 10140", got)
	}
}

func TestDialEndsInTime(t *testing.T) {
	answeringAt(t, 25, testSession, "", "")
	c := sessionHost(t, 21, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Dial(ctx, ownAddr(25), beta, alpha); err == nil {
		t.Error("granted by nobody")
	}
	if _, err := c.Dial(ctx, ownAddr(25), beta, alpha); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
	if _, err := c.Dial(t.Context(), ownAddr(26), beta, alpha); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v, want connection refused", err)
	}
	off := sessionHost(t, 21, func(cfg *Config) { cfg.Ports.Session = 0 })
	if _, err := off.Dial(t.Context(), ownAddr(25), beta, alpha); !errors.Is(err, carrier.ErrOff) {
		t.Errorf("error %v, want ErrOff", err)
	}
}

// TestDialForgets: a machine that has got another address is found by the next try.
func TestDialForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		caller, _ := l.listening(t, Config{}, pc1, "10.0.0.1/24")
		l.listening(t, Config{}, pc2, "10.0.0.2/24")
		caller.cfg.Ports.Session = testSession
		if _, err := caller.Resolve(t.Context(), pc2); err != nil || len(caller.Cache()) != 1 {
			t.Fatalf("Resolve: %v, remembered %v", err, caller.Cache())
		}
		if s, err := caller.Dial(t.Context(), ownAddr(29), pc2, pc1); err == nil {
			s.Close()
			t.Error("a session where nobody is")
		}
		if got := caller.Cache(); len(got) != 0 {
			t.Errorf("remembered is %v, want nothing", got)
		}
	})
}

func TestDialInAScope(t *testing.T) {
	c := sessionHost(t, 27, func(cfg *Config) { cfg.Scope = "LAB" })
	c.HandleSessions(echo)
	c.AdmitSessions(func(netip.Addr, netbios.Name) error { return nil })
	run(t, c)
	s, err := sessionHost(t, 21, func(cfg *Config) { cfg.Scope = "lab" }).Dial(t.Context(), ownAddr(27), beta, alpha)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := sessionHost(t, 21, nil).Dial(t.Context(), ownAddr(27), beta, alpha); !errors.Is(err, carrier.ErrNoName) {
		t.Errorf("from another scope: %v, want ErrNoName", err)
	}
}
