package sqlitestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/ncruces/go-sqlite3"

	"messngr"
	"messngr/store"
)

const (
	insertOrigin = `INSERT INTO origin (origin, seq, id, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`

	insertReceived = `INSERT INTO received (seq, quiet, attempt, ` + messageColumns + `) VALUES (?, ?, ?, ` + messageParameters + `)`

	selectOrigin = `SELECT seq, id, time FROM origin WHERE origin = ?`
)

// Take implements store.Store.
func (s *Store) Take(ctx context.Context, in store.Incoming) (e store.Entry, duplicate bool, err error) {
	if err := check(in.Message); err != nil {
		return e, false, err
	}
	err = s.write(ctx, func(w *writer) error {
		e, duplicate, err = w.take(in)
		return err
	})
	if err != nil {
		return store.Entry{}, false, err
	}
	return e, duplicate, nil
}

// check refuses what could not be found again.
func check(m *messngr.Message) error {
	if m.ID == uuid.Nil || m.Time.IsZero() {
		return errors.New("store: a message without an id or a time")
	}
	return nil
}

func (w *writer) take(in store.Incoming) (e store.Entry, duplicate bool, err error) {
	m, seq := in.Message, w.last.received.last+1
	if in.Origin != "" {
		err := w.conn.exec(insertOrigin, func(b *binder) {
			b.string(string(in.Origin))
			b.int(seq)
			b.id(m.ID)
			b.int(m.Time.UnixMicro())
		})
		if err != nil {
			return e, false, err
		}
		if w.conn.db.Changes() == 0 {
			e, err = w.conn.first(in.Origin)
			return e, true, err
		}
	}
	err = w.conn.exec(insertReceived, func(b *binder) {
		b.int(seq)
		b.bool(in.Quiet)
		b.optional(in.Attempt)
		b.message(m)
	})
	if err != nil {
		return e, false, idError(m.ID, err)
	}
	w.last.received.last = seq
	return store.Entry{Seq: seq, Message: m, Quiet: in.Quiet, Attempt: in.Attempt}, false, nil
}

// idError names the id that was there already.
func idError(id messngr.ID, err error) error {
	if errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) {
		// Not the store's failure, so not an unavailable one.
		return fmt.Errorf("store: message %v is there already", id)
	}
	return err
}

// first returns the entry that a known origin brought.
func (c *conn) first(origin messngr.Origin) (e store.Entry, err error) {
	e.Message = new(messngr.Message)
	err = c.query(selectOrigin, func(b *binder) { b.string(string(origin)) }, func(r *row) error {
		e.Seq, e.Message.ID, e.Message.Time = r.int(), r.id(), r.time()
		return r.err()
	})
	if err != nil {
		return e, err
	}
	kept, err := c.entry(e.Message.ID, "")
	if errors.Is(err, messngr.ErrNotFound) {
		return e, nil // it was deleted in the meantime
	}
	return kept, err
}

// selectEntry selects messages with anybody's marks, and selectReading with those of
// the reader who is parameter 6.
const (
	selectEntry = `SELECT m.seq, quiet, attempt, shown, m.read, m.acknowledged, ` + messageColumns

	selectReading = `SELECT m.seq, quiet, attempt, shown, p.read, p.acknowledged, ` + messageColumns
)

// joinReading stands behind received m for selectReading.
const joinReading = ` LEFT JOIN reading p ON p.seq = m.seq AND p.reader = ?6`

func (r *row) entry() store.Entry {
	return store.Entry{
		Seq: r.int(), Quiet: r.bool(), Attempt: r.int(),
		Shown: r.time(), Read: r.time(), Acknowledged: r.time(),
		Message: r.message(),
	}
}

// entry returns a received message with the marks of a reader, or
// messngr.ErrNotFound.
func (c *conn) entry(id messngr.ID, reader string) (e store.Entry, err error) {
	found := false
	sql := selectEntry + ` FROM received m WHERE id = ?1`
	if reader != "" {
		sql = selectReading + ` FROM received m LEFT JOIN reading p ON p.seq = m.seq AND p.reader = ?2
			WHERE id = ?1 AND p.discarded IS NULL`
	}
	err = c.query(sql, func(b *binder) {
		b.id(id)
		if reader != "" {
			b.string(reader)
		}
	}, func(r *row) error {
		e, found = r.entry(), true
		return r.err()
	})
	if err == nil && !found {
		err = notFound(id)
	}
	return e, err
}

func notFound(id messngr.ID) error {
	return fmt.Errorf("store: message %v: %w", id, messngr.ErrNotFound)
}

// Entry implements store.Store.
func (s *Store) Entry(ctx context.Context, id messngr.ID, reader string) (e store.Entry, err error) {
	err = s.read(ctx, func(c *conn) error {
		e, err = c.entry(id, reader)
		return err
	})
	return e, err
}

