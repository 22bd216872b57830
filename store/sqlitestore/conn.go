package sqlitestore

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
)

// conn is one connection to the database with its prepared statements. Each
// connection is a SQLite of its own, about 0.3 MB, and serves one goroutine at
// a time.
type conn struct {
	db    *sqlite3.Conn
	stmts map[string]*sqlite3.Stmt
	fts   bool
}

// pragmas set up a connection. What the store promises is a flush of the log
// before each commit returns, on macOS one that goes through to the medium.
// Temporary files would be written outside of the database's directory. The
// cache is small, since what a service does with messages touches few pages, and
// the log is cut back after a burst.
const pragmas = `
PRAGMA busy_timeout = 5000;
PRAGMA synchronous = FULL;
PRAGMA fullfsync = TRUE;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -512;
PRAGMA journal_size_limit = 8388608;
`

func openConn(path, vfs string) (*conn, error) {
	// An absolute path, and escaped, so that no character of it is taken for a
	// part of the URI.
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
	if uri.Path[0] != '/' { // a drive letter: file:///C:/...
		uri.Path = "/" + uri.Path
	}
	// Files that SQLite creates beside the database get the database's mode.
	query := url.Values{"modeof": {abs}}
	if vfs != "" {
		query.Set("vfs", vfs)
	}
	uri.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	db, err := sqlite3.OpenFlags(uri.String(), sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err != nil {
		return nil, err
	}
	if err := db.Exec(pragmas); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// Otherwise a statement is compiled again whenever another value is bound to it
	// that might have its part in the choice of a plan.
	if _, err := db.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &conn{db: db, stmts: make(map[string]*sqlite3.Stmt)}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.Close() // repeats the error of its last run, which was reported
	}
	return c.db.Close()
}

// needSearch makes the search index usable on this connection. It costs 0.2 ms
// and some memory, which connections that never search are spared.
func (c *conn) needSearch() error {
	if c.fts {
		return nil
	}
	err := fts5.Register(c.db)
	c.fts = err == nil
	return err
}

// prepare returns the statement of a text, which is compiled once.
func (c *conn) prepare(sql string) (*sqlite3.Stmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	s, tail, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	if tail != "" {
		return nil, fmt.Errorf("more than one statement in %q", sql)
	}
	c.stmts[sql] = s
	return s, nil
}

// exec runs a statement that returns no rows; bind may be nil.
func (c *conn) exec(sql string, bind func(*binder)) error {
	return c.query(sql, bind, nil)
}

// query runs a statement and calls each for every row it returns.
func (c *conn) query(sql string, bind func(*binder), each func(*row) error) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	if bind != nil {
		b := binder{stmt: s}
		if bind(&b); b.err != nil {
			return b.err
		}
	}
	if each == nil {
		return s.Exec()
	}
	for s.Step() {
		r := row{stmt: s}
		if err := each(&r); err != nil {
			_ = s.Reset()
			return err
		}
	}
	if err := s.Err(); err != nil {
		_ = s.Reset() // repeats err
		return err
	}
	return s.Reset()
}
