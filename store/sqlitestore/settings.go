package sqlitestore

import "context"

// Settings implements store.Store.
func (s *Store) Settings(ctx context.Context, kind string) (values map[string]string, err error) {
	err = s.read(ctx, func(c *conn) error {
		values = make(map[string]string)
		return c.query(`SELECT key, value FROM setting WHERE kind = ?`,
			func(b *binder) { b.string(kind) },
			func(r *row) error {
				key := r.text()
				values[key] = r.text()
				return r.err()
			})
	})
	return values, err
}

// Set implements store.Store.
func (s *Store) Set(ctx context.Context, kind, key, value string) error {
	return s.write(ctx, func(w *writer) error {
		return w.conn.exec(`INSERT INTO setting (kind, key, value) VALUES (?, ?, ?)
				ON CONFLICT DO UPDATE SET value = excluded.value`,
			func(b *binder) { b.string(kind); b.string(key); b.string(value) })
	})
}

// Unset implements store.Store.
func (s *Store) Unset(ctx context.Context, kind, key string) (was bool, err error) {
	err = s.remove(ctx, func(w *writer) error {
		err := w.conn.exec(`DELETE FROM setting WHERE kind = ? AND key = ?`,
			func(b *binder) { b.string(kind); b.string(key) })
		was = w.conn.db.Changes() > 0
		return err
	})
	return was && err == nil, err
}
