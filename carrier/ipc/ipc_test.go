package ipc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/wire/smb2"
)

// TestForged: after the login no bit of what the server says can be changed without being
// noticed; with the last dialect that goes for what was said before it, too.
func TestForged(t *testing.T) {
	for _, name := range []string{"smb-2.0.2.txt", "smb-3.0.txt", "smb-3.1.1.txt", "smb-3.1.1-gcm.txt", "smb-3.0.2-ccm.txt"} {
		frames := read(t, name)
		for i, f := range frames {
			// The first three answers are the negotiation and the login.
			if f.ours || i < 6 && !strings.HasPrefix(name, "smb-3.1.1") {
				continue
			}
			for at := 4; at < len(f.bytes); at += 7 {
				forged := slices.Clone(frames)
				forged[i].bytes = bytes.Clone(f.bytes)
				forged[i].bytes[at] ^= 0x10
				// What the client says then is not what was recorded.
				names, err := dialogue(t.Context(), deaf(t, forged), somebody)
				last := i >= len(frames)-3 // the answers to the goodbyes, which nobody needs
				if err == nil && !last {
					t.Errorf("%s: a change of byte %d of frame %d is not noticed: %q", name, at, i, names)
				}
			}
		}
	}
}

// TestNegotiationIsConfirmed: what was said before the login, in a dialect that does not
// protect it, is told once more; a server that cannot do that says so.
func TestNegotiationIsConfirmed(t *testing.T) {
	const negotiated, confirmed = 1, 9 // the frames that say it
	good := read(t, "smb-3.0.txt")
	if h, err := smb2.ParseHeader(good[confirmed].bytes[4:]); err != nil || h.Command != smb2.Ioctl || good[confirmed].ours {
		t.Fatalf("frame %d is %+v, %v", confirmed, h, err)
	}
	s, err := start(t.Context(), deaf(t, good), &chance{}, "beta", somebody)
	if err != nil {
		t.Fatal(err)
	}
	var unknown frame
	for _, f := range status(smb2.NotSupported)(&smb2.Header{
		Command: smb2.Ioctl, Response: true, Signed: true, MessageID: 4, Session: s.id, Tree: s.tree,
	}, nil) {
		s.signer.Sign(f.bytes[4:])
		unknown = f
	}
	for name, tt := range map[string]struct {
		change func(frames []frame) []frame
		want   error
	}{
		"the security mode": {func(f []frame) []frame { f[negotiated].bytes[4+smb2.HeaderSize+2] ^= 2; return f }, ErrForged},
		"the server":        {func(f []frame) []frame { f[negotiated].bytes[4+smb2.HeaderSize+8]++; return f }, ErrForged},
		"that it encrypts":  {func(f []frame) []frame { f[negotiated].bytes[4+smb2.HeaderSize+24] ^= 0x40; return f }, ErrForged},
		"the end":           {func(f []frame) []frame { return f[:confirmed] }, ErrForged},
		"not known":         {func(f []frame) []frame { f[confirmed] = unknown; return f }, nil},
		"nothing":           {func(f []frame) []frame { return f }, nil},
	} {
		frames := slices.Clone(good)
		frames[negotiated].bytes = bytes.Clone(good[negotiated].bytes)
		said := 0
		for _, f := range tt.change(frames) {
			if !f.ours {
				said += len(f.bytes)
			}
		}
		conn := deaf(t, frames)
		conn = ending{conn, io.LimitReader(conn, int64(said))}
		if _, err := start(t.Context(), conn, &chance{}, "beta", somebody); !errors.Is(err, tt.want) {
			t.Errorf("changed is %s: %v, want %v", name, err, tt.want)
		}
	}
}

// ending is a connection that the server ends after some bytes.
type ending struct {
	net.Conn
	said io.Reader
}

func (e ending) Read(b []byte) (int, error) { return e.said.Read(b) }

// deaf plays the server's part of a recording, whatever the client says.
func deaf(t testing.TB, frames []frame) net.Conn {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		for _, f := range frames {
			if !f.ours {
				if _, err := theirs.Write(f.bytes); err != nil {
					return
				}
				continue
			}
			var length [4]byte
			if _, err := io.ReadFull(theirs, length[:]); err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, theirs, int64(binary.BigEndian.Uint32(length[:]))); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, theirs)
	}()
	t.Cleanup(func() { ours.Close(); <-done })
	return ours
}

