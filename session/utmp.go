package session

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"
)

// The layout of a record of utmp(5), in the byte order of the machine. Most
// systems write times of 32 bits, also where a long has 64; glibc on arm64 is
// the exception (bits/utmp.h, __WORDSIZE_TIME64_COMPAT32).
//
//	offset   0  type int16, 2 bytes of padding
//	         4  pid int32
//	         8  line [32]
//	        40  id [4]
//	        44  user [32]
//	        76  host [256]
//	       332  exit status 2 x int16
//	       336  session int32    time int32 s, int32 µs    address [16]  reserved [20]    384 bytes
//	       336  session int64    time int64 s, int64 µs    address [16]  reserved [20]    400 bytes
const (
	utmpRecord32 = 384
	utmpRecord64 = 400

	utmpUser = 7 // ut_type USER_PROCESS
)

// entry is a login that utmp tells of.
type entry struct {
	pid              int
	line, user, host string
	since            time.Time
}

// parseUtmp returns the logins in a utmp file. What is no record of a login is
// passed over: the file is written by many programs, and read while they write.
func parseUtmp(b []byte, record int) []entry {
	var entries []entry
	for ; len(b) >= record; b = b[record:] {
		if binary.NativeEndian.Uint16(b) != utmpUser {
			continue
		}
		e := entry{
			pid:  int(int32(binary.NativeEndian.Uint32(b[4:]))),
			line: field(b[8:40]),
			user: printable(field(b[44:76])),
			host: remote(field(b[76:332])),
		}
		if record == utmpRecord64 {
			e.since = time.Unix(int64(binary.NativeEndian.Uint64(b[344:])), 0)
		} else {
			e.since = time.Unix(int64(binary.NativeEndian.Uint32(b[340:])), 0)
		}
		if e.pid > 0 && e.user != "" {
			entries = append(entries, e)
		}
	}
	return entries
}

// utmpRecord finds out the length of the records from the length of the file;
// usual decides where both would fit.
func utmpRecord(size, usual int) int {
	other := utmpRecord32 + utmpRecord64 - usual
	if size%usual != 0 && size%other == 0 {
		return other
	}
	return usual
}

// remote returns the name or address of another host, or "" for what else is
// written in its place, such as ":0" and "tmux(18148).%0".
func remote(host string) string {
	if strings.HasPrefix(host, ":") || strings.ContainsAny(host, "( )") {
		return ""
	}
	return printable(host)
}

// field is the text up to the first zero byte.
func field(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}

// session turns an entry into a Session without what only the system knows.
func (e entry) session() Session {
	s := Session{User: e.user, UID: -1, Since: e.since, Remote: e.host}
	if strings.HasPrefix(e.line, ":") {
		s.Display = printable(e.line)
	} else {
		s.TTY = terminal(e.line)
	}
	return s
}
