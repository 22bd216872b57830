//go:build linux

// Package program runs this module's own program in the hosts of a lab.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"messngr/interop/lab"
)

// Build compiles the program, as it is shipped, into a folder and returns its path. dir is any folder of the module.
func Build(ctx context.Context, dir, into string) (string, error) {
	path := filepath.Join(into, "messngr")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", path, "messngr/cmd/messngr")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("program: %w: %s", err, out)
	}
	return path, nil
}

// Program is an installation in one host. It keeps its state and its socket where it does so for root by default: in
// /var/lib and /run, which are the host's own.
type Program struct {
	host   *lab.Host
	path   string
	notify atomic.Int32 // numbers the sockets that hear that a service is ready
}

// New installs the binary at path in the host.
func New(h *lab.Host, path string) (*Program, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	return &Program{host: h, path: path}, nil
}

// Host is where the program is.
func (p *Program) Host() *lab.Host { return p.host }

// Path is where the binary is.
func (p *Program) Path() string { return p.path }

// Name is the host's NetBIOS name.
func (p *Program) Name() string { return strings.ToUpper(p.host.Name()) }

// Command is the program with arguments. It does not know the environment of the test.
func (p *Program) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.host.Dir(), "LANG=C.UTF-8"}
	return cmd
}

// ServeCommand is the service on eth0. A non-empty config is the text of its configuration file.
func (p *Program) ServeCommand(ctx context.Context, config string, args ...string) (*exec.Cmd, error) {
	args = append([]string{"serve", "--interface", "eth0"}, args...)
	if config != "" {
		file := filepath.Join(p.host.Dir(), "messngr.toml")
		if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
			return nil, fmt.Errorf("program: %w", err)
		}
		args = append(args, "--config", file)
	}
	cmd := p.Command(ctx, args...)
	cmd.Cancel = func() error { return nil } // the lab stops it
	return cmd, nil
}

// Serve starts the service and returns when it says that it is ready.
func (p *Program) Serve(ctx context.Context, config string, args ...string) (*lab.Daemon, error) {
	cmd, err := p.ServeCommand(ctx, config, args...)
	if err != nil {
		return nil, err
	}
	return p.Ready(ctx, cmd)
}

// Ready starts a service of type notify and returns when it says that it is ready.
//
// sd_notify(3): an address that begins with @ is in the abstract namespace, which belongs to the host's network.
func (p *Program) Ready(ctx context.Context, cmd *exec.Cmd) (*lab.Daemon, error) {
	addr := &net.UnixAddr{Net: "unixgram", Name: fmt.Sprintf("@notify-%d", p.notify.Add(1))}
	var conn *net.UnixConn
	if err := p.host.Do(func() (err error) {
		conn, err = net.ListenUnixgram("unixgram", addr)
		return err
	}); err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	defer conn.Close()
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+addr.Name)
	d, err := p.host.Daemon("messngr", cmd)
	if err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if err := heard(ctx, conn, d); err != nil {
		d.Kill()
		return nil, fmt.Errorf("program: not ready: %w: it printed:\n%s", err, d.Log())
	}
	return d, nil
}

func heard(ctx context.Context, conn *net.UnixConn, d *lab.Daemon) error {
	buf := make([]byte, 4096)
	for {
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := conn.Read(buf)
		if err == nil && bytes.Contains(buf[:n], []byte("READY=1")) {
			return nil
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.Ended():
			return errors.New("it ended")
		default:
		}
	}
}

// Registered waits until the service has claimed the names that it starts with, which takes a broadcast node a second:
// before, no other machine finds them.
func (p *Program) Registered(ctx context.Context) error {
	return lab.Until(ctx, func() error {
		status, err := lines[struct {
			Names []struct{ Name, State string }
		}](p.host, p.Command(ctx, "status", "--json"))
		if err != nil {
			return err
		}
		if len(status) != 1 || len(status[0].Names) == 0 {
			return errors.New("program: it has no names")
		}
		for _, n := range status[0].Names {
			if n.State != "registered" {
				return fmt.Errorf("program: the name %s is %s", n.Name, n.State)
			}
		}
		return nil
	})
}

// NameState says how it is with a message name of the service: registered, claiming, conflict or released, or nothing if
// it does not want the name; and in a conflict whose the name is.
func (p *Program) NameState(ctx context.Context, name string) (state, owner string, err error) {
	status, err := lines[struct {
		Names []struct {
			Name, State, Owner string
		}
	}](p.host, p.Command(ctx, "status", "--json"))
	if err != nil {
		return "", "", err
	}
	for _, s := range status {
		for _, n := range s.Names {
			if n.Name == name {
				return n.State, n.Owner, nil
			}
		}
	}
	return "", "", nil
}

// Outcome is one line of `send --json`: what became of the message to one recipient.
type Outcome struct {
	To      string `json:"to"`
	State   string `json:"state"`
	Via     string `json:"via"`
	Address string `json:"address"`
	Error   string `json:"error"`
}

// Send runs `send --json` with the text as its input, and returns the outcomes with the exit code.
func (p *Program) Send(ctx context.Context, text string, args ...string) ([]Outcome, int, error) {
	cmd := p.Command(ctx, append(append([]string{"send", "--json"}, args...), "-")...)
	cmd.Stdin = strings.NewReader(text)
	outcomes, err := lines[Outcome](p.host, cmd)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return outcomes, exit.ExitCode(), nil
	}
	return outcomes, 0, err
}

// Message is one line of `inbox export`, and of `inbox list --json`.
type Message struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Text       string    `json:"text"`
	Via        string    `json:"via"`
	Trust      string    `json:"trust"`
	Proven     string    `json:"proven"`
	Address    string    `json:"address"`
	ReceivedAt time.Time `json:"received_at"`
	Level      string    `json:"level"`
}

// Inbox is everything that has arrived, the oldest first.
func (p *Program) Inbox(ctx context.Context) ([]Message, error) {
	return lines[Message](p.host, p.Command(ctx, "inbox", "export"))
}

// Received waits until n messages or more are in the inbox and returns all.
func (p *Program) Received(ctx context.Context, n int) (all []Message, err error) {
	err = lab.Until(ctx, func() error {
		if all, err = p.Inbox(ctx); err != nil {
			return err
		}
		if len(all) < n {
			return fmt.Errorf("program: %d messages of %d", len(all), n)
		}
		return nil
	})
	return all, err
}

// lines runs a command that prints a JSON object per line. It returns what was printed even when the command failed.
func lines[T any](h *lab.Host, cmd *exec.Cmd) ([]T, error) {
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	failed := h.Run(cmd)
	if failed != nil {
		failed = fmt.Errorf("program: %s: %w: %s", strings.Join(cmd.Args[1:], " "), failed, stderr.String())
	}
	var all []T
	for d := json.NewDecoder(&out); ; {
		var v T
		if err := d.Decode(&v); err == io.EOF {
			return all, failed
		} else if err != nil {
			return all, errors.Join(failed, fmt.Errorf("program: %s printed no JSON: %w", strings.Join(cmd.Args[1:], " "), err))
		}
		all = append(all, v)
	}
}
