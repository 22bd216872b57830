// Package account finds the accounts of the people of this host: those in its own
// files, and those that a directory keeps, which Samba's winbind, SSSD, LDAP or NIS
// make known.
package account

import (
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrUnknown says that this host knows no such account.
var ErrUnknown = errors.New("no such account")

const (
	// keepTime is how long it is remembered what a directory said.
	keepTime = time.Minute
	// maxKept is how many answers of a directory are remembered.
	maxKept = 1024
)

// Account is somebody who may log in to this host.
type Account struct {
	UID   int
	Login string

	groups []string // ids
}

// Book finds accounts. What a directory says is remembered for a minute, also that it
// knows somebody not; what stands in the host's files is read each time. The zero
// value is ready to use, by several goroutines at once.
type Book struct {
	directory directory

	mu   sync.Mutex
	kept map[string]answer
}

// answer is what a directory said.
type answer struct {
	account Account
	err     error
	until   time.Time
}

// ByUID finds the account with a user id. The error is ErrUnknown if there is none, as
// far as could be found out within some seconds.
func (b *Book) ByUID(uid int) (Account, error) {
	key := strconv.Itoa(uid)
	if u, err := user.LookupId(key); err == nil {
		return local(u)
	}
	a, err := b.ask(key)
	if err == nil && a.UID != uid {
		return Account{}, fmt.Errorf("user %d: %w", uid, ErrUnknown)
	}
	return a, err
}

// ByName finds the account with a login name, whose spelling may differ from that of
// the account where a directory does not tell large letters from small ones. The error
// is ErrUnknown if there is none, as far as could be found out within some seconds.
func (b *Book) ByName(login string) (Account, error) {
	if u, err := user.Lookup(login); err == nil {
		return local(u)
	}
	if _, err := strconv.Atoi(login); err == nil || !plausible(login) {
		return Account{}, fmt.Errorf("user %q: %w", login, ErrUnknown) // a number would be taken for an id
	}
	return b.ask(login)
}

// InGroup reports whether somebody is a member of a group, by name.
func (b *Book) InGroup(a Account, group string) bool {
	g, err := user.LookupGroup(group)
	return err == nil && slices.Contains(a.groups, g.Gid)
}

// plausible reports whether a word can be a login name. Those of domains have a
// backslash or an at sign, and may have spaces.
func plausible(login string) bool {
	return login != "" && len(login) <= 256 && !strings.HasPrefix(login, "-") &&
		!strings.ContainsFunc(login, func(r rune) bool { return r < ' ' || r == 0x7F || r == ':' || r == '/' })
}

// local makes the account of what a file says.
func local(u *user.User) (Account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil { // Windows: its users have no numbers
		return Account{}, fmt.Errorf("user %q: %w", u.Username, ErrUnknown)
	}
	groups, err := u.GroupIds()
	if err != nil {
		groups = []string{u.Gid}
	}
	return Account{UID: uid, Login: u.Username, groups: groups}, nil
}

// ask asks the directory, or remembers what it said.
func (b *Book) ask(key string) (Account, error) {
	if !b.directory.used() {
		return Account{}, fmt.Errorf("user %q: %w", key, ErrUnknown)
	}
	now := time.Now()
	b.mu.Lock()
	known, ok := b.kept[key]
	b.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.account, known.err
	}
	a, err := b.directory.account(key)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil || len(b.kept) >= maxKept {
		b.kept = make(map[string]answer)
	}
	b.kept[key] = answer{a, err, now.Add(keepTime)}
	return a, err
}
