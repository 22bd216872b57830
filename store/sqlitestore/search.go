package sqlitestore

import "context"

// indexBatch is how many messages one transaction puts into the search index:
// enough to make it worth a flush, few enough not to keep messages that come in
// waiting for long.
const indexBatch = 500

// index is the name of the search index of a kind.
func (k kind) index() string { return string(k) + "_index" }

// index brings the search index of a kind up to what is there now. Messages are
// put into it late, because that is far cheaper for many together than for each
// by itself, and because most messages are never searched.
func (s *Store) index(ctx context.Context, k kind) error {
	for goal := int64(-1); ; {
		done := false
		err := s.write(ctx, func(w *writer) (err error) {
			if goal < 0 {
				goal = w.last.of(k).last
			}
			if done = w.last.of(k).indexed >= goal; !done {
				err = w.indexMore(k)
			}
			return err
		})
		if done || err != nil {
			return err
		}
	}
}

// indexMore puts the next messages into the index.
func (w *writer) indexMore(k kind) error {
	if err := w.conn.needSearch(); err != nil {
		return err
	}
	t := w.last.of(k)
	from, to := t.indexed, t.last
	// Numbers have gaps, which may be long after a flood was deleted.
	err := w.conn.query(`SELECT seq FROM `+string(k)+` WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ?`,
		func(b *binder) { b.int(from); b.int(indexBatch - 1) },
		func(r *row) error { to = r.int(); return r.err() })
	if err != nil {
		return err
	}
	err = w.conn.exec(k.indexStatement(), func(b *binder) { b.int(from); b.int(to) })
	if err != nil {
		return err
	}
	t.indexed = to
	return w.keep(string(k)+" indexed", to)
}

func (k kind) indexStatement() string {
	recipients := `m.recipient`
	if k == sent {
		recipients = `concat_ws(' ', m.recipient, (SELECT group_concat(r.name, ' ') FROM recipient r WHERE r.sent = m.seq))`
	}
	return `INSERT INTO ` + k.index() + ` (rowid, senders, recipients, titles, texts)
		SELECT m.seq, concat_ws(' ', m.claimed, m.proven), ` + recipients + `, m.title, m.text
		FROM ` + string(k) + ` m WHERE m.seq > ?1 AND m.seq <= ?2`
}
