//go:build !linux && !darwin && !freebsd

package peercred

import "errors"

// Supported reports whether this system tells who is at the other end.
const Supported = false

func ask(int) (int, error) { return -1, errors.ErrUnsupported }
