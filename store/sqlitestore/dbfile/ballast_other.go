//go:build !linux

package dbfile

import (
	"errors"
	"os"
)

// allocate cannot take room without writing to it.
func allocate(*os.File, int64, int64) error { return errors.ErrUnsupported }
