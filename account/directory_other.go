//go:build !unix

package account

import "fmt"

// directory is none: os/user asks the system, which asks its directory.
type directory struct{}

func (directory) used() bool { return false }

func (directory) account(key string) (Account, error) {
	return Account{}, fmt.Errorf("user %q: %w", key, ErrUnknown)
}
