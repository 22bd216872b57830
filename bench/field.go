//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"messngr/interop/lab"
	"messngr/interop/program"
	"messngr/interop/samba"
)

// side is one of the two programs that are measured.
type side struct {
	name    string
	host    *lab.Host // where its server runs
	servers []server
	sender  *lab.Host // where its sender runs
	send    func(to *lab.Host) *exec.Cmd
}

// server is a daemon of a side. The first one of a side takes the messages.
type server struct {
	name    string
	command func() (*exec.Cmd, error)
	daemon  *lab.Daemon // while it runs
}

func (s *side) receiver() *server { return &s.servers[0] }

// port is where messages go.
func (s *side) port() netip.AddrPort { return netip.AddrPortFrom(s.host.Addr(), 139) }

// field is where the sides are measured: a lab with a host for each, and one that makes the load.
type field struct {
	settings
	lab   *lab.Lab
	lan   *lab.Subnet
	load  *lab.Host
	sides []*side
}

func newField(ctx context.Context, dir string, s settings) (*field, error) {
	l, err := lab.New(dir)
	if err != nil {
		return nil, err
	}
	f := &field{settings: s, lab: l}
	if err := f.build(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return f, nil
}

func (f *field) close() error { return f.lab.Close() }

func (f *field) build(ctx context.Context) (err error) {
	if f.lan, err = f.lab.Subnet(netip.MustParsePrefix("10.77.0.0/24")); err != nil {
		return err
	}
	if f.load, err = f.lan.Host("load"); err != nil {
		return err
	}
	// A connection per message, thousands a second: the closed ones must not use up the local ports.
	if _, stderr, err := f.load.Output(ctx, "sh", "-c",
		"echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse; echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range"); err != nil {
		return fmt.Errorf("load host: %w: %s", err, stderr)
	}
	peer, err := f.samba(ctx)
	if err != nil {
		return err
	}
	f.sides = append(f.sides, peer)
	if f.program == "" {
		return nil
	}
	own, err := f.own(ctx)
	if err != nil {
		return err
	}
	f.sides = append(f.sides, own)
	return nil
}

// samba is the peer, as lean as it gets: a message is kept by one rename.
func (f *field) samba(ctx context.Context) (*side, error) {
	host, err := f.lan.Host("samba")
	if err != nil {
		return nil, err
	}
	inbox := filepath.Join(host.Dir(), "inbox")
	receiver, err := samba.New(host, samba.Options{MinProtocol: "NT1", Command: "exec mv '%s' " + inbox})
	if err != nil {
		return nil, err
	}
	sender, err := f.lan.Host("smbclient")
	if err != nil {
		return nil, err
	}
	client, err := samba.New(sender, samba.Options{})
	if err != nil {
		return nil, err
	}
	return &side{
		name:    "Samba",
		host:    host,
		servers: []server{{name: "smbd", command: always(receiver.SMBDCommand)}, {name: "nmbd", command: always(receiver.NMBDCommand)}},
		sender:  sender,
		send: func(to *lab.Host) *exec.Cmd {
			return client.SendCommand(ctx, strings.ToUpper(to.Name()), "BENCH", "-I", to.Addr().String())
		},
	}, nil
}

func always(command func() *exec.Cmd) func() (*exec.Cmd, error) {
	return func() (*exec.Cmd, error) { return command(), nil }
}

// lifted is our configuration: only the limits differ from the defaults.
const lifted = `[policy]
take_per_source = { rate = 0, burst = 0 }
take_in_all = { rate = 0, burst = 0 }
`

// own is our side: two services, of which one takes messages and the other serves the senders on its host.
func (f *field) own(ctx context.Context) (*side, error) {
	receiver, err := f.install("messngr")
	if err != nil {
		return nil, err
	}
	sender, err := f.install("sender")
	if err != nil {
		return nil, err
	}
	if _, err := sender.Serve(ctx, lifted); err != nil {
		return nil, err
	}
	return &side{
		name:    "messngr",
		host:    receiver.Host(),
		servers: []server{{name: "messngr", command: func() (*exec.Cmd, error) { return receiver.ServeCommand(ctx, lifted) }}},
		sender:  sender.Host(),
		send: func(to *lab.Host) *exec.Cmd {
			return sender.Command(ctx, "send", "--as", "BENCH", "--at", to.Addr().String(), strings.ToUpper(to.Name()), "-")
		},
	}, nil
}

func (f *field) install(name string) (*program.Program, error) {
	host, err := f.lan.Host(name)
	if err != nil {
		return nil, err
	}
	return program.New(host, f.program)
}

// start starts the servers of a side and returns how long the first took from its start to the first connection that
// it took.
func (f *field) start(ctx context.Context, s *side) (took time.Duration, err error) {
	for i := range s.servers {
		cmd, err := s.servers[i].command()
		if err != nil {
			return 0, err
		}
		began := time.Now()
		if s.servers[i].daemon, err = s.host.Daemon(s.servers[i].name, cmd); err != nil {
			return 0, err
		}
		if i > 0 {
			continue
		}
		if err := f.connects(ctx, s.port(), s.servers[i].daemon); err != nil {
			return 0, err
		}
		took = time.Since(began)
	}
	return took, nil
}

// stop stops the servers of a side, the last first.
func (f *field) stop(s *side) {
	for i := len(s.servers) - 1; i >= 0; i-- {
		s.servers[i].daemon.Stop() // how it ends is not the question here
	}
}

// connects tries the port, from the host that makes the load, every fifth of a millisecond.
func (f *field) connects(ctx context.Context, to netip.AddrPort, d *lab.Daemon) error {
	addr := &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	return f.load.Do(func() error {
		for {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			err = unix.Connect(fd, addr)
			unix.Close(fd)
			if err == nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-d.Ended():
				return fmt.Errorf("it ended: %s", d.Log())
			case <-time.After(200 * time.Microsecond):
			}
		}
	})
}
