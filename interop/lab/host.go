//go:build linux

package lab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Host is one machine of a [Lab].
type Host struct {
	name    string
	dir     string
	addr    netip.Addr
	subnet  *Subnet
	port    string // of the switch, where eth0's cable ends
	cables  []*Cable
	ns      *namespace
	mu      sync.Mutex
	daemons []*Daemon
}

// Name is the host name.
func (h *Host) Name() string { return h.name }

// Addr is the address of eth0.
func (h *Host) Addr() netip.Addr { return h.addr }

// Prefix is the address of eth0 with the length of its subnet.
func (h *Host) Prefix() netip.Prefix { return netip.PrefixFrom(h.addr, h.subnet.prefix.Bits()) }

// Subnet is where eth0 is.
func (h *Host) Subnet() *Subnet { return h.subnet }

// Dir is the host's folder, for what a test wants to keep: the same path inside the host and outside.
func (h *Host) Dir() string { return h.dir }

// PID is the outside number of the host's first process; nsenter --target PID --all enters the host.
func (h *Host) PID() int { return h.ns.pid }

// Knows adds a line to the host's /etc/hosts.
func (h *Host) Knows(addr netip.Addr, name string) error {
	f, err := os.OpenFile(filepath.Join(h.dir, "hosts"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("lab: host %s: %w", h.name, err)
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%v %s\n", addr, name)
	return err
}

// Do runs f with the host's network: sockets that f opens on its own goroutine are the host's, then and later.
func (h *Host) Do(f func() error) error { return h.ns.do(f) }

// Dial opens a connection from the host. The address must be a literal.
func (h *Host) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = h.Do(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Start starts a command in the host. The caller waits for it.
func (h *Host) Start(cmd *exec.Cmd) error { return h.ns.start(cmd) }

// Run runs a command in the host and waits for its end.
func (h *Host) Run(cmd *exec.Cmd) error {
	if err := h.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// Output runs a command in the host and returns what it printed. The error is nil when the exit code is 0.
func (h *Host) Output(ctx context.Context, name string, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = h.Run(cmd)
	return out.String(), errs.String(), err
}

// Daemon starts a command that runs until it is stopped; the file DIR/NAME.log takes what it prints, after what an
// earlier one of that name did.
func (h *Host) Daemon(name string, cmd *exec.Cmd) (*Daemon, error) {
	path := filepath.Join(h.dir, name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lab: host %s: %w", h.name, err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := h.Start(cmd); err != nil {
		return nil, fmt.Errorf("lab: host %s: %w", h.name, err)
	}
	d := &Daemon{cmd: cmd, log: path, ended: make(chan struct{})}
	go func() {
		d.err = cmd.Wait()
		close(d.ended)
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.daemons = append(h.daemons, d)
	return d, nil
}

// close stops the daemons in the reverse order of their start, then everything else in the host.
func (h *Host) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.daemons) - 1; i >= 0; i-- {
		h.daemons[i].Stop()
	}
	for _, c := range h.cables {
		c.close()
	}
	return h.ns.close()
}

// Daemon is a process that runs in a [Host] until it is stopped.
type Daemon struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
	err   error // set before ended is closed
}

// PID is the process's number outside the host.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Log is what the daemon has printed until now.
func (d *Daemon) Log() string {
	b, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// grace is how long a daemon may take to end after SIGTERM.
const grace = 5 * time.Second

// Stop asks the daemon to end, kills it when it does not, and returns how it ended: nil for exit code 0.
func (d *Daemon) Stop() error {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
		return d.err
	case <-time.After(grace):
		d.Kill()
		return fmt.Errorf("lab: %s did not end within %v of SIGTERM", filepath.Base(d.log), grace)
	}
}

// Kill ends the daemon at once, without its knowledge.
func (d *Daemon) Kill() {
	d.cmd.Process.Kill()
	<-d.ended
}

// WaitLog waits until the daemon has printed text.
func (d *Daemon) WaitLog(ctx context.Context, text string) error {
	return Until(ctx, func() error {
		if strings.Contains(d.Log(), text) {
			return nil
		}
		select {
		case <-d.ended:
			return Stop{Err: fmt.Errorf("ended (%v) before it printed %q; it printed:\n%s", d.err, text, d.Log())}
		default:
			return fmt.Errorf("has not printed %q, but:\n%s", text, d.Log())
		}
	})
}

// Stop marks an error that [Until] must not try again.
type Stop struct{ Err error }

func (s Stop) Error() string { return s.Err.Error() }

// Unwrap returns the error itself.
func (s Stop) Unwrap() error { return s.Err }

// Until calls f every 10 ms until it returns nil or a [Stop], or until ctx is done: then it returns f's last error.
func Until(ctx context.Context, f func() error) error {
	for {
		err := f()
		if _, final := err.(Stop); err == nil || final {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