// edited is the dialogue of nobody, in which nothing is signed, with the answer to a
// request changed.
func edited(t *testing.T, command uint16, change func(h *smb2.Header, body []byte) []frame) []frame {
	t.Helper()
	var out []frame
	changed := false
	for _, f := range read(t, "nobody.txt") {
		h, err := smb2.ParseHeader(f.bytes[4:])
		if err != nil {
			t.Fatal(err)
		}
		if f.ours || h.Command != command || changed {
			out = append(out, f)
			continue
		}
		changed = true
		out = append(out, change(&h, bytes.Clone(f.bytes[4+smb2.HeaderSize:]))...)
	}
	if !changed {
		t.Fatalf("no answer to command %d", command)
	}
	return out
}

// says is a frame of the server.
func says(h smb2.Header, body []byte) frame {
	m := append(h.Append(nil), body...)
	return frame{false, append(binary.BigEndian.AppendUint32(nil, uint32(len(m))), m...)}
}

// errorBody is the body of answers that are errors (MS-SMB2 2.2.2).
var errorBody = []byte{9, 0, 0, 0, 0, 0, 0, 0, 0}

func status(code smb2.Status) func(h *smb2.Header, _ []byte) []frame {
	return func(h *smb2.Header, _ []byte) []frame {
		h.Status = code
		return []frame{says(*h, errorBody)}
	}
}

// TestAnswers: what servers may say, and what they had better not.
func TestAnswers(t *testing.T) {
	denied := smb2.AccessDenied
	for name, tt := range map[string]struct {
		command uint16
		change  func(h *smb2.Header, body []byte) []frame
		want    error // nil: what nobody gets at the end, that it may not list the names
	}{
		"an answer that comes later": {smb2.Create, func(h *smb2.Header, body []byte) []frame {
			interim := *h
			interim.Status, interim.Async = smb2.Pending, true
			late := *h
			late.Async = true
			return []frame{says(interim, errorBody), says(interim, errorBody), says(late, body)}
		}, nil},
		"something that nobody asked for": {smb2.Create, func(h *smb2.Header, body []byte) []frame {
			lost := *h
			lost.MessageID = unasked
			return []frame{says(lost, body), says(*h, body)}
		}, nil},
		"the answer to another question": {smb2.Create, func(h *smb2.Header, body []byte) []frame {
			h.MessageID++
			return []frame{says(*h, body)}
		}, ErrNotSMB},
		"the answer to another command": {smb2.Create, func(h *smb2.Header, body []byte) []frame {
			h.Command = smb2.Close
			return []frame{says(*h, body)}
		}, ErrNotSMB},
		"a request": {smb2.Create, func(h *smb2.Header, body []byte) []frame {
			h.Response = false
			return []frame{says(*h, body)}
		}, ErrNotSMB},
		"a message of 16 MB": {smb2.Create, func(*smb2.Header, []byte) []frame { return []frame{{false, []byte{0, 0xff, 0xff, 0xff}}} }, ErrNotSMB},
		"SMB 1":              {smb2.Negotiate, func(*smb2.Header, []byte) []frame { return []frame{{false, []byte("\x00\x00\x00\x04\xffSMB")}} }, ErrNotSMB},
		"the web": {smb2.Negotiate, func(*smb2.Header, []byte) []frame {
			return []frame{{false, []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}}
		}, ErrNotSMB},
		"no dialect":    {smb2.Negotiate, status(smb2.NotSupported), ErrNotSMB},
		"login refused": {smb2.SessionSetup, status(denied), ErrLogin},
		"no such share": {smb2.TreeConnect, status(smb2.BadNetworkName), smb2.BadNetworkName},
		"share refused": {smb2.TreeConnect, status(denied), ErrDenied},
		"share encrypted": {smb2.TreeConnect, func(h *smb2.Header, body []byte) []frame {
			body[5] |= 0x80
			return []frame{says(*h, body)}
		}, nil},
		"pipe refused":    {smb2.Create, status(denied), ErrDenied},
		"pipe not served": {smb2.Create, status(smb2.PipeNotAvailable), ErrNoPipe},
		"pipe broken":     {smb2.Ioctl, status(smb2.PipeBroken), smb2.PipeBroken},
		"call refused":    {smb2.Ioctl, status(denied), ErrDenied},
		"write refused":   {smb2.Write, status(smb2.PipeDisconnected), smb2.PipeDisconnected},
		"half a write": {smb2.Write, func(h *smb2.Header, body []byte) []frame {
			body[4]--
			return []frame{says(*h, body)}
		}, ErrNotSMB},
		"connection closed": {smb2.Create, func(*smb2.Header, []byte) []frame { return []frame{{false, []byte{0, 0}}} }, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			frames := edited(t, tt.command, tt.change)
			if name == "connection closed" || tt.command == smb2.Negotiate {
				at := slices.IndexFunc(frames, func(f frame) bool { return !f.ours && len(f.bytes) < 40 })
				frames = frames[:max(at+1, 2)]
			}
			conn := deaf(t, frames)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // what waits for more does not wait for ever
			defer cancel()
			names, err := dialogue(ctx, conn, Credentials{})
			want := tt.want
			if want == nil {
				want = outcomes["nobody.txt"]
			}
			if name == "connection closed" {
				if err == nil {
					t.Errorf("%q", names)
				}
				return
			}
			if !errors.Is(err, want) {
				t.Errorf("ended with %v, want %v", err, want)
			}
		})
	}
}

