//go:build unix

package account

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// askTime is how long a directory may take for an answer.
const askTime = 2 * time.Second

// directory is whatever this host's name service switch asks besides its own files
// (nsswitch.conf(5)). Its parts are loaded by the C library, which this program does
// not have: getent(1) and id(1) ask for us.
type directory struct {
	// config, getent and id are paths; "" for the system's.
	config, getent, id string
}

// used reports whether there is a directory. Most hosts have none, and are spared a
// program each time that somebody is unknown.
func (d directory) used() bool {
	b, err := os.ReadFile(cmp.Or(d.config, "/etc/nsswitch.conf"))
	if err != nil {
		return false
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		sources, ok := strings.CutPrefix(strings.TrimSpace(line), "passwd:")
		if ok {
			return slices.ContainsFunc(strings.Fields(sources), func(source string) bool {
				return !strings.HasPrefix(source, "[") && !slices.Contains([]string{"files", "compat", "systemd"}, source)
			})
		}
	}
	return false
}

// account finds an account by its login name or the digits of its id.
func (d directory) account(key string) (Account, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	out, err := output(ctx, cmp.Or(d.getent, "/usr/bin/getent"), "passwd", "--", key)
	if err != nil {
		return Account{}, fmt.Errorf("user %q: %w", key, ErrUnknown)
	}
	// passwd(5): name, password, user id, group id, ...
	fields := strings.Split(strings.TrimSuffix(out, "\n"), ":")
	if len(fields) != 7 || !plausible(fields[0]) {
		return Account{}, fmt.Errorf("user %q: getent says %.100q", key, out)
	}
	uid, err := strconv.Atoi(fields[2])
	if err != nil {
		return Account{}, fmt.Errorf("user %q: getent says %.100q", key, out)
	}
	a := Account{UID: uid, Login: fields[0], groups: []string{fields[3]}}
	if all, err := output(ctx, cmp.Or(d.id, "/usr/bin/id"), "-G", "--", a.Login); err == nil {
		a.groups = strings.Fields(all)
	}
	return a, nil
}

// output runs a program in the environment of nobody in particular.
func output(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return string(out), err
}
