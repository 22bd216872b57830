//go:build !linux

package tty

import (
	"messngr"
	"messngr/display"
)

// newDisplay returns none: nobody knows the terminals of this operating system.
func newDisplay(display.Env, Config) (messngr.Display, error) { return nil, nil }
