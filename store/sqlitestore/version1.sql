-- The last numbers that were given, so that none is used twice; written when
-- the row that holds the last number may vanish. "indexed" is the last row that
-- is in the search index.
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE received (
	seq         INTEGER PRIMARY KEY,
	quiet       INTEGER NOT NULL,
	attempt     INTEGER,                   -- attempt.number, if it was sent from here
	shown       INTEGER, read INTEGER, acknowledged INTEGER,
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
) STRICT;

-- Origins outlive the messages that they brought.
CREATE TABLE origin (
	origin TEXT PRIMARY KEY,
	seq    INTEGER NOT NULL,
	id     BLOB NOT NULL,
	time   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sent (
	seq         INTEGER PRIMARY KEY,
	owner       TEXT NOT NULL,
	wait        INTEGER NOT NULL,
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
