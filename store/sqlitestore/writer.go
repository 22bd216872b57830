package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"

	"messngr"
	"messngr/store/sqlitestore/dbfile"
)

// maxBatch bounds how many writes share a transaction, and so how long the first
// of them waits for the others.
const maxBatch = 256

// errClosed is what callers get after Close.
var errClosed = fmt.Errorf("store: closed: %w", messngr.ErrUnavailable)

// writer is the only one who writes to the database. What waits for it when it
// is ready shares one transaction and one flush to the disk: under load the
// flush is what takes the time, and while it runs the next writes come together.
type writer struct {
	path  string
	files dbfile.Files
	conn  *conn
	// last is as the transaction that runs leaves it; only the goroutine that
	// runs it touches it.
	last numbers
	// named is whether the directory with the files' names is on the disk.
	named bool
	// ballast is the room in which something can be removed while the disk is full;
	// capped says that the database may not grow since then (see full.go).
	ballast dbfile.Ballast
	capped  bool

	mu      sync.Mutex
	waiting []*job
	closed  bool
	wake    chan struct{} // has room for one
	ended   chan struct{}
}

// numbers are what the writer remembers of the tables.
type numbers struct {
	received, sent table
	attempt        int64 // the last number given
}

// table holds the last number given to a row of a kind, and the last row of it
// that is in the search index.
type table struct{ last, indexed int64 }

// kind is the name of a table of messages.
type kind string

const (
	received kind = "received"
	sent     kind = "sent"
)

// of returns the numbers of a kind.
func (n *numbers) of(k kind) *table {
	if k == sent {
		return &n.sent
	}
	return &n.received
}

// job is one write that somebody waits for.
type job struct {
	do    func(*writer) error
	frees bool // it removes something
	err   error
	taken atomic.Bool // by the writer or, to withdraw it, by who waits for it
	done  chan struct{}
}

func openWriter(path, vfs string) (*writer, error) {
	c, err := openConn(path, vfs)
	if err != nil {
		return nil, err
	}
	w := &writer{
		path: path, conn: c, ballast: dbfile.BallastOf(path), wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	err = migrate(c, migrations())
	if err == nil {
		err = w.load()
	}
	if err == nil {
		w.files, err = dbfile.Look(path)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return w, nil
}

// load finds out which numbers were given: the last that is there, unless a
// later one was removed, which the table counter tells.
func (w *writer) load() error {
	const sql = `
		SELECT name, value FROM counter
		UNION ALL SELECT 'received', max(seq) FROM received
		UNION ALL SELECT 'sent', max(seq) FROM sent
		UNION ALL SELECT 'attempt', max(number) FROM attempt`
	last := make(map[string]int64)
	err := w.conn.query(sql, nil, func(r *row) error {
		name := r.text()
		last[name] = max(last[name], r.int())
		return r.err()
	})
	w.last = numbers{
		received: table{last: last["received"], indexed: last["received indexed"]},
		sent:     table{last: last["sent"], indexed: last["sent indexed"]},
		attempt:  last["attempt"],
	}
	return err
}

// keep writes a number into the counter table.
func (w *writer) keep(name string, value int64) error {
	return w.conn.exec(`INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
		func(b *binder) { b.string(name); b.int(value) })
}

// submit waits until a job was done and is on the disk. If ctx ends before it begins,
// it never does.
func (w *writer) submit(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan struct{})
	if !w.enqueue(j) {
		return errClosed
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-j.done
		return j.err
	}
}

func (w *writer) enqueue(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.waiting = append(w.waiting, j)
	w.signal()
	return true
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// stop lets run end after what waits now, and waits for that. It reports whether
// it was the first to do so.
func (w *writer) stop() bool {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	w.signal()
	w.mu.Unlock()
	<-w.ended
	return first
}

// run writes until stop.
func (w *writer) run() {
	defer close(w.ended)
	w.takeBallast()
	var batch []*job
	for {
		<-w.wake
		for {
			var closed bool
			w.gather()
			batch, closed = w.collect(batch[:0])
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			w.commit(batch)
			clear(batch)
		}
	}
}

// gather lets those who are about to write come, as long as there are any, so
// that they do not miss the flush by a microsecond and wait for a whole one.
// Without it the callers of the last flush would split up into two crowds, of
// which one always waits for the other: half the throughput.
func (w *writer) gather() {
	for n := 0; ; {
		runtime.Gosched()
		w.mu.Lock()
		now := len(w.waiting)
		w.mu.Unlock()
		if now <= n || now >= maxBatch {
			return
		}
		n = now
	}
}

// collect appends to batch what waits and was not withdrawn.
func (w *writer) collect(batch []*job) (_ []*job, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), maxBatch)
	for _, j := range w.waiting[:n] {
		if j.taken.CompareAndSwap(false, true) {
			batch = append(batch, j)
		}
	}
	rest := copy(w.waiting, w.waiting[n:])
	clear(w.waiting[rest:])
	w.waiting = w.waiting[:rest]
	return batch, w.closed && rest == 0
}

// commit does the jobs in one transaction, or, if one of them fails, each in its
// own, so that nobody suffers from the failure of somebody else.
func (w *writer) commit(batch []*job) {
	err := w.transact(batch)
	for i, j := range batch {
		one := err
		if err != nil && len(batch) > 1 {
			one = w.transact(batch[i : i+1])
		}
		if mayBeFull(one) && (j.frees || w.capped) {
			one = w.squeeze(batch[i : i+1])
		}
		j.err = unavailable(w.path, one)
		close(j.done)
	}
}

// transact does the jobs in one transaction: all or nothing.
func (w *writer) transact(batch []*job) error {
	before := w.last
	err := w.conn.exec(`BEGIN IMMEDIATE`, nil)
	for i := 0; err == nil && i < len(batch); i++ {
		err = batch[i].do(w)
	}
	if err == nil && !w.named {
		if err = dbfile.SyncFolder(w.path); err == nil {
			w.named = true
		}
	}
	if err == nil {
		err = w.files.Check()
	}
	if err == nil {
		err = w.conn.exec(`COMMIT`, nil)
	}
	if err != nil {
		w.last = before
		if !w.conn.db.GetAutocommit() {
			// There is no third way out; the next BEGIN tells if this fails.
			_ = w.conn.exec(`ROLLBACK`, nil)
		}
	}
	return err
}

// unavailable wraps errors of the database or the disk as
// messngr.ErrUnavailable, and leaves others alone.
func unavailable(path string, err error) error {
	var code sqlite3.ErrorCode
	var file *fs.PathError
	switch {
	case err == nil:
		return nil
	case noRoom(path, err):
		return fmt.Errorf("store: no room on the disk of %s: %w: %w", path, messngr.ErrUnavailable, err)
	case errors.As(err, &code), errors.As(err, &file):
		return fmt.Errorf("store: %s: %w: %w", path, messngr.ErrUnavailable, err)
	}
	return err
}
