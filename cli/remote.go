package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"messngr/cli/console"
	"messngr/remote"
	"messngr/wire/oem"
)

const (
	// passwordVariable is where a password may be, for scripts.
	passwordVariable = "MESSNGR_PASSWORD"
	// remoteTime is how long a command may talk with another machine.
	remoteTime = time.Minute
	// maxCredentials is the longest file with credentials in bytes.
	maxCredentials = 4096
)

// otherMachine is what the command line says about the machine whose names are meant, and
// about who asks it.
type otherMachine struct {
	server, user, credentials string
}

// otherMachineHelp is what every command says that has these options.
const otherMachineHelp = `

With --server it is about another machine, which is asked over its pipe \PIPE\msgsvc
by SMB 2 or 3: hosts where messngr serves that pipe beside Samba. The password of --as
is asked for, unless it is in $MESSNGR_PASSWORD or in a file as mount.cifs and
smbclient -A know them (username=, password=, domain=).`

// flags adds the options to a command.
func (o *otherMachine) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "", "`name` or address of another machine")
	f.StringVarP(&o.user, "as", "U", "", "with --server: the `user` that you are there, or DOMAIN\\USER")
	f.StringVar(&o.credentials, "credentials", "", "with --server: `file` that says who you are there")
}

// given reports whether another machine is meant.
func (o *otherMachine) given() bool { return o.server != "" || o.user != "" || o.credentials != "" }

// listRemoteNames prints the message names of another machine.
func (a *app) listRemoteNames(ctx context.Context, o otherMachine, json bool) error {
	return a.withRemote(ctx, o, func(ctx context.Context, names *remote.Names) error {
		list, err := names.List(ctx)
		if err != nil {
			return err
		}
		rows := [][]string{{"NAME"}}
		for _, name := range list {
			if json {
				if err := a.printJSON(map[string]string{"name": name}); err != nil {
					return err
				}
			}
			rows = append(rows, []string{oem.CleanLine(name)})
		}
		if !json {
			console.Table(a.env.Stdout, a.width(), rows)
		}
		return nil
	})
}

// addRemoteName gives another machine a name.
func (a *app) addRemoteName(ctx context.Context, o otherMachine, name string) error {
	return a.withRemote(ctx, o, func(ctx context.Context, names *remote.Names) error {
		if err := names.Add(ctx, name); err != nil {
			return err
		}
		a.printf("%s is registered at %s\n", oem.CleanLine(strings.ToUpper(name)), oem.CleanLine(o.server))
		return nil
	})
}

// removeRemoteName takes a name from another machine.
func (a *app) removeRemoteName(ctx context.Context, o otherMachine, name string) error {
	return a.withRemote(ctx, o, func(ctx context.Context, names *remote.Names) error {
		if err := names.Remove(ctx, name); err != nil {
			return err
		}
		a.printf("%s is given up by %s\n", oem.CleanLine(strings.ToUpper(name)), oem.CleanLine(o.server))
		return nil
	})
}

// withRemote logs in to another machine and does something there.
func (a *app) withRemote(ctx context.Context, o otherMachine, do func(context.Context, *remote.Names) error) error {
	names, err := a.remoteNames(ctx, o)
	if err != nil {
		return err
	}
	defer names.Close()
	ctx, cancel := context.WithTimeout(ctx, remoteTime)
	defer cancel()
	return do(ctx, names)
}

// remoteNames logs in to another machine.
func (a *app) remoteNames(ctx context.Context, o otherMachine) (*remote.Names, error) {
	if o.server == "" {
		return nil, misuse("add: --server HOST", "--as and --credentials are for another machine")
	}
	who, err := a.credentials(ctx, o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTime)
	defer cancel()
	m, err := a.findMachine(ctx, o.server)
	if err != nil {
		return nil, err
	}
	return remote.Connect(ctx, m, who)
}

// credentials returns who asks another machine, which may be nobody.
func (a *app) credentials(ctx context.Context, o otherMachine) (remote.Credentials, error) {
	if o.credentials != "" {
		who, err := readCredentials(o.credentials)
		if err != nil || o.user == "" {
			return who, err
		}
		return who, misuse("give one of --as and --credentials", "two say who you are")
	}
	var who remote.Credentials
	if o.user == "" {
		return who, nil
	}
	if strings.Contains(o.user, "%") {
		return who, misuse("leave the password out: it is asked for, or taken from $"+passwordVariable+" or --credentials",
			"what stands on a command line can be read by everybody here")
	}
	who.User = o.user
	if domain, user, ok := cutDomain(o.user); ok {
		who.Domain, who.User = domain, user
	}
	if who.User == "" {
		return who, misuse("--server HOST --as USER", "the user's name is empty")
	}
	var err error
	who.Password, err = a.password(ctx, fmt.Sprintf("Password of %s at %s:", o.user, o.server))
	return who, err
}

// cutDomain splits DOMAIN\USER, also with the slash that Samba's tools take.
func cutDomain(s string) (domain, user string, ok bool) {
	if i := strings.IndexAny(s, `\/`); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return "", s, false
}

// password returns the password from the environment, or asks for it.
func (a *app) password(ctx context.Context, question string) (string, error) {
	if p := a.env.Getenv(passwordVariable); p != "" {
		return p, nil
	}
	in, ok := terminal(a.env.Stdin)
	if !ok {
		return "", misuse("set $"+passwordVariable+", or use --credentials FILE", "there is no terminal on which to ask for the password")
	}
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(a.env.Stderr, oem.CleanLine(question)+" ")
	defer fmt.Fprintln(a.env.Stderr)
	typed := make(chan error, 1)
	var password []byte
	go func() {
		var err error
		password, err = term.ReadPassword(fd)
		typed <- err
	}()
	select {
	case err := <-typed:
		return string(password), err
	case <-ctx.Done(): // Ctrl+C; the terminal is to show again what is typed
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

// readCredentials reads a file with lines such as "username = alice", of which it takes
// username, password and domain.
func readCredentials(path string) (remote.Credentials, error) {
	var who remote.Credentials
	f, err := os.Open(path)
	if err != nil {
		return who, err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxCredentials))
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "username", "user":
			who.User = value
		case "password", "pass":
			who.Password = value
		case "domain", "dom":
			who.Domain = value
		}
	}
	if err := lines.Err(); err != nil {
		return who, err
	}
	if who.User == "" {
		return who, misuse("it has lines like: username=alice", "%s names no user", path)
	}
	if domain, user, ok := cutDomain(who.User); ok && who.Domain == "" {
		who.Domain, who.User = domain, user
	}
	return who, nil
}

// findMachine finds out where a machine is: by address, by DNS, or by its NetBIOS name,
// which the service knows how to find. A port may be given.
func (a *app) findMachine(ctx context.Context, server string) (remote.Machine, error) {
	host, port := strings.TrimPrefix(server, `\\`), uint16(remote.Port)
	if h, p, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return remote.Machine{}, misuse("--server HOST or HOST:PORT", "%q is no port", p)
		}
		host, port = h, uint16(n)
	}
	if host == "" || strings.ContainsAny(host, `\/ `) {
		return remote.Machine{}, misuse("--server HOST, by name or address", "%q is no machine", server)
	}
	m := remote.Machine{Host: host}
	if addr, err := netip.ParseAddr(host); err == nil {
		m.Addresses = []netip.AddrPort{netip.AddrPortFrom(addr, port)}
		return m, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		table, failed := a.client().Adapter(ctx, "", host)
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
