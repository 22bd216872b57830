package traytest

import (
	"io"
	"net"
	"os"
	"sync"
	"testing"
)

// Cutter stands between programs and a bus, and can cut all of them off.
type Cutter struct {
	listener net.Listener
	dir      string
	jobs     sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

// NewCutter listens for programs that want to reach the socket.
func NewCutter(t testing.TB, socket string) *Cutter {
	t.Helper()
	dir, err := os.MkdirTemp("", "cut")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cutter{dir: dir}
	if c.listener, err = net.Listen("unix", c.Path()); err != nil {
		t.Fatal(err)
	}
	c.jobs.Go(func() {
		for {
			near, err := c.listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", socket)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, near, far)
			c.mu.Unlock()
			for a, b := range map[net.Conn]net.Conn{near: far, far: near} {
				c.jobs.Go(func() {
					io.Copy(a, b)
					a.Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		c.Cut()
		c.jobs.Wait()
		os.RemoveAll(dir)
	})
	return c
}

// Path is the socket that stands for the bus.
func (c *Cutter) Path() string { return c.dir + "/bus" }

// Cut ends all connections, and takes no more.
func (c *Cutter) Cut() {
	c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
}
