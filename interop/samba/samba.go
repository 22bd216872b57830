//go:build linux

// Package samba runs Samba's daemons and clients in the hosts of a lab.
package samba

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"messngr/interop/lab"
)

// Programs are the commands that this package runs, for the guard of a test.
func Programs() []string { return []string{"smbd", "nmbd", "smbclient", "nmblookup"} }

// Options say how one Samba is set up. Zero values are Samba's own defaults.
type Options struct {
	Workgroup   string     // default TESTGRP
	WINSSupport bool       // be the WINS server
	WINS        netip.Addr // use this WINS server
	MinProtocol string     // "server min protocol"; only from NT1 down are messages taken
	Ports       string     // "smb ports", default 139 445
	Command     string     // "message command"; default: keep what [Samba.Received] returns
	Lines       []string   // added to the [global] section
}

// Samba is an installation in one host.
type Samba struct {
	host *lab.Host
	conf string
	name string
	last string // of the ports on which smbd listens
}

// New writes the configuration of a Samba that is named like its host.
func New(h *lab.Host, o Options) (*Samba, error) {
	o.Ports = cmp.Or(o.Ports, "139 445")
	ports := strings.Fields(o.Ports)
	s := &Samba{host: h, conf: filepath.Join(h.Dir(), "smb.conf"), name: strings.ToUpper(h.Name()), last: ports[len(ports)-1]}
	if err := os.Mkdir(s.inbox(), 0o777); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	// The guest account delivers: the umask must not close the folder to it.
	if err := os.Chmod(s.inbox(), 0o777); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	if err := os.WriteFile(filepath.Join(h.Dir(), "take.sh"), []byte(take), 0o755); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	// Below /run, which is the host's own: the paths of unix sockets are short there.
	for _, d := range []string{"private", "lock", "state", "cache", "pid", "ncalrpc", "nmbd"} {
		if err := os.MkdirAll(filepath.Join(h.Dir(), "run/samba", d), 0o755); err != nil {
			return nil, fmt.Errorf("samba: %w", err)
		}
	}
	if err := os.WriteFile(s.conf, []byte(s.config(o)), 0o644); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	return s, nil
}

// Config is the path of its configuration file.
func (s *Samba) Config() string { return s.conf }

// Host is where the installation is.
func (s *Samba) Host() *lab.Host { return s.host }

func (s *Samba) inbox() string { return filepath.Join(s.host.Dir(), "inbox") }

// take keeps one message and where it came from, in one step, and removes smbd's own copy as it must.
const take = `#!/bin/sh
umask 000
kept=$(mktemp -d "$1/.taking.XXXXXX") || exit
cat "$2" >"$kept/text"
printf %s "$3" >"$kept/from"
printf %s "$4" >"$kept/address"
rm -f "$2"
mv "$kept" "$1/$(date +%s%N).$$"
`

func (s *Samba) config(o Options) string {
	var b strings.Builder
	b.WriteString("[global]\n")
	set := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "\t%s = %s\n", key, value)
		}
	}
	set("netbios name", s.name)
	set("workgroup", cmp.Or(o.Workgroup, "TESTGRP"))
	set("interfaces", s.host.Prefix().String())
	set("bind interfaces only", "yes")
	set("nmbd bind explicit broadcast", "yes")
	for key, dir := range map[string]string{
		"private dir": "private", "lock directory": "lock", "state directory": "state", "cache directory": "cache",
		"pid directory": "pid", "ncalrpc dir": "ncalrpc", "nmbd:socket dir": "nmbd",
	} {
		set(key, "/run/samba/"+dir)
	}
	set("log file", filepath.Join(s.host.Dir(), "samba.%R.log"))
	set("unix charset", "UTF-8")
	set("dos charset", "CP850")
	set("load printers", "no")
	set("printing", "bsd")
	set("printcap name", "/dev/null")
	set("disable spoolss", "yes")
	set("map to guest", "bad user")
	set("guest account", "nobody")
	set("server min protocol", o.MinProtocol)
	set("smb ports", o.Ports)
	if o.WINSSupport {
		set("wins support", "yes")
	}
	if o.WINS.IsValid() {
		set("wins server", o.WINS.String())
	}
	set("message command", cmp.Or(o.Command,
		fmt.Sprintf("%s %s '%%s' '%%f' '%%I'", filepath.Join(s.host.Dir(), "take.sh"), s.inbox())))
	for _, line := range o.Lines {
		b.WriteString("\t" + line + "\n")
	}
	return b.String()
}

// SMBDCommand is the file server in the foreground.
func (s *Samba) SMBDCommand() *exec.Cmd { return exec.Command("smbd", "-F", "-s", s.conf) }

// NMBDCommand is the name server in the foreground.
func (s *Samba) NMBDCommand() *exec.Cmd { return exec.Command("nmbd", "-F", "-s", s.conf) }

