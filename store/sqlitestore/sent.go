package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"messngr"
	"messngr/store"
)

const (
	insertSent = `INSERT INTO sent (seq, owner, wait, ` + messageColumns + `) VALUES (?, ?, ?, ` + messageParameters + `)`

	insertRecipient = `INSERT INTO recipient (sent, number, name, device, address, device_group, via, open)
		VALUES (?, ?, ?, ?, ?, ?, ?, TRUE)`

	selectRecipients = `SELECT name, device, address, device_group, via FROM recipient WHERE sent = ? ORDER BY number`

	selectAttempts = `SELECT number, recipient, via, began, ended, state, address, detail, lossy, failure, code
		FROM attempt WHERE sent = ? ORDER BY number`

	insertAttempt = `INSERT INTO attempt (number, sent, recipient, via, began, state, lossy)
		SELECT ?, r.sent, r.number, ?, ?, 0, FALSE FROM sent m JOIN recipient r ON r.sent = m.seq
		WHERE m.id = ? AND r.number = ?`

	updateAttempt = `UPDATE attempt SET ended = ?, via = coalesce(?, via), state = ?, address = ?,
		detail = ?, lossy = ?, failure = ?, code = ? WHERE number = ?`
)

// Queue implements store.Store.
func (s *Store) Queue(ctx context.Context, out store.Outgoing) error {
	if err := check(out.Message); err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error { return w.queue(out) })
}

func (w *writer) queue(out store.Outgoing) error {
	seq := w.last.sent.last + 1
	err := w.conn.exec(insertSent, func(b *binder) {
		b.int(seq)
		b.string(out.Owner)
		b.bool(out.Wait)
		b.message(out.Message)
	})
	if err != nil {
		return idError(out.Message.ID, err)
	}
	for i, r := range out.Recipients {
		err := w.conn.exec(insertRecipient, func(b *binder) {
			b.int(seq)
			b.int(int64(i))
			b.text(r.To)
			b.text(r.Device.Name)
			b.addr(r.Device.Address)
			b.bool(r.Device.Group)
			b.text(r.Via)
		})
		if err != nil {
			return err
		}
	}
	w.last.sent.last = seq
	return nil
}

const selectSent = `SELECT m.seq, owner, wait, ` + messageColumns

func (r *row) outgoing() store.Outgoing {
	return store.Outgoing{Seq: r.int(), Owner: r.text(), Wait: r.bool(), Message: r.message()}
}

// Sent implements store.Store.
func (s *Store) Sent(ctx context.Context, q store.Query) ([]store.Outgoing, error) {
	if q.Searches() {
		if len(q.Words()) == 0 {
			return nil, nil
		}
		if err := s.index(ctx, sent); err != nil {
			return nil, err
		}
	}
	sql := selectSent + selection(sent, "", "owner", &q, "")
	return s.readSent(ctx, func(c *conn, each func(*row) error) error { return c.list(sql, &q, each) })
}

// SentMessage implements store.Store.
func (s *Store) SentMessage(ctx context.Context, id messngr.ID) (store.Outgoing, error) {
	list, err := s.readSent(ctx, func(c *conn, each func(*row) error) error {
		return c.query(selectSent+` FROM sent m WHERE id = ?`, func(b *binder) { b.id(id) }, each)
	})
	if err == nil && len(list) == 0 {
		err = notFound(id)
	}
	if err != nil {
		return store.Outgoing{}, err
	}
	return list[0], nil
}

// Pending implements store.Store.
func (s *Store) Pending(ctx context.Context) ([]store.Outgoing, error) {
	return s.readSent(ctx, func(c *conn, each func(*row) error) error {
		return c.query(selectSent+` FROM sent m WHERE seq IN (SELECT sent FROM recipient WHERE open) ORDER BY seq`, nil, each)
	})
}

// readSent returns the sent messages whose rows run finds, with their recipients.
func (s *Store) readSent(ctx context.Context, run func(c *conn, each func(*row) error) error) (list []store.Outgoing, err error) {
	err = s.read(ctx, func(c *conn) error {
		list = nil
		err := run(c, func(r *row) error {
			list = append(list, r.outgoing())
			return r.err()
		})
		if err != nil {
			return err
		}
		return c.complete(list)
	})
	return list, err
}

