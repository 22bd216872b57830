package server_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"messngr/control"
	"messngr/control/server"
)

// as opens a connection to the socket as the user with that id. Only the thread
// that does so changes its user, and ends afterwards.
func as(t *testing.T, uid int, socket string) net.Conn {
	t.Helper()
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // for ever: the thread is not used again
		// Not syscall.Setresuid, which changes all threads.
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			done <- result{err: errno}
			return
		}
		conn, err := net.Dial("unix", socket)
		done <- result{conn, err}
	}()
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.conn.Close() })
	return r.conn
}

// Everybody may connect; the kernel says who it is, and that decides.
func TestPeerCredentials(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("not root")
		}
		t.Skip("not root")
	}
	h := newHouse(t)
	path := socketPath(t)
	h.open(t, path)
	ask := func(conn net.Conn, method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://messngr"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(conn); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var m control.SentMessage
		if path == "/v1/messages" {
			var a control.SendAnswer
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
				t.Fatal(err)
			}
			out, err := h.store.SentMessage(t.Context(), a.ID)
			if err != nil {
				t.Fatal(err)
			}
			m.Owner = out.Owner
		}
		return resp.StatusCode, m.Owner
	}
	for _, tt := range []struct {
		uid     int
		login   string
		service int // status of an attempt to pause the service
	}{
		{0, "root", 204},
		{65534, "nobody", 403},
		{4242424, "4242424", 403}, // nobody knows this user
	} {
		conn := as(t, tt.uid, path)
		if status, owner := ask(conn, "POST", "/v1/messages", `{"to":["PC18"],"text":"hello"}`); status != 200 || owner != tt.login {
			t.Errorf("user %d sends as %q, %d; want %q", tt.uid, owner, status, tt.login)
		}
		if status, _ := ask(conn, "POST", "/v1/service", `{"action":"pause"}`); status != tt.service {
			t.Errorf("user %d pauses the service: %d, want %d", tt.uid, status, tt.service)
		}
	}
}

func TestPeerCredentialsNeedASocket(t *testing.T) {
	r, err := http.NewRequest("GET", "http://messngr/v1/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	if who, ok := new(server.Service).PeerCredentials(r); ok {
		t.Errorf("a request from nowhere is by %+v", who)
	}
}
