// Package login says which other machine a command is about, and logs in there: by its
// options, a file with credentials, or a password that is asked for.
package login

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/program"
	"messngr/remote"
)

// connectTime is how long it may take to find another machine and to log in there.
const connectTime = time.Minute

// Options are what the command line says about the machine whose names are meant, and
// about who asks it.
type Options struct {
	Server      string // name or address of the machine, with a port or without
	User        string // who asks: USER or DOMAIN\USER; "" for nobody
	Credentials string // path of a file that says who asks, in place of User
}

// Help is what the help of every command says that has these options.
const Help = `

With --server it is about another machine, which is asked over its pipe \PIPE\msgsvc
by SMB 2 or 3: hosts where messngr serves that pipe beside Samba. The password of --as
is asked for, unless it is in $MESSNGR_PASSWORD or in a file as mount.cifs and
smbclient -A know them (username=, password=, domain=).`

// AddTo adds the options to a command.
func (o *Options) AddTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Server, "server", "", "`name` or address of another machine")
	f.StringVarP(&o.User, "as", "U", "", "with --server: the `user` that you are there, or DOMAIN\\USER")
	f.StringVar(&o.Credentials, "credentials", "", "with --server: `file` that says who you are there")
	complete.FlagBy(cmd, "credentials", complete.Files)
}

// Given reports whether another machine is meant.
func (o *Options) Given() bool { return o.Server != "" || o.User != "" || o.Credentials != "" }

// Connect logs in to the machine and returns its message names, which the caller closes.
// Its errors are a program.UsageError, a remote.Error, or say why the machine cannot be
// found.
func (o Options) Connect(ctx context.Context, run *program.Run) (*remote.Names, error) {
	if o.Server == "" {
		return nil, program.Misuse("add: --server HOST", "--as and --credentials are for another machine")
	}
	who, err := o.who(ctx, run)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	m, err := findMachine(ctx, run, o.Server)
	if err != nil {
		return nil, err
	}
	return remote.Connect(ctx, m, who)
}

// findMachine finds out where a machine is: by address, by DNS, or by its NetBIOS name,
// which the service knows how to find. A port may be given.
func findMachine(ctx context.Context, run *program.Run, server string) (remote.Machine, error) {
	host, port := strings.TrimPrefix(server, `\\`), uint16(remote.Port)
	if h, p, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return remote.Machine{}, program.Misuse("--server HOST or HOST:PORT", "%q is no port", p)
		}
		host, port = h, uint16(n)
	}
	if host == "" || strings.ContainsAny(host, `\/ `) {
		return remote.Machine{}, program.Misuse("--server HOST, by name or address", "%q is no machine", server)
	}
	m := remote.Machine{Host: host}
	if addr, err := netip.ParseAddr(host); err == nil {
		m.Addresses = []netip.AddrPort{netip.AddrPortFrom(addr, port)}
		return m, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		table, failed := run.Client().Adapter(ctx, "", host)
		if failed != nil {
			return m, fmt.Errorf("%s cannot be found: by DNS: %w; by NetBIOS: %w", host, plainDNS(err), failed)
		}
		addr, failed := netip.ParseAddr(table.Address)
		if failed != nil {
			return m, failed
		}
		found = []netip.Addr{addr}
	}
	for _, addr := range found {
		m.Addresses = append(m.Addresses, netip.AddrPortFrom(addr.Unmap(), port))
	}
	return m, nil
}

// plainDNS returns what an error of DNS says, without where it was asked.
func plainDNS(err error) error {
	var failed *net.DNSError
	if errors.As(err, &failed) {
		return errors.New(failed.Err)
	}
	return err
}
