package sqlitestore

import (
	"errors"
	"os"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"messngr/store/sqlitestore/dbfile"
)

const (
	// maxBallast is how much room is kept for a full disk: twice as much as a log holds
	// before it is brought into the database, because while that fails it goes on
	// growing into what is left of the disk.
	maxBallast = 8 << 20
	// minLog is how much room a log has to have on a full disk: more than the longest
	// message takes.
	minLog = 1 << 20
	// page is the length of a page of the database; in the log it takes some bytes more.
	page = 4096
	// fullLog is how many pages the log has when it is brought into the database; fewer
	// where there is little ballast.
	fullLog = 1000
)

// takeBallast keeps some room for a full disk, but never more than an eighth of what
// there is. Without ballast a full disk takes nothing, not even that something is removed.
func (w *writer) takeBallast() {
	free, err := dbfile.Free(w.path)
	switch {
	case w.ballast.Released(): // by a service that was killed then
		w.refill(maxBallast)
	case err == nil:
		_ = w.ballast.Fill(int64(min(free/8, maxBallast)))
	}
	pages := min(w.ballast.Size()/2/page, fullLog)
	// It is 1000 already if that fails, which is right for most disks.
	_ = w.conn.exec(`PRAGMA wal_autocheckpoint = `+strconv.FormatInt(max(pages, 1), 10), nil)
}

// squeeze does a job again for which the disk had no room. To remove something takes
// room in the log and, as that has to be brought into the database, there: the ballast
// gives it. What was removed leaves free pages for others, but from now on the database
// may not grow, so that they do not use up the ballast, until there is room again.
func (w *writer) squeeze(one []*job) error {
	ballast := int64(0)
	frees := one[0].frees
	if frees {
		ballast = w.ballast.Release()
	}
	if frees || !crowded(w.path) {
		w.mayGrow(true)
	}
	// It may fail, or be held up by a reader: then there may be room all the same.
	_ = w.conn.exec(`PRAGMA wal_checkpoint(RESTART)`, nil)
	err := w.transact(one)
	if frees {
		w.refill(ballast)
	}
	return err
}

// openFull opens the database again, for which the disk had no room: the index of the
// log takes some, and it is gone since the last Close.
func openFull(path, vfs string) (*writer, error) {
	ballast := dbfile.BallastOf(path)
	size := ballast.Release()
	w, err := openWriter(path, vfs)
	if err != nil {
		_ = ballast.Fill(size)
		return nil, err
	}
	w.refill(size)
	return w, nil
}

// refill takes a ballast again that was given up, or as much of it as there is room for,
// and leaves some to the log if that is small. The database may not grow into it.
func (w *writer) refill(ballast int64) {
	w.mayGrow(false)
	log := int64(0)
	if info, err := os.Stat(w.path + "-wal"); err == nil {
		log = info.Size()
	}
	_ = w.ballast.Fill(ballast - max(0, minLog-log))
}

// mayGrow says whether the database may have more pages than it has.
func (w *writer) mayGrow(may bool) {
	most := 1 // fewer than it has is as many as it has
	if may {
		most = maxPages
	}
	if err := w.conn.exec(`PRAGMA max_page_count = `+strconv.Itoa(most), nil); err == nil {
		w.capped = !may
	}
}

// maxPages is no limit: so many make 8 TiB.
const maxPages = 1<<31 - 1

// mayBeFull reports whether err may come from a full disk, or from one of which a quota
// gives no more. The driver calls a write that found no room an I/O error and does not
// keep the system's own error.
func mayBeFull(err error) bool {
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, sqlite3.IOERR)
}

// noRoom reports whether err says that the disk is full.
func noRoom(path string, err error) bool {
	return errors.Is(err, sqlite3.FULL) || mayBeFull(err) && crowded(path)
}

// crowded tells a full disk from a broken one.
func crowded(path string) bool {
	free, err := dbfile.Free(path)
	return err == nil && free < minLog
}
