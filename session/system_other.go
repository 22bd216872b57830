//go:build !linux

package session

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// System returns the Lister of this host. On this operating system it is one
// that always fails with errors.ErrUnsupported.
func System() Lister { return unsupported{} }

type unsupported struct{}

func (unsupported) Sessions(context.Context) ([]Session, error) {
	return nil, fmt.Errorf("session: who is logged on to %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
