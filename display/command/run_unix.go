//go:build unix

package command

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// account is who a command runs as.
type account struct {
	name, home string
	// credential is nil if the command runs as the service does.
	credential *syscall.Credential
}

var errRoot = errors.New("a command that messages start does not run as root: name a user in display.command")

// lookupAccount finds out who a command is to run as. Only root can change that,
// and has to.
func lookupAccount(name string) (account, error) {
	return accountFor(name, os.Geteuid())
}

func accountFor(name string, euid int) (account, error) {
	if name == "" {
		if euid == 0 {
			return account{}, errRoot
		}
		name = strconv.Itoa(euid)
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			if euid != 0 && name == strconv.Itoa(euid) { // a service's user may have no entry
				return account{name: name, home: "/"}, nil
			}
			return account{}, fmt.Errorf("user %q: %w", name, err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %q: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %q: %w", name, err)
	}
	a := account{name: u.Username, home: u.HomeDir}
	switch {
	case uid == 0 || gid == 0:
		return account{}, fmt.Errorf("user %q: %w", name, errRoot)
	case euid != 0 && int(uid) != euid:
		return account{}, fmt.Errorf("user %q: only a service that runs as root can run commands as somebody else", name)
	case euid != 0:
		return a, nil
	}
	a.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groups(u)}
	return a, nil
}

// groups returns the groups of a user, without root's.
func groups(u *user.User) []uint32 {
	ids, err := u.GroupIds()
	if err != nil {
		return nil // the group of the account itself is enough
	}
	var list []uint32
	for _, id := range ids {
		if gid, err := strconv.ParseUint(id, 10, 32); err == nil && gid != 0 {
			list = append(list, uint32(gid))
		}
	}
	slices.Sort(list)
	return list
}

// env is the environment that a login would give, and nothing of the service's.
func (a account) env() []string {
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "SHELL=/bin/sh", "HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name,
	}
	if lang := os.Getenv("LANG"); lang != "" {
		env = append(env, "LANG="+lang)
	}
	return env
}

// platform runs commands as this operating system does.
type platform struct{}

// run runs cmd in a process group of its own. When it is to end early, or has
// ended but left something running that still holds its output, the group is
// killed.
func (platform) run(cmd *exec.Cmd, as account) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as.credential}
	kill := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = kill
	if err := start(cmd); err != nil {
		return err
	}
	err := cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) {
		_ = kill()
		return nil
	}
	return err
}
