// Package names keeps the message names of this host: which are ours, why, for
// whom, and what became of them on each network.
package names

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"messngr/wire/netbios"
)

// OfLogin returns the name that a person goes by on the network: the login name, without
// the domain that it has where a directory keeps the accounts ("WARD\\alice",
// "alice@ward.example").
func OfLogin(login string) string {
	_, name, ok := strings.Cut(login, `\`)
	if !ok {
		name, _, _ = strings.Cut(login, "@")
	}
	return cmp.Or(name, login)
}

// Kind says why a name is ours.
type Kind uint8

// The kinds of names.
const (
	// Computer is the machine's own name. It cannot be removed.
	Computer Kind = iota
	// Workgroup is the group that the machine belongs to. It cannot be removed.
	Workgroup
	// User is the name of somebody who is logged on; it comes and goes with
	// the person.
	User
	// Alias is a name that was added by hand (NET NAME).
	Alias
)

// String returns the word that status prints.
func (k Kind) String() string {
	return [...]string{"computer", "workgroup", "user", "alias"}[k]
}

// MaxAliases is how many names of the kind Alias a host can have, as many as
// a Windows host had per network (MS-MSRP 3.1.4.1, NERR_TooManyNames).
const MaxAliases = 256

// The errors of the table, besides *TakenError.
var (
	// ErrInvalid: that cannot be a message name.
	ErrInvalid = errors.New("not a message name")
	// ErrBuiltin: the computer's and the workgroup's names cannot be removed.
	ErrBuiltin = errors.New("the computer's own name cannot be removed")
	// ErrExists: the name is ours already, or just being claimed or given up.
	ErrExists = errors.New("name exists on this computer already")
	// ErrTooMany: there are MaxAliases names already.
	ErrTooMany = errors.New("too many names")
)

// TakenError says that another machine owns a name.
type TakenError struct {
	Name  string
	Owner netip.Addr // zero if unknown
}

// Error implements error.
func (e *TakenError) Error() string {
	if !e.Owner.IsValid() {
		return fmt.Sprintf("name %s is owned by another machine", e.Name)
	}
	return fmt.Sprintf("name %s is owned by %s", e.Name, e.Owner)
}

// Network is where names are claimed: one NetBIOS network of this host.
type Network interface {
	// Claim makes the name ours; it returns a *TakenError if another machine
	// owns it, and nil at once if the network is not in use.
	Claim(ctx context.Context, name netbios.Name, group bool) error
	// Release gives the name up, or stops to try for it.
	Release(ctx context.Context, name netbios.Name) error
	// Places says how the name stands on each interface.
	Places(name netbios.Name) []Place
}

// Place is the state of a name on one interface of one network.
type Place struct {
	Carrier, Interface string
	State              string // "registered", "claiming", "conflict", "released"
	Owner              netip.Addr
}

// Keeper stores the names that outlive a restart.
type Keeper interface {
	// Settings returns all values of one kind by key.
	Settings(ctx context.Context, kind string) (map[string]string, error)
	// Set stores one value; Unset removes it and reports whether it was there.
	Set(ctx context.Context, kind, key, value string) error
	Unset(ctx context.Context, kind, key string) (bool, error)
}

// keeperKind is the kind of the table's settings: name -> user.
const keeperKind = "name"

// Entry is one name of this host.
type Entry struct {
	// Name is in UTF-8 upper case.
	Name   string
	Suffix netbios.Suffix
	Group  bool
	Kind   Kind
	// User is the login name whose messages it receives; "": the machine's.
	User    string
	Persist bool
	Places  []Place
}
