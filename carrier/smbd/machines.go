package smbd

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"messngr/wire/browse"
)

// maxList bounds the list that is read, in bytes.
const maxList = 1 << 20

// Machines reads the list of machines and workgroups that nmbd keeps, and says when nmbd
// wrote it. An nmbd that is not a master browser knows itself and what its master told
// it. The error matches fs.ErrNotExist where nmbd keeps none.
func (s *Samba) Machines() ([]browse.Record, time.Time, error) {
	f, err := os.Open(filepath.Join(s.cfg.Cache, "browse.dat"))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("nmbd's list of machines: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxList))
	if err != nil {
		return nil, time.Time{}, err
	}
	return browse.ParseRecords(b), info.ModTime(), nil
}
