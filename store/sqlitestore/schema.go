package sqlitestore

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"

	"github.com/ncruces/go-sqlite3"
)

// applicationID marks our databases among those of other programs ("MSGR").
const applicationID = 0x4d534752

// Versions that were released are never changed: a new one is added, and a database of
// the version before it is kept in testdata.
var (
	//go:embed version1.sql
	version1 string
	//go:embed version2.sql
	version2 string
)

// migrations lists the steps: migrations()[i] brings a database of version i to i+1.
func migrations() []string { return []string{version1, version2} }

// messageColumns are the columns of a messngr.Message, in the order in which
// binder.message and row.message take them. The long ones come last, so that
// the others are found without them.
const messageColumns = `id, time, level, drill, trust, claimed, proven, address, recipient, via,
	expires, replaces, in_reply_to, audience, terminal, warning, answers, title, text`

// messageParameters has a ? for each of messageColumns.
const messageParameters = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`

// migrate brings the database to the version that has all steps, each in a
// transaction of its own. It writes nothing if there is nothing to do.
func migrate(c *conn, steps []string) error {
	version, err := c.pragma("user_version")
	if err != nil {
		return err
	}
	if version > int64(len(steps)) {
		return fmt.Errorf("it has version %d, and this program knows versions up to %d: a newer messngr wrote it",
			version, len(steps))
	}
	if err := c.checkOwner(version); err != nil {
		return err
	}
	for ; version < int64(len(steps)); version++ {
		if err := c.upgrade(steps[version], version+1); err != nil {
			return fmt.Errorf("upgrade to version %d: %w", version+1, err)
		}
	}
	return nil
}

// checkOwner refuses a database that another program made.
func (c *conn) checkOwner(version int64) error {
	id, err := c.pragma("application_id")
	if err != nil || id == applicationID {
		return err
	}
	tables := int64(0)
	err = c.query(`SELECT count(*) FROM sqlite_schema`, nil, func(r *row) error {
		tables = r.int()
		return r.err()
	})
	if err == nil && (version != 0 || tables != 0) {
		err = errors.New("it is a database of another program")
	}
	return err
}

func (c *conn) upgrade(step string, version int64) (err error) {
	// The log has to be in use before there is anything to be lost, and it
	// cannot be chosen inside of a transaction.
	if err := c.db.Exec(`PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	if err := c.needSearch(); err != nil {
		return err
	}
	tx, err := c.db.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	return c.db.Exec(step + `;
		PRAGMA application_id = ` + strconv.Itoa(applicationID) + `;
		PRAGMA user_version = ` + strconv.FormatInt(version, 10))
}

func (c *conn) pragma(name string) (value int64, err error) {
	err = c.query(`PRAGMA `+name, nil, func(r *row) error {
		value = r.int()
		return r.err()
	})
	return value, err
}

// explain says what an error of opening means for the person who reads it.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, sqlite3.NOTADB), errors.Is(err, sqlite3.CORRUPT):
		return fmt.Errorf("store: %s is damaged or no database, and was left as it is; "+
			"put a copy in its place, or move it and its -wal file away to start with an empty one: %w", path, err)
	case noRoom(path, err):
		return fmt.Errorf("store: no room on the disk of %s, not even to open it: %w", path, err)
	case errors.Is(err, sqlite3.BUSY):
		return fmt.Errorf("store: another program uses %s: %w", path, err)
	}
	return fmt.Errorf("store: open %s: %w", path, err)
}
