package sqlitestore

import (
	"context"
	"math"
	"strings"

	"messngr/store"
)

// Inbox implements store.Store.
func (s *Store) Inbox(ctx context.Context, q store.Query) (entries []store.Entry, err error) {
	if q.Searches() {
		if len(q.Words()) == 0 {
			return nil, nil
		}
		if err := s.index(ctx, received); err != nil {
			return nil, err
		}
	}
	columns, join, where := selectEntry, "", ""
	if q.Reader != "" {
		columns, join = selectReading, joinReading
		where += ` AND p.discarded IS NULL`
	}
	switch {
	case q.Unread && q.Reader != "":
		where += ` AND p.read IS NULL`
	case q.Unread:
		where += ` AND m.read IS NULL`
	}
	if q.Unshown {
		where += ` AND m.shown IS NULL`
	}
	sql := columns + selection(received, join, "audience", &q, where)
	err = s.read(ctx, func(c *conn) error {
		entries = nil
		return c.list(sql, &q, func(r *row) error {
			entries = append(entries, r.entry())
			return r.err()
		})
	})
	return entries, err
}

// selection returns the part of a statement behind the columns, for the
// parameters that list binds. There are few different ones, so that each can
// stay compiled.
func selection(k kind, join, owner string, q *store.Query, where string) string {
	var b strings.Builder
	key := "m.seq"
	if q.Searches() {
		// CROSS JOIN keeps the order: the index leads, in the order of the
		// numbers, and stops as soon as there are enough.
		key = "i.rowid"
		b.WriteString(` FROM ` + k.index() + ` i CROSS JOIN ` + string(k) + ` m ON m.seq = i.rowid` + join + `
			WHERE ` + k.index() + ` MATCH ?5 AND `)
	} else {
		b.WriteString(` FROM ` + string(k) + ` m` + join + ` WHERE `)
	}
	b.WriteString(key + ` > ?1 AND ` + key + ` < ?2`)
	if q.Audiences != nil {
		b.WriteString(` AND m.` + owner + ` IN (SELECT value FROM json_each(?3))`)
	}
	b.WriteString(where + ` ORDER BY ` + key)
	if !q.Oldest {
		b.WriteString(` DESC`)
	}
	b.WriteString(` LIMIT ?4`)
	return b.String()
}

// readerParameter is the number of the parameter of joinReading.
const readerParameter = 6

// list runs a statement that ends in a selection.
func (c *conn) list(sql string, q *store.Query, each func(*row) error) error {
	if q.Searches() {
		if err := c.needSearch(); err != nil {
			return err
		}
	}
	before := q.Before
	if before == 0 {
		before = math.MaxInt64
	}
	return c.query(sql, func(b *binder) {
		b.int(q.After)
		b.int(before)
		b.list(q.Audiences)
		b.int(int64(q.Max()))
		if q.Searches() {
			b.string(match(q.Words()))
		}
		if q.Reader != "" {
			b.n = readerParameter - 1
			b.string(q.Reader)
		}
	}, each)
}

// Counts implements store.Store. What a person has not read is what is left when the
// messages that the person has read or discarded are taken away: those are found without
// looking at all others.
func (s *Store) Counts(ctx context.Context, audiences []string, reader string) (total, unread int, err error) {
	const among = ` WHERE (?1 IS NULL OR m.audience IN (SELECT value FROM json_each(?1)))`
	sql := `SELECT count(*), count(m.read) FROM received m` + among
	if reader != "" {
		const mine = `(SELECT count(*) FROM reading p CROSS JOIN received m USING (seq)` + among + ` AND p.reader = ?2 AND `
		sql = `SELECT count(*) - ` + mine + `p.discarded IS NOT NULL), ` +
			mine + `p.read IS NOT NULL AND p.discarded IS NULL) FROM received m` + among
	}
	err = s.read(ctx, func(c *conn) error {
		return c.query(sql, func(b *binder) {
			b.list(audiences)
			if reader != "" {
				b.string(reader)
			}
		}, func(r *row) error {
			total = int(r.int())
			unread = total - int(r.int())
			return r.err()
		})
	})
	return total, unread, err
}

// match returns the words as an expression of FTS5: strings, in which nothing
// but the quote has a meaning, that all have to be there; of the last one the
// beginning is enough.
func match(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(`"` + strings.ReplaceAll(w, `"`, `""`) + `" `)
	}
	b.WriteString(`*`)
	return b.String()
}