// TestLongMessage: a message that is longer than an answer is read to its end, and one
// without an end is not.
func TestLongMessage(t *testing.T) {
	part := func(h smb2.Header, n int, more bool) frame {
		h.Status = smb2.Success
		if more {
			h.Status = smb2.BufferOverflow
		}
		body := binary.LittleEndian.AppendUint32([]byte{17, 0, smb2.HeaderSize + 16, 0}, uint32(n))
		return says(h, append(append(body, make([]byte, 8)...), make([]byte, n)...))
	}
	for name, tt := range map[string]struct {
		sizes []int // of the parts; all but the last say that there is more
		last  bool  // says so as well
		want  int   // -1: an error
	}{
		"whole":       {[]int{100}, false, 100},
		"three parts": {[]int{16384, 16384, 5}, false, 32773},
		"no end":      {[]int{16384, 16384, 16384, 16384, 16384}, true, -1},
		"no progress": {[]int{0}, true, -1},
	} {
		s := &Session{}
		var frames []frame
		for i, n := range tt.sizes {
			h := smb2.Header{Command: smb2.Read, Response: true, MessageID: uint64(i)}
			frames = append(frames, frame{ours: true}, part(h, n, i < len(tt.sizes)-1 || tt.last))
		}
		s.conn = deaf(t, frames)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		got, err := (&Pipe{session: s, name: "test"}).Read(ctx)
		cancel()
		if (err != nil) != (tt.want < 0) || err == nil && len(got) != tt.want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	to := l.Addr().(*net.TCPAddr).AddrPort()
	if s, err := Dial(ctx, to, "beta", Credentials{}); err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a server that says nothing: %v, %v", s, err)
	}
	l.Close()
	if _, err := Dial(t.Context(), to, "beta", Credentials{}); !errors.Is(err, ErrNoConnection) {
		t.Errorf("no server: %v", err)
	}
	if _, err := Dial(t.Context(), netip.AddrPort{}, "beta", Credentials{}); !errors.Is(err, ErrNoConnection) {
		t.Errorf("no address: %v", err)
	}
}

// TestBroken: a session that has lost an answer is not used again, since it would take the
// old answer for the new one.
func TestBroken(t *testing.T) {
	frames := read(t, "smb-3.1.1.txt")
	s, err := start(t.Context(), deaf(t, frames[:8]), &chance{}, "beta", somebody)
	if err != nil {
		t.Fatal(err)
	}
	if s.Dialect() != smb2.Dialect311 || !s.Signed() || s.Encrypted() {
		t.Errorf("dialect %#x, signed %v, encrypted %v", s.Dialect(), s.Signed(), s.Encrypted())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, first := s.Open(ctx, "msgsvc")
	_, second := s.Open(t.Context(), "msgsvc")
	if !errors.Is(first, os.ErrDeadlineExceeded) || second == nil || first.Error() != second.Error() {
		t.Errorf("first %v, then %v", first, second)
	}
	if err := s.encrypt(true); err != nil || !s.Encrypted() {
		t.Errorf("encryption that was agreed on: %v", err)
	}
	if err := (&Session{signer: s.signer}).encrypt(true); !errors.Is(err, ErrEncryption) {
		t.Errorf("encryption that was not: %v", err)
	}
}

// FuzzDialogue: whatever a server says instead of its frame, the client ends, with no more
// than an error.
func FuzzDialogue(f *testing.F) {
	names := recordings(f)
	dialogues := make([][]frame, len(names))
	for i, name := range names {
		dialogues[i] = read(f, name)
		for j, fr := range dialogues[i] {
			if !fr.ours {
				f.Add(uint8(i), uint8(j), fr.bytes[4:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, which, at uint8, said []byte) {
		i := int(which) % len(names)
		j := int(at) % len(dialogues[i])
		if dialogues[i][j].ours || len(said) > maxFrame {
			return
		}
		frames := slices.Clone(dialogues[i])
		frames[j].bytes = append(binary.BigEndian.AppendUint32(nil, uint32(len(said))), said...)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		list, err := dialogue(ctx, deaf(t, frames), whoIn(names[i]))
		if err == nil && !bytes.Equal(frames[j].bytes, dialogues[i][j].bytes) && len(list) != 1 {
			t.Errorf("%s: with another frame %d the names are %q", names[i], j, list)
		}
	})
}
