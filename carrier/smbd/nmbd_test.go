package smbd_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"messngr/carrier/smbd"
)

// nmbd answers on its socket as Samba's does: structures of C, padded for 64 bits.
type nmbd struct {
	t        *testing.T
	listener net.Listener
	clients  chan net.Conn // that have asked for what a messenger asks for
}

// query is what a client of a 64-bit nmbd sends for all datagrams of the mailslot.
var query = "\x01\x00\x00\x00" + "\x00\x00\x00\x00" + "\x11\x00\x00\x00\x00\x00\x00\x00" +
	"\xff\xff\xff\xff" + "\x00\x00\x00\x00" + `\MAILSLOT\MESSNGR`

func startNMBD(t *testing.T, run string, ack byte) *nmbd {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(run, "nmbd"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run, "nmbd", "unexpected")
	_ = os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // as nmbd leaves it behind
	n := &nmbd{t: t, listener: l, clients: make(chan net.Conn, 8)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			got := make([]byte, len(query))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != query {
				t.Errorf("a client asked %q, %v, want %q", got, err, query)
			}
			conn.Write([]byte{ack})
			n.clients <- conn
		}
	}()
	t.Cleanup(func() { l.Close() })
	return n
}

// client returns the next program that has asked.
func (n *nmbd) client() net.Conn {
	n.t.Helper()
	select {
	case c := <-n.clients:
		n.t.Cleanup(func() { c.Close() })
		return c
	case <-time.After(20 * time.Second):
		n.t.Fatal("nobody asks nmbd for datagrams")
		return nil
	}
}

// packet is one packet as nmbd hands it out.
func packet(kind uint32, length uint64, from netip.AddrPort, data string) []byte {
	b := binary.NativeEndian.AppendUint64(nil, length)
	b = binary.NativeEndian.AppendUint32(b, kind)
	b = append(b, 0, 0, 0, 0)
	b = binary.NativeEndian.AppendUint64(b, uint64(time.Now().Unix()))
	b = append(b, from.Addr().AsSlice()...)
	b = binary.NativeEndian.AppendUint32(b, uint32(from.Port()))
	return append(b, data...)
}

type taken struct {
	mu  sync.Mutex
	got []string
	ch  chan struct{}
}

func (k *taken) take(b []byte, from netip.AddrPort) {
	k.mu.Lock()
	k.got = append(k.got, from.String()+" "+string(b))
	k.mu.Unlock()
	k.ch <- struct{}{}
}

func (k *taken) next(t *testing.T) string {
	t.Helper()
	select {
	case <-k.ch:
	case <-time.After(20 * time.Second):
		t.Fatal("no packet came")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.got[len(k.got)-1]
}

// listen takes what nmbd hands out until the test ends.
func listen(t *testing.T, s *smbd.Samba) *taken {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.SetRetry(20 * time.Millisecond)
	k := &taken{ch: make(chan struct{}, 100)}
	var wg sync.WaitGroup
	wg.Go(func() { s.Datagrams(ctx, k.take) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if asked, err := s.Nmbd(); asked || err != nil {
			t.Errorf("after the end Nmbd = %v, %v, want nothing asked", asked, err)
		}
	})
	return k
}

var from = netip.MustParseAddrPort("10.77.0.9:138")

func TestDatagrams(t *testing.T) {
	run := t.TempDir()
	s := smbd.New(smbd.Config{Run: run}, nil)
	if asked, err := s.Nmbd(); asked || err != nil {
		t.Errorf("Nmbd = %v, %v, want nothing asked", asked, err)
	}
	server := startNMBD(t, run, 0)
	k := listen(t, s)
	conn := server.client()
	// Two at once, one in pieces, one that was not asked for, and a long one.
	conn.Write(append(packet(1, 3, from, "one"), packet(1, 3, from, "two")...))
	if got := k.next(t) + k.next(t); got != "10.77.0.9:138 two10.77.0.9:138 two" && got != "10.77.0.9:138 one10.77.0.9:138 two" {
		t.Errorf("got %q", got)
	}
	for _, b := range packet(1, 5, from, "three") {
		conn.Write([]byte{b})
	}
	if got := k.next(t); got != "10.77.0.9:138 three" {
		t.Errorf("got %q", got)
	}
	long := string(make([]byte, 5000))
	conn.Write(append(packet(0, 4, from, "name"), packet(1, 5000, from, long)...))
	if got := k.next(t); got != "10.77.0.9:138 "+long {
		t.Errorf("got %d bytes", len(got))
	}
	if asked, err := s.Nmbd(); !asked || err != nil {
		t.Errorf("Nmbd = %v, %v, want that it works", asked, err)
	}
}

// nmbd may come later, and may be started anew.
func TestNMBDComesAndGoes(t *testing.T) {
	run := t.TempDir()
	s := smbd.New(smbd.Config{Run: run}, nil)
	k := listen(t, s)
	until(t, func() bool { asked, err := s.Nmbd(); return asked && errors.Is(err, fs.ErrNotExist) })
	for range 2 {
		server := startNMBD(t, run, 0)
		conn := server.client()
		conn.Write(packet(1, 5, from, "hello"))
		if got := k.next(t); got != "10.77.0.9:138 hello" {
			t.Errorf("got %q", got)
		}
		server.listener.Close()
		conn.Close()
		until(t, func() bool { _, err := s.Nmbd(); return err != nil })
	}
}

func until(t *testing.T, f func() bool) {
	t.Helper()
	for range 1000 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come to that")
}

// What makes no sense ends the connection and nothing else.
func TestNonsense(t *testing.T) {
	for name, talk := range map[string]struct {
		ack byte
		say []byte
	}{
		"a refusal":           {1, nil},
		"a lying length":      {0, packet(1, 1<<40, from, "x")},
		"the end in a packet": {0, packet(1, 10, from, "x")},
		"the end in a header": {0, []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := t.TempDir()
			s := smbd.New(smbd.Config{Run: run}, nil)
			server := startNMBD(t, run, talk.ack)
			listen(t, s)
			conn := server.client()
			conn.Write(talk.say)
			conn.(*net.UnixConn).CloseWrite()
			until(t, func() bool { asked, err := s.Nmbd(); return asked && err != nil })
			server.client() // it comes back
		})
	}
}
