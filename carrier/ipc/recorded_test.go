package ipc

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
)

var (
	record   = flag.String("record", "", "talk with the file server at this `ADDRESS:PORT`, and keep what is said in testdata")
	recordAs = flag.String("record-as", "", "name of the recording")
)

// somebody is who was recorded; a recording whose name begins with "nobody" is of nobody.
var somebody = Credentials{User: "games", Password: "a password"}

func whoIn(recording string) Credentials {
	if strings.HasPrefix(recording, "nobody") {
		return Credentials{}
	}
	return somebody
}

// chance is not random, so that a recorded dialogue can be had again.
type chance struct{ next byte }

func (c *chance) Read(b []byte) (int, error) {
	for i := range b {
		c.next++
		b[i] = c.next
	}
	return len(b), nil
}

// frame is one message of a dialogue, with its length in front.
type frame struct {
	ours  bool
	bytes []byte
}

// read reads a recording: lines of > and < with the bytes of a frame.
func read(t testing.TB, name string) []frame {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var frames []frame
	for line := range strings.Lines(string(text)) {
		direction, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		b, err := hex.DecodeString(digits)
		if err != nil || direction != ">" && direction != "<" {
			t.Fatalf("%s: %q, %v", name, line, err)
		}
		frames = append(frames, frame{direction == ">", b})
	}
	return frames
}

// recordings are the names of all dialogues that were recorded.
func recordings(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

// recorder keeps what goes over a connection.
type recorder struct {
	net.Conn
	frames []frame
	in     []byte
}

func (r *recorder) Write(b []byte) (int, error) {
	r.frames = append(r.frames, frame{true, bytes.Clone(b)})
	return r.Conn.Write(b)
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.in = append(r.in, b[:n]...)
	for len(r.in) >= 4 && len(r.in) >= 4+int(binary.BigEndian.Uint32(r.in)) {
		end := 4 + int(binary.BigEndian.Uint32(r.in))
		r.frames = append(r.frames, frame{false, bytes.Clone(r.in[:end])})
		r.in = r.in[end:]
	}
	return n, err
}

// TestRecord makes a recording, if it is asked to.
func TestRecord(t *testing.T) {
	if *record == "" {
		return
	}
	conn, err := net.Dial("tcp", *record)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{Conn: conn}
	told, err := dialogue(t.Context(), r, whoIn(*recordAs))
	t.Logf("%q, %v", told, err)
	var b strings.Builder
	for _, f := range r.frames {
		fmt.Fprintf(&b, "%s %x\n", map[bool]string{true: ">", false: "<"}[f.ours], f.bytes)
	}
	if err := os.WriteFile(filepath.Join("testdata", *recordAs+".txt"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// dialogue is what was recorded: it opens \PIPE\msgsvc, binds, asks for the list of names,
// and returns the answer. The two ways of writing and reading are used.
func dialogue(ctx context.Context, conn net.Conn, who Credentials) (names []string, err error) {
	s, err := start(ctx, conn, &chance{}, "beta", who)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	p, err := s.Open(ctx, msgnames.Pipe)
	if err != nil {
		return nil, err
	}
	body, err := (&dcerpc.Bind{MaxSend: 4280, MaxReceive: 4280, Contexts: []dcerpc.Context{
		{Interface: msgnames.Interface(), Transfer: []dcerpc.Syntax{dcerpc.NDR()}},
	}}).Append(nil, false)
	if err != nil {
		return nil, err
	}
	bind, err := (&dcerpc.PDU{Type: dcerpc.TypeBind, First: true, Last: true, Call: 1, Body: body}).Append(nil)
	if err != nil {
		return nil, err
	}
	if _, err := p.Transceive(ctx, bind); err != nil {
		return nil, err
	}
	q := msgnames.Request{PrefMaxLen: msgnames.AllBytes}
	call := (&dcerpc.RequestBody{Op: msgnames.Enum, Stub: q.Append(nil, msgnames.Enum, false)}).PDU(false)
	call.First, call.Last, call.Call = true, true, 2
	b, err := call.Append(nil)
	if err != nil {
		return nil, err
	}
	if err := p.Write(ctx, b); err != nil {
		return nil, err
	}
	if b, err = p.Read(ctx); err != nil {
		return nil, err
	}
	answer, _, err := dcerpc.ParsePDU(b)
	if err != nil {
		return nil, err
	}
	r, err := answer.Response()
	if err != nil {
		return nil, err
	}
	a, err := msgnames.ParseAnswer(msgnames.Enum, r.Stub, answer.BigEndian)
	if err != nil {
		return nil, err
	}
	if a.Status != msgnames.Success {
		return a.Names, a.Status
	}
	return a.Names, p.Close(ctx)
}

// server plays the server's part of a recording to the client at the other end of the
// connection that it returns. It reports what the client says differently.
func server(t testing.TB, frames []frame) net.Conn {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		for _, f := range frames {
			_ = theirs.SetDeadline(time.Now().Add(10 * time.Second))
			if !f.ours {
				if _, err := theirs.Write(f.bytes); err != nil {
					return
				}
				continue
			}
			b := make([]byte, len(f.bytes))
			if _, err := io.ReadFull(theirs, b); err != nil {
				return
			}
			if !bytes.Equal(b, f.bytes) {
				t.Errorf("the client says\n%x, recorded was\n%x", b, f.bytes)
			}
		}
		_, _ = io.Copy(io.Discard, theirs)
	}()
	t.Cleanup(func() { ours.Close(); <-done })
	return ours
}

// outcomes are how the recorded dialogues end; the others end with the list of names.
var outcomes = map[string]error{
	"nobody.txt":          msgnames.AccessDenied,
	"no-pipe.txt":         ErrNoPipe,
	"wrong-password.txt":  ErrLogin,
	"guest.txt":           ErrGuest,
	"must-encrypt.txt":    ErrLogin,
	"unknown-cipher.txt":  ErrLogin,
	"nobody-unwanted.txt": ErrDenied,
}

func TestRecorded(t *testing.T) {
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			names, err := dialogue(t.Context(), server(t, read(t, name)), whoIn(name))
			if want := outcomes[name]; want != nil {
				if !errors.Is(err, want) {
					t.Errorf("ended with %v, want %v", err, want)
				}
				return
			}
			if err != nil || len(names) != 1 || names[0] != "BETA" {
				t.Errorf("names %q, %v", names, err)
			}
		})
	}
}
