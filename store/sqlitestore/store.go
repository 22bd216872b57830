// Package sqlitestore keeps messages in one SQLite database file, flushed to
// the disk before anybody is told that they are kept.
//
// One goroutine writes: everything that waits for it shares a transaction and
// one flush (see writer.go). Reading happens on a small pool of connections and
// never waits for the writer. The search index is brought up to date when
// somebody searches (see search.go), not when a message comes in.
package sqlitestore

import (
	"context"
	"errors"
	"os"

	"messngr/store"
	"messngr/store/sqlitestore/dbfile"
)

// Store is a store.Store in a database file. Open returns it.
type Store struct {
	lock    *os.File
	writer  *writer
	readers *readers
}

var _ store.Store = (*Store)(nil)

// Open opens the database file at path, or creates it with mode 0600, in a
// directory that is created with mode 0700 if it is missing. A database of an
// older version is brought up to date.
//
// It returns an error, and leaves everything as it was, if another process or
// another Store uses the file, if a newer version wrote it, or if it is damaged
// or no database of messages at all.
func Open(path string) (*Store, error) { return open(path, "") }

// open lets vfs, one of SQLite's virtual file systems, stand between the
// database and the disk; "" is the plain one.
func open(path, vfs string) (_ *Store, err error) {
	lock, err := dbfile.Lock(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = lock.Close() // the error that counts is already there
		}
	}()
	if err := dbfile.Prepare(path); err != nil {
		return nil, err
	}
	w, err := openWriter(path, vfs)
	if noRoom(path, err) {
		w, err = openFull(path, vfs)
	}
	if err != nil {
		return nil, explain(path, err)
	}
	go w.run()
	return &Store{lock: lock, writer: w, readers: newReaders(path, vfs)}, nil
}

// Close waits for the writers that were there before it and closes the file.
func (s *Store) Close() error {
	if !s.writer.stop() {
		return nil
	}
	err := s.readers.close()
	return errors.Join(err, s.writer.conn.close(), s.lock.Close())
}

// write runs do in a transaction of the writer and returns when what it did is
// on the disk. do may run more than once, and must set its results anew.
func (s *Store) write(ctx context.Context, do func(*writer) error) error {
	return s.writer.submit(ctx, &job{do: do})
}

// remove is write for what makes room: it works on a full disk too.
func (s *Store) remove(ctx context.Context, do func(*writer) error) error {
	return s.writer.submit(ctx, &job{do: do, frees: true})
}

// read runs do on a connection of its own, in a transaction that sees one state
// of the database.
func (s *Store) read(ctx context.Context, do func(*conn) error) error {
	return s.readers.do(ctx, do)
}
