package sqlitestore

import (
	"context"
	"slices"
	"time"

	"messngr/store"
)

// pruneBatch is how much one transaction of Prune removes, so that messages
// that come in meanwhile do not wait for all of it.
const pruneBatch = 200

// Prune implements store.Store.
func (s *Store) Prune(ctx context.Context, r store.Retention, now time.Time) (n int, err error) {
	for _, k := range []kind{received, sent} {
		removed, err := s.pruneMessages(ctx, k, r, now)
		n += removed
		if err != nil {
			return n, err
		}
	}
	if err := s.pruneOrigins(ctx, now.Add(-store.OriginAge)); err != nil {
		return n, err
	}
	return n, s.write(ctx, func(w *writer) error {
		w.takeBallast() // if it was given up, and there is room again
		return nil
	})
}

// pruneMessages finds what is too old or too much without keeping the writer
// from its work, and removes it in portions.
func (s *Store) pruneMessages(ctx context.Context, k kind, keep store.Retention, now time.Time) (n int, err error) {
	if keep.Age <= 0 && keep.Count <= 0 {
		return 0, nil
	}
	sql := `SELECT seq FROM ` + string(k) + ` WHERE (
		time < ?1 AND seq < coalesce((SELECT seq FROM ` + string(k) + ` WHERE time BETWEEN ?1 AND ?3 ORDER BY seq LIMIT 1), 1 << 62) OR
		seq <= (SELECT seq FROM ` + string(k) + ` ORDER BY seq DESC LIMIT 1 OFFSET ?2))`
	if k == sent {
		sql += ` AND seq NOT IN (SELECT sent FROM recipient WHERE open)`
	}
	var seqs []int64
	err = s.read(ctx, func(c *conn) error {
		return c.query(sql, func(b *binder) {
			if keep.Age > 0 {
				b.int(now.Add(-keep.Age).UnixMicro())
			} else {
				b.null()
			}
			if keep.Count > 0 {
				b.int(int64(keep.Count))
			} else {
				b.int(1 << 62)
			}
			b.time(now)
		}, func(r *row) error {
			seqs = append(seqs, r.int())
			return r.err()
		})
	})
	if err != nil {
		return 0, err
	}
	for portion := range slices.Chunk(seqs, pruneBatch) {
		removed := 0
		err := s.remove(ctx, func(w *writer) (err error) {
			removed, err = w.remove(k, portion)
			return err
		})
		if err != nil {
			return n, err
		}
		n += removed
	}
	return n, nil
}

// pruneOrigins forgets the origins from before a time.
func (s *Store) pruneOrigins(ctx context.Context, before time.Time) error {
	for last := ""; ; {
		var old []string
		err := s.read(ctx, func(c *conn) error {
			old = old[:0]
			return c.query(`SELECT origin FROM origin WHERE origin > ? AND time < ? ORDER BY origin LIMIT ?`,
				func(b *binder) { b.string(last); b.int(before.UnixMicro()); b.int(pruneBatch) },
				func(r *row) error { old = append(old, r.text()); return r.err() })
		})
		if err != nil || len(old) == 0 {
			return err
		}
		last = old[len(old)-1]
		err = s.remove(ctx, func(w *writer) error {
			for _, origin := range old {
				err := w.conn.exec(`DELETE FROM origin WHERE origin = ?`, func(b *binder) { b.string(origin) })
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