// complete reads the recipients of the messages and their attempts.
func (c *conn) complete(list []store.Outgoing) error {
	for i := range list {
		var err error
		if list[i].Recipients, err = c.recipients(list[i].Seq, list[i].Message.ID); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) recipients(seq int64, id messngr.ID) (list []store.Recipient, err error) {
	bySeq := func(b *binder) { b.int(seq) }
	err = c.query(selectRecipients, bySeq, func(r *row) error {
		list = append(list, store.Recipient{
			To:     r.text(),
			Device: messngr.Device{Name: r.text(), Address: r.addr(), Group: r.bool()},
			Via:    r.text(),
		})
		return r.err()
	})
	if err != nil {
		return nil, err
	}
	err = c.query(selectAttempts, bySeq, func(r *row) error {
		a := r.attempt(id)
		if err := r.err(); err != nil {
			return err
		}
		if a.Recipient < 0 || a.Recipient >= len(list) {
			return fmt.Errorf("attempt %d to recipient %d of %d", a.Number, a.Recipient, len(list))
		}
		to := &list[a.Recipient]
		to.Attempts = append(to.Attempts, a)
		return nil
	})
	return list, err
}

func (r *row) attempt(id messngr.ID) store.Attempt {
	return store.Attempt{
		Message: id,
		Number:  r.int(), Recipient: int(r.int()), Via: r.text(),
		Began: r.time(), Ended: r.time(),
		Evidence: messngr.Evidence{
			State: messngr.State(r.int()), Address: r.addrPort(), Detail: r.text(), Lossy: r.bool(),
		},
		Failure: r.text(), Code: r.text(),
	}
}

// Begin implements store.Store.
func (s *Store) Begin(ctx context.Context, a store.Attempt) (number int64, err error) {
	if a.Began.IsZero() {
		return 0, errors.New("store: an attempt at no time")
	}
	err = s.write(ctx, func(w *writer) error {
		number, err = w.begin(a)
		return err
	})
	if err != nil {
		return 0, err
	}
	return number, nil
}

func (w *writer) begin(a store.Attempt) (int64, error) {
	number := w.last.attempt + 1
	err := w.conn.exec(insertAttempt,
		func(b *binder) {
			b.int(number)
			b.text(a.Via)
			b.time(a.Began)
			b.id(a.Message)
			b.int(int64(a.Recipient))
		})
	if err != nil {
		return 0, err
	}
	if w.conn.db.Changes() == 0 {
		return 0, fmt.Errorf("store: recipient %d of message %v: %w", a.Recipient, a.Message, messngr.ErrNotFound)
	}
	w.last.attempt = number
	return number, w.reopen(number)
}

// Finish implements store.Store.
func (s *Store) Finish(ctx context.Context, a store.Attempt) error {
	if a.Ended.IsZero() {
		return errors.New("store: an attempt that ended at no time")
	}
	return s.write(ctx, func(w *writer) error { return w.finish(a) })
}

func (w *writer) finish(a store.Attempt) error {
	known, there := store.Attempt{}, false
	err := w.conn.query(`SELECT ended, state FROM attempt WHERE number = ?`,
		func(b *binder) { b.int(a.Number) },
		func(r *row) error {
			known.Ended, known.Evidence.State, there = r.time(), messngr.State(r.int()), true
			return r.err()
		})
	switch {
	case err != nil:
		return err
	case !there:
		return fmt.Errorf("store: attempt %d: %w", a.Number, messngr.ErrNotFound)
	case !known.Yields(a.Evidence.State):
		return nil
	}
	err = w.conn.exec(updateAttempt, func(b *binder) {
		b.time(a.Ended)
		b.text(a.Via)
		b.int(int64(a.Evidence.State))
		b.addrPort(a.Evidence.Address)
		b.text(a.Evidence.Detail)
		b.bool(a.Evidence.Lossy)
		b.text(a.Failure)
		b.text(a.Code)
		b.int(a.Number)
	})
	if err != nil {
		return err
	}
	return w.reopen(a.Number)
}

// reopen writes down whether the recipient of an attempt is open, as
// store.Recipient.Open says, so that Pending finds it without reading all.
func (w *writer) reopen(attempt int64) error {
	var to store.Recipient
	err := w.conn.query(`SELECT ended, state FROM attempt
			WHERE (sent, recipient) = (SELECT sent, recipient FROM attempt WHERE number = ?) ORDER BY number`,
		func(b *binder) { b.int(attempt) },
		func(r *row) error {
			a := store.Attempt{Ended: r.time()}
			a.Evidence.State = messngr.State(r.int())
			to.Attempts = append(to.Attempts, a)
			return r.err()
		})
	if err != nil {
		return err
	}
	return w.conn.exec(`UPDATE recipient SET open = ?1
			WHERE (sent, number) = (SELECT sent, recipient FROM attempt WHERE number = ?2) AND open <> ?1`,
		func(b *binder) { b.bool(to.Open()); b.int(attempt) })
}
