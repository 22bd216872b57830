package sqlitestore

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/ncruces/go-sqlite3"

	"messngr"
)

// binder fills the parameters of a statement in their order and keeps the first
// error. Empty values become NULL, which takes no room.
type binder struct {
	stmt *sqlite3.Stmt
	n    int
	err  error
}

func (b *binder) did(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *binder) null() { b.n++; b.did(b.stmt.BindNull(b.n)) }

func (b *binder) int(i int64) { b.n++; b.did(b.stmt.BindInt64(b.n, i)) }

// optional binds a number that has nothing to say if it is 0.
func (b *binder) optional(i int64) {
	if i == 0 {
		b.null()
		return
	}
	b.int(i)
}

func (b *binder) bool(v bool) { b.n++; b.did(b.stmt.BindBool(b.n, v)) }

// string binds s as it is, also if it is empty: for columns that are compared.
func (b *binder) string(s string) { b.n++; b.did(b.stmt.BindText(b.n, s)) }

func (b *binder) text(s string) {
	if s == "" {
		b.null()
		return
	}
	b.string(s)
}

func (b *binder) time(t time.Time) {
	if t.IsZero() {
		b.null()
		return
	}
	b.int(t.UnixMicro())
}

func (b *binder) id(id messngr.ID) {
	if id == uuid.Nil {
		b.null()
		return
	}
	b.n++
	b.did(b.stmt.BindBlob(b.n, id[:]))
}

func (b *binder) addr(a netip.Addr) {
	if !a.IsValid() {
		b.null()
		return
	}
	b.string(a.String())
}

func (b *binder) addrPort(a netip.AddrPort) {
	if !a.IsValid() {
		b.null()
		return
	}
	b.string(a.String())
}

// list binds texts as a JSON array; nil becomes NULL.
func (b *binder) list(texts []string) {
	if texts == nil {
		b.null()
		return
	}
	j, err := json.Marshal(texts)
	b.did(err)
	b.string(string(j))
}

// message binds the columns of messageColumns.
func (b *binder) message(m *messngr.Message) {
	b.id(m.ID)
	b.time(m.Time)
	b.int(int64(m.Level))
	b.bool(m.Drill)
	b.int(int64(m.From.Trust))
	b.text(m.From.Claimed)
	b.text(m.From.Proven)
	b.addr(m.From.Address)
	b.text(m.To)
	b.text(m.Via)
	b.time(m.Expires)
	b.id(m.Replaces)
	b.id(m.InReplyTo)
	b.string(m.Audience)
	b.text(m.Terminal)
	b.text(m.Warning)
	if len(m.Answers) == 0 {
		b.null()
	} else {
		b.list(m.Answers)
	}
	b.text(m.Title)
	b.text(m.Text)
}

// row reads the columns of one row in their order and keeps the first error,
// which err returns.
type row struct {
	stmt *sqlite3.Stmt
	n    int
	bad  error
}

func (r *row) err() error { return r.bad }

func (r *row) did(what string, err error) {
	if err != nil && r.bad == nil {
		r.bad = fmt.Errorf("read %s: %w", what, err)
	}
}

func (r *row) next() int { r.n++; return r.n - 1 }

func (r *row) int() int64 { return r.stmt.ColumnInt64(r.next()) }

func (r *row) bool() bool { return r.int() != 0 }

func (r *row) text() string { return r.stmt.ColumnText(r.next()) }

func (r *row) time() time.Time {
	n := r.next()
	if r.stmt.ColumnType(n) == sqlite3.NULL {
		return time.Time{}
	}
	return time.UnixMicro(r.stmt.ColumnInt64(n)).UTC()
}

func (r *row) id() (id messngr.ID) {
	b := r.stmt.ColumnRawBlob(r.next())
	switch len(b) {
	case 0:
	case len(id):
		copy(id[:], b)
	default:
		r.did("an id", fmt.Errorf("%d bytes", len(b)))
	}
	return id
}

func (r *row) addr() (a netip.Addr) {
	if s := r.text(); s != "" {
		r.did("an address", a.UnmarshalText([]byte(s)))
	}
	return a
}

func (r *row) addrPort() (a netip.AddrPort) {
	if s := r.text(); s != "" {
		r.did("an address", a.UnmarshalText([]byte(s)))
	}
	return a
}

func (r *row) list() (texts []string) {
	if b := r.stmt.ColumnRawText(r.next()); len(b) > 0 {
		r.did("a list", json.Unmarshal(b, &texts))
	}
	return texts
}

// message reads the columns of messageColumns.
func (r *row) message() *messngr.Message {
	var m messngr.Message
	m.ID = r.id()
	m.Time = r.time()
	m.Level = messngr.Level(r.int())
	m.Drill = r.bool()
	m.From.Trust = messngr.Trust(r.int())
	m.From.Claimed = r.text()
	m.From.Proven = r.text()
	m.From.Address = r.addr()
	m.To = r.text()
	m.Via = r.text()
	m.Expires = r.time()
	m.Replaces = r.id()
	m.InReplyTo = r.id()
	m.Audience = r.text()
	m.Terminal = r.text()
	m.Warning = r.text()
	m.Answers = r.list()
	m.Title = r.text()
	m.Text = r.text()
	return &m
}
