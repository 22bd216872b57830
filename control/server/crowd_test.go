package server

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr/control"
)

// open opens a connection, and says what the service answered; "" if it waits for a
// question.
func open(t *testing.T, path string) (net.Conn, string) {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	answer, _ := io.ReadAll(conn)
	_ = conn.SetReadDeadline(time.Time{})
	return conn, string(answer)
}

func TestCrowd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	uids := make(chan int, 100)
	c := newCrowd(l)
	c.most, c.uid = 2, func(net.Conn) (int, bool) { uid := <-uids; return uid, uid > -2 }
	srv := &http.Server{Handler: http.NotFoundHandler()}
	go srv.Serve(c)
	defer srv.Close()
	come := func(uid int) (net.Conn, string) {
		t.Helper()
		uids <- uid
		return open(t, path)
	}
	first, _ := come(1000)
	if _, answer := come(1000); answer != "" {
		t.Errorf("the second connection of a user is answered %q", answer)
	}
	_, answer := come(1000)
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	var e control.Error
	if err := json.Unmarshal([]byte(body), &e); err != nil || !strings.HasPrefix(head, "HTTP/1.1 503 ") || e.Code != "busy" || e.Hint == "" {
		t.Errorf("the third connection of a user is answered %q", answer)
	}
	for range 5 {
		if _, answer := come(0); answer != "" {
			t.Errorf("root is answered %q", answer)
		}
	}
	if _, answer := come(1001); answer != "" {
		t.Errorf("another user is answered %q", answer)
	}
	come(-2)
	come(-2)
	if _, answer := come(-2); !strings.HasPrefix(answer, "HTTP/1.1 503 ") {
		t.Errorf("the third of those whom nobody knows is answered %q", answer)
	}
	first.Close()
	deadline := time.Now().Add(5 * time.Second)
	for {
		if _, answer = come(1000); answer == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a connection that was closed still counts")
		}
	}
}
