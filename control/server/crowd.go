package server

import (
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"messngr/control"
)

// maxConnections is how many connections one user may have open at once. A desktop
// keeps two or three, and a command has one while it runs. Root is not counted.
const maxConnections = 256

// crowd is a listener that answers users who have too many connections with an error,
// so that nobody can keep all others out.
type crowd struct {
	net.Listener
	most int
	uid  func(net.Conn) (uid int, ok bool)

	mu   sync.Mutex
	open map[int]int // connections by user id
}

func newCrowd(l net.Listener) *crowd {
	return &crowd{Listener: l, most: maxConnections, uid: peerUID, open: make(map[int]int)}
}

// Accept implements net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, ok := c.uid(conn)
		if !ok {
			uid = -1 // all of those whom the system does not tell
		}
		if uid == 0 {
			return conn, nil
		}
		if c.enter(uid) {
			return &visitor{Conn: conn, leave: sync.OnceFunc(func() { c.leave(uid) })}, nil
		}
		go turnAway(conn, c.most)
	}
}

func (c *crowd) enter(uid int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[uid] >= c.most {
		return false
	}
	c.open[uid]++
	return true
}

func (c *crowd) leave(uid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[uid]--; c.open[uid] == 0 {
		delete(c.open, uid)
	}
}

// visitor is a connection that is counted until it is closed.
type visitor struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.leave()
	return v.Conn.Close()
}

// turnAway answers whatever the client asks, without reading it.
func turnAway(conn net.Conn, most int) {
	defer conn.Close()
	body, err := json.Marshal(control.Error{
		Code: "busy", Message: fmt.Sprintf("this user has %d connections to the service already", most),
		Hint: "end some of the programs that watch for messages",
	})
	if err != nil {
		return
	}
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		len(body), body)
}
