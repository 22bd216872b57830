package sqlitestore

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/ncruces/go-sqlite3"
)

// applicationID marks our databases among those of other programs ("MSGR").
const applicationID = 0x4d534752

// migrations[i] brings a database of version i to version i+1. Versions that
// were released are never changed: a new one is added at the end, and a database
// of the version before it is kept in testdata.
func migrations() []string { return []string{version1, version2} }

// messageColumns are the columns of a messngr.Message, in the order in which
// binder.message and row.message take them. The long ones come last, so that
// the others are found without them.
const messageColumns = `id, time, level, drill, trust, claimed, proven, address, recipient, via,
	expires, replaces, in_reply_to, audience, terminal, warning, answers, title, text`

// messageParameters has a ? for each of messageColumns.
const messageParameters = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`

const messageDefinition = `
	id          BLOB NOT NULL UNIQUE,      -- UUID, 16 bytes
	time        INTEGER NOT NULL,          -- as every time: microseconds since 1970 UTC
	level       INTEGER NOT NULL,          -- messngr.Level
	drill       INTEGER NOT NULL,
	trust       INTEGER NOT NULL,          -- messngr.Trust
	claimed     TEXT, proven TEXT, address TEXT,
	recipient   TEXT,                      -- messngr.Message.To
	via         TEXT,
	expires     INTEGER,
	replaces    BLOB, in_reply_to BLOB,
	audience    TEXT NOT NULL, terminal TEXT,
	warning     TEXT,
	answers     TEXT,                      -- JSON array
	title       TEXT,
	text        TEXT
`

const version1 = `
-- The last numbers that were given, so that none is used twice; written when
-- the row that holds the last number may vanish. "indexed" is the last row that
-- is in the search index.
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE received (
	seq          INTEGER PRIMARY KEY,
	quiet        INTEGER NOT NULL,
	attempt      INTEGER,                    -- attempt.number, if it was sent from here
	shown        INTEGER, read INTEGER, acknowledged INTEGER,` + messageDefinition + `
) STRICT;

-- Origins outlive the messages that they brought.
CREATE TABLE origin (
	origin TEXT PRIMARY KEY,
	seq    INTEGER NOT NULL,
	id     BLOB NOT NULL,
	time   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sent (
	seq   INTEGER PRIMARY KEY,
	owner TEXT NOT NULL,
	wait  INTEGER NOT NULL,` + messageDefinition + `
) STRICT;

CREATE TABLE recipient (
	sent         INTEGER NOT NULL REFERENCES sent ON DELETE CASCADE,
	number       INTEGER NOT NULL,           -- from 0
	name         TEXT,                       -- store.Recipient.To
	device       TEXT, address TEXT, device_group INTEGER NOT NULL,
	via          TEXT,
	open         INTEGER NOT NULL,           -- store.Recipient.Open
	PRIMARY KEY (sent, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX recipient_open ON recipient (sent) WHERE open;

CREATE TABLE attempt (
	number    INTEGER PRIMARY KEY,
	sent      INTEGER NOT NULL,
	recipient INTEGER NOT NULL,
	via       TEXT,
	began     INTEGER NOT NULL, ended INTEGER,
	state     INTEGER NOT NULL,              -- messngr.State
	address   TEXT,
	detail    TEXT,
	lossy     INTEGER NOT NULL,
	failure   TEXT,
	code      TEXT,                          -- messngr.Code
	FOREIGN KEY (sent, recipient) REFERENCES recipient ON DELETE CASCADE
) STRICT;
CREATE INDEX attempt_recipient ON attempt (sent, recipient);

CREATE TABLE setting (
	kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
	PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- The index holds no copy of the texts; its rows have the seq of the messages.
CREATE VIRTUAL TABLE received_index USING fts5 (
	senders, recipients, titles, texts,
	content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE sent_index USING fts5 (
	senders, recipients, titles, texts,
	content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
`

// In version1 there was one reader for all; received.read and .acknowledged are now
// those of whoever came first.
const version2 = `
CREATE TABLE reading (
	seq    INTEGER NOT NULL REFERENCES received ON DELETE CASCADE,
	reader TEXT NOT NULL,                    -- login name
	read   INTEGER, acknowledged INTEGER, discarded INTEGER,
	PRIMARY KEY (seq, reader)
) STRICT, WITHOUT ROWID;
CREATE INDEX reading_reader ON reading (reader, read);
INSERT INTO reading SELECT seq, audience, read, acknowledged, NULL FROM received
	WHERE audience <> '' AND (read IS NOT NULL OR acknowledged IS NOT NULL);
`

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
	case errors.Is(err, sqlite3.BUSY):
		return fmt.Errorf("store: another program uses %s: %w", path, err)
	}
	return fmt.Errorf("store: open %s: %w", path, err)
}
