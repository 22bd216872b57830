package login

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"messngr/cli/program"
	"messngr/remote"
	"messngr/wire/oem"
)

const (
	// passwordVariable is where a password may be, for scripts.
	passwordVariable = "MESSNGR_PASSWORD"
	// maxCredentials is the longest file with credentials in bytes.
	maxCredentials = 4096
)

// who returns who asks another machine, which may be nobody.
func (o Options) who(ctx context.Context, run *program.Run) (remote.Credentials, error) {
	if o.Credentials != "" {
		who, err := readCredentials(o.Credentials)
		if err != nil || o.User == "" {
			return who, err
		}
		return who, program.Misuse("give one of --as and --credentials", "two say who you are")
	}
	var who remote.Credentials
	if o.User == "" {
		return who, nil
	}
	if strings.Contains(o.User, "%") {
		return who, program.Misuse("leave the password out: it is asked for, or taken from $"+passwordVariable+" or --credentials",
			"what stands on a command line can be read by everybody here")
	}
	who.User = o.User
	if domain, user, ok := cutDomain(o.User); ok {
		who.Domain, who.User = domain, user
	}
	if who.User == "" {
		return who, program.Misuse("--server HOST --as USER", "the user's name is empty")
	}
	var err error
	who.Password, err = password(ctx, run, fmt.Sprintf("Password of %s at %s:", o.User, o.Server))
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
func password(ctx context.Context, run *program.Run, question string) (string, error) {
	if p := run.Getenv(passwordVariable); p != "" {
		return p, nil
	}
	in, ok := program.Terminal(run.Stdin)
	if !ok {
		return "", program.Misuse("set $"+passwordVariable+", or use --credentials FILE", "there is no terminal on which to ask for the password")
	}
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(run.Stderr, oem.CleanLine(question)+" ")
	defer fmt.Fprintln(run.Stderr)
	var password []byte
	err = program.Await(ctx, func() (err error) {
		password, err = term.ReadPassword(fd)
		return err
	})
	if ctx.Err() != nil { // Ctrl+C; the terminal is to show again what is typed
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
	return string(password), err
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
		return who, program.Misuse("it has lines like: username=alice", "%s names no user", path)
	}
	if domain, user, ok := cutDomain(who.User); ok && who.Domain == "" {
		who.Domain, who.User = domain, user
	}
	return who, nil
}