// Mark implements store.Store.
func (s *Store) Mark(ctx context.Context, mark store.Mark, reader string, at time.Time, ids ...messngr.ID) (n int, err error) {
	if mark > store.Discarded {
		return 0, fmt.Errorf("store: unknown mark %d", mark)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	ids = distinct(ids)
	write := s.write
	if mark == store.Discarded { // which is how some people delete
		write = s.remove
	}
	err = write(ctx, func(w *writer) error {
		n = 0
		for _, id := range ids {
			there, err := w.mark(mark, reader, at, id)
			if err != nil {
				return err
			}
			if there {
				n++
			}
		}
		return nil
	})
	return n, err
}

// mark marks one message: for its reader first, and then for anybody.
func (w *writer) mark(mark store.Mark, reader string, at time.Time, id messngr.ID) (there bool, err error) {
	bind := func(b *binder) { b.time(at); b.id(id) }
	own, all := markStatements(mark)
	if own != "" {
		if err := w.conn.exec(own, func(b *binder) { bind(b); b.string(reader) }); err != nil {
			return false, err
		}
	}
	err = w.conn.exec(all, bind)
	return w.conn.db.Changes() > 0, err
}

func markStatements(mark store.Mark) (own, all string) {
	const (
		insert   = `INSERT INTO reading (seq, reader, `
		selected = `) SELECT seq, ?3, ?1 FROM received WHERE id = ?2 ON CONFLICT DO UPDATE SET `
	)
	switch mark {
	case store.Shown:
		return "", `UPDATE received SET shown = coalesce(shown, ?1) WHERE id = ?2`
	case store.Read:
		return insert + `read` + selected + `read = coalesce(read, excluded.read)`,
			`UPDATE received SET read = coalesce(read, ?1) WHERE id = ?2`
	case store.Unread:
		return `UPDATE reading SET read = iif(?1, NULL, NULL)
				WHERE seq = (SELECT seq FROM received WHERE id = ?2) AND reader = ?3`,
			`UPDATE received SET read = iif(?1 IS NULL, NULL, (SELECT min(p.read) FROM reading p WHERE p.seq = received.seq))
				WHERE id = ?2`
	case store.Discarded:
		return insert + `discarded` + selected + `discarded = coalesce(discarded, excluded.discarded)`,
			`UPDATE received SET shown = iif(?1, shown, shown) WHERE id = ?2`
	default:
		return insert + `acknowledged` + selected + `acknowledged = coalesce(acknowledged, excluded.acknowledged)`,
			`UPDATE received SET acknowledged = coalesce(acknowledged, ?1) WHERE id = ?2`
	}
}

// Expire implements store.Store.
func (s *Store) Expire(ctx context.Context, at time.Time, attempts ...int64) (ended []store.Entry, err error) {
	const (
		update = `UPDATE received SET expires = ?1 WHERE attempt = ?2 AND coalesce(expires > ?1, TRUE)`
		list   = selectEntry + ` FROM received m WHERE attempt = ?1`
	)
	err = s.write(ctx, func(w *writer) error {
		ended = nil
		for _, attempt := range attempts {
			if err := w.conn.exec(update, func(b *binder) { b.time(at); b.int(attempt) }); err != nil {
				return err
			}
			err := w.conn.query(list, func(b *binder) { b.int(attempt) }, func(r *row) error {
				ended = append(ended, r.entry())
				return r.err()
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(ended, func(a, b store.Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	return slices.CompactFunc(ended, func(a, b store.Entry) bool { return a.Seq == b.Seq }), err
}

// distinct returns ids in their order without repetitions.
func distinct(ids []messngr.ID) []messngr.ID {
	seen := make(map[messngr.ID]bool, len(ids))
	out := make([]messngr.ID, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, ids ...messngr.ID) (n int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	err = s.remove(ctx, func(w *writer) error {
		n, err = w.delete(ids)
		return err
	})
	return n, err
}

func (w *writer) delete(ids []messngr.ID) (int, error) {
	var seqs []int64
	for _, id := range ids {
		err := w.conn.query(`SELECT seq FROM received WHERE id = ?`,
			func(b *binder) { b.id(id) },
			func(r *row) error { seqs = append(seqs, r.int()); return r.err() })
		if err != nil {
			return 0, err
		}
	}
	return w.remove(received, seqs)
}

// remove removes messages by their numbers, and returns how many were there.
// Numbers that are given up this way are never given again.
func (w *writer) remove(k kind, seqs []int64) (n int, err error) {
	bySeq := func(sql string, seq int64) error {
		return w.conn.exec(sql, func(b *binder) { b.int(seq) })
	}
	for _, seq := range seqs {
		if err := bySeq(`DELETE FROM `+string(k)+` WHERE seq = ?`, seq); err != nil {
			return 0, err
		}
		if w.conn.db.Changes() == 0 {
			continue
		}
		n++
		if seq > w.last.of(k).indexed {
			continue
		}
		if err := w.conn.needSearch(); err != nil {
			return 0, err
		}
		if err := bySeq(`DELETE FROM `+k.index()+` WHERE rowid = ?`, seq); err != nil {
			return 0, err
		}
	}
	if n == 0 {
		return 0, nil
	}
	if k == sent {
		if err := w.keep("attempt", w.last.attempt); err != nil {
			return 0, err
		}
	}
	return n, w.keep(string(k), w.last.of(k).last)
}
