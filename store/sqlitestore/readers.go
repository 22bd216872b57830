package sqlitestore

import (
	"context"
	"errors"
	"sync"
)

// maxReaders is how many can read at the same time; the others wait.
const maxReaders = 2

// readers are the connections for reading. They are opened when they are needed
// for the first time and kept.
type readers struct {
	path, vfs string
	idle      chan *conn // nil stands for one that was not opened yet
	once      sync.Once
	closed    chan struct{}
}

func newReaders(path, vfs string) *readers {
	r := &readers{path: path, vfs: vfs, idle: make(chan *conn, maxReaders), closed: make(chan struct{})}
	for range maxReaders {
		r.idle <- nil
	}
	return r
}

// do runs do in a read transaction, which it interrupts when ctx ends.
func (r *readers) do(ctx context.Context, do func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *conn
	select {
	case c = <-r.idle:
	case <-r.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { r.idle <- c }()
	if c == nil {
		var err error
		if c, err = openReader(r.path, r.vfs); err != nil {
			return unavailable(r.path, err)
		}
	}
	err := c.snapshot(ctx, do)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // which is why it was interrupted
	}
	return unavailable(r.path, err)
}

func openReader(path, vfs string) (*conn, error) {
	c, err := openConn(path, vfs)
	if err != nil {
		return nil, err
	}
	if err := c.db.Exec(`PRAGMA query_only = TRUE`); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// snapshot runs do in a transaction.
func (c *conn) snapshot(ctx context.Context, do func(*conn) error) error {
	if err := c.exec(`BEGIN`, nil); err != nil {
		return err
	}
	was := c.db.SetInterrupt(ctx)
	err := do(c)
	c.db.SetInterrupt(was)
	return errors.Join(err, c.exec(`ROLLBACK`, nil))
}

// close waits for who reads and closes the connections.
func (r *readers) close() (err error) {
	r.once.Do(func() {
		close(r.closed)
		for range maxReaders {
			if c := <-r.idle; c != nil {
				err = errors.Join(err, c.close())
			}
		}
	})
	return err
}