// SendCommand is smbclient sending what its input holds.
func (s *Samba) SendCommand(ctx context.Context, to, from string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "smbclient", append([]string{"-s", s.conf, "-M", to, "-U", from}, args...)...)
}

// SMBD starts the file server, which also takes messages, and returns when it listens on
// the last of its ports: the first may be ours.
func (s *Samba) SMBD(ctx context.Context) (*lab.Daemon, error) {
	d, err := s.host.Daemon("smbd", s.SMBDCommand())
	if err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	err = s.until(ctx, d, func() error {
		conn, err := s.host.Dial(ctx, "tcp4", net.JoinHostPort(s.host.Addr().String(), s.last))
		if err == nil {
			conn.Close()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("samba: smbd: %w: %s", err, d.Log())
	}
	return d, nil
}

// StartNMBD starts the name server and does not wait for anything: one that uses a WINS server answers no broadcast.
func (s *Samba) StartNMBD(context.Context) (*lab.Daemon, error) {
	d, err := s.host.Daemon("nmbd", s.NMBDCommand())
	if err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	return d, nil
}

// NMBD starts the name server and returns when it answers for its own messenger name, some four seconds later.
func (s *Samba) NMBD(ctx context.Context) (*lab.Daemon, error) {
	d, err := s.StartNMBD(ctx)
	if err != nil {
		return nil, err
	}
	err = s.until(ctx, d, func() error {
		// By broadcast: unicast questions are answered sooner, while the names are still being claimed.
		_, err := s.Lookup(ctx, s.name+"#03")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("samba: nmbd: %w: %s", err, d.Log())
	}
	return d, nil
}

// until repeats f until it succeeds, the daemon ends or ctx is done.
func (s *Samba) until(ctx context.Context, d *lab.Daemon, f func() error) error {
	return lab.Until(ctx, func() error {
		select {
		case <-d.Ended():
			return lab.Stop{Err: fmt.Errorf("it ended")}
		default:
			return f()
		}
	})
}

// Send runs smbclient -M with the text as its input. What smbclient says decides, not its exit code: that is 0 even for
// a message that the peer refused.
func (s *Samba) Send(ctx context.Context, to, from, text string, args ...string) error {
	cmd := s.SendCommand(ctx, to, from, args...)
	cmd.Stdin = strings.NewReader(text)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := s.host.Run(cmd); err != nil {
		return fmt.Errorf("samba: smbclient: %w: %s", err, said.String())
	}
	for _, bad := range []string{"NT_STATUS_", "failed"} {
		if strings.Contains(said.String(), bad) {
			return fmt.Errorf("samba: smbclient: %s", said.String())
		}
	}
	return nil
}

// Lookup asks nmblookup for NAME#SUFFIX and returns its addresses.
func (s *Samba) Lookup(ctx context.Context, name string, args ...string) ([]netip.Addr, error) {
	out, stderr, err := s.host.Output(ctx, "nmblookup", append([]string{"-s", s.conf}, append(args, name)...)...)
	if err != nil {
		return nil, fmt.Errorf("samba: nmblookup %s: %w: %s%s", name, err, out, stderr)
	}
	var found []netip.Addr
	for line := range strings.Lines(out) {
		if addr, err := netip.ParseAddr(strings.SplitN(line, " ", 2)[0]); err == nil {
			found = append(found, addr)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("samba: nmblookup %s: no address: %s%s", name, out, stderr)
	}
	return found, nil
}

// Message is what smbd handed to its message command.
type Message struct {
	From    string // as smbd filters it: letters, digits and underscores
	Text    string
	Address string
}

// Received waits until smbd has taken n messages since the start, and returns all in the order of their arrival.
func (s *Samba) Received(ctx context.Context, n int) ([]Message, error) {
	var kept []string
	err := lab.Until(ctx, func() (err error) {
		kept, err = filepath.Glob(filepath.Join(s.inbox(), "[0-9]*"))
		if err == nil && len(kept) < n {
			err = fmt.Errorf("samba: %d messages of %d", len(kept), n)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []Message
	for _, dir := range kept {
		var m Message
		for file, field := range map[string]*string{"from": &m.From, "text": &m.Text, "address": &m.Address} {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				return nil, fmt.Errorf("samba: %w", err)
			}
			*field = string(b)
		}
		all = append(all, m)
	}
	return all, nil
}

// Quiet waits long enough for a message that must not arrive, and returns how many did.
func (s *Samba) Quiet(wait time.Duration) (int, error) {
	time.Sleep(wait)
	kept, err := filepath.Glob(filepath.Join(s.inbox(), "[0-9]*"))
	return len(kept), err
}

// Version is what the installed smbd calls itself.
func Version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "smbd", "--version").Output()
	return strings.TrimSpace(strings.TrimPrefix(string(out), "Version ")), err
}
