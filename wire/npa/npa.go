// Package npa understands how smbd introduces the client of a named pipe to the program
// that serves the pipe: Samba's named pipe authentication. It is a structure of Samba's
// own, in NDR, that changes with its versions (librpc/idl/named_pipe_auth.idl).
package npa

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"messngr/wire/ndr"
)

// The levels that are known: 4 is that of Samba 4.9 to 4.15, 8 that of Samba since 4.20.
const (
	MinLevel = 4
	MaxLevel = 8
)

// MaxSize is the longest introduction in bytes that is read, without its length.
const MaxSize = 1 << 20

// The limits of what an introduction can say.
const (
	maxText = 1024
	maxSIDs = 4096
	// maxParts is how many numbers a SID has behind its authority.
	maxParts = 15
)

// Well-known SIDs, by which Samba says what it knows of a client.
const (
	Anonymous      = "S-1-5-7"
	Authenticated  = "S-1-5-11"
	Administrators = "S-1-5-32-544"
	Guests         = "S-1-5-32-546"
	unixUsers      = "S-1-22-1-"
)

const magic = "NPAM"

// Client is who has opened a pipe, in smbd's words.
type Client struct {
	// Level is the version of the structure.
	Level uint32
	// Machine is what smbd calls the client's machine. It is no proof of a name.
	Machine string
	// Address is where the client is; the zero value where that is no IP address.
	Address netip.AddrPort
	// SIDs are the client's own and those of its groups.
	SIDs []string
}

// Has reports whether sid is among the client's.
func (c *Client) Has(sid string) bool { return slices.Contains(c.SIDs, sid) }

// Proven reports whether Samba has seen who the client is: guests and those without a name
// have proven nothing.
func (c *Client) Proven() bool {
	return c.Has(Authenticated) && !c.Has(Anonymous) && !c.Has(Guests)
}

// UID returns the user of this host that Samba takes the client for, guests included, and
// -1 if there is none. It is said by a SID, as everything else that is read here: the
// fields behind the SIDs differ between versions with the same level.
func (c *Client) UID() int {
	for _, sid := range c.SIDs {
		if number, ok := strings.CutPrefix(sid, unixUsers); ok {
			if uid, err := strconv.ParseUint(number, 10, 31); err == nil {
				return int(uid)
			}
		}
	}
	return -1
}

// Parse reads an introduction with its length in front:
//
//	 0  length (big-endian) | "NPAM" | level | level again
//	16  transport u8 (since level 5)
//	    machine, address ->, port u16 | this host's name, address ->, port u16
//	    session ->  (-> is a pointer to what follows behind all of this)
//
// The session begins with what is not ours to know, the key of the session for one, until
//
//	number of SIDs | number of SIDs | SIDs
//
// The rest is not read.
func Parse(b []byte) (Client, error) {
	if len(b) < 16 || int64(binary.BigEndian.Uint32(b)) != int64(len(b)-4) || string(b[4:8]) != magic {
		return Client{}, errors.New("npa: not an introduction")
	}
	r := ndr.NewReader(b, false)
	r.Bytes(8)
	c := Client{Level: r.Uint32()}
	if again := r.Uint32(); c.Level < MinLevel || c.Level > MaxLevel || again != c.Level {
		return Client{}, fmt.Errorf("npa: introduction of level %d and %d, known are %d to %d", c.Level, again, MinLevel, MaxLevel)
	}
	if c.Level >= 5 {
		r.Uint8()
		r.Align(4)
	}
	var pointers [5]bool
	var port uint16
	for i := range pointers {
		pointers[i] = r.Uint32() != 0
		if i == 1 {
			port = r.Uint16()
		} else if i == 3 {
			r.Uint16()
		}
		r.Align(4)
	}
	if r.Err() == nil && !pointers[4] {
		return Client{}, errors.New("npa: introduction without a session")
	}
	var texts [4]string
	for i := range texts {
		if pointers[i] {
			texts[i] = string(r.String(maxText))
		}
		if len(texts[i]) >= maxText { // it has no end
			return Client{}, errors.New("npa: text without an end")
		}
	}
	c.Machine = texts[0]
	if addr, err := netip.ParseAddr(texts[1]); err == nil {
		c.Address = netip.AddrPortFrom(addr.Unmap(), port)
	}
	var err error
	if c.SIDs, err = readSession(&r); err != nil {
		return Client{}, fmt.Errorf("npa: %w", err)
	}
	return c, nil
}

// readSession reads as much of a session as is needed to know the SIDs:
//
//	session -> | delegated credentials: length u32, bytes
//	token, unix token, user, unix user, test -> | key: length u32, bytes
//	credentials -> | UUID | kind of ticket u16 (in newer versions)
//	(aligned to 8) the token
//
// The alignment makes it the same whether or not the kind of ticket is there.
func readSession(r *ndr.Reader) ([]string, error) {
	session := r.Uint32()
	r.Bytes(blobLen(r))
	token := r.Uint32()
	r.Align(4)
	if r.Err() == nil && (session == 0 || token == 0) {
		return nil, errors.New("session without a token")
	}
	r.Bytes(4 * 4)
	r.Bytes(blobLen(r))
	r.Uint32()
	r.Align(4)
	r.Bytes(16)
	r.Align(8)
	count, again := r.Uint32(), r.Uint32()
	if r.Err() == nil && (count != again || count > maxSIDs) {
		return nil, fmt.Errorf("%d and %d SIDs", count, again)
	}
	var sids []string
	for range count {
		sid, err := readSID(r)
		if err != nil {
			return nil, err
		}
		sids = append(sids, sid)
	}
	return sids, r.Err()
}

// blobLen reads the length of bytes, which is bounded by what there is to read.
func blobLen(r *ndr.Reader) int { return int(min(r.Uint32(), MaxSize)) }

// readSID reads one SID (MS-DTYP 2.4.2.2): its revision, the number of its parts, six
// bytes of authority, and the parts.
func readSID(r *ndr.Reader) (string, error) {
	r.Align(4)
	revision, parts := r.Uint8(), r.Uint8()
	authority := r.Bytes(6)
	if err := r.Err(); err != nil {
		return "", err
	}
	if revision != 1 || parts > maxParts {
		return "", fmt.Errorf("SID of revision %d with %d parts", revision, parts)
	}
	number := binary.BigEndian.Uint64(append([]byte{0, 0}, authority...))
	sid := fmt.Appendf(nil, "S-1-%d", number)
	for range parts {
		sid = fmt.Appendf(sid, "-%d", r.Uint32())
	}
	return string(sid), r.Err()
}

// Append writes an introduction as smbd would, for tests of programs that serve pipes:
// without a key, and without anything behind the SIDs. It fails if a SID is not one.
func (c *Client) Append(b []byte) ([]byte, error) {
	w := ndr.NewWriter(nil, false)
	w.Bytes([]byte("\x00\x00\x00\x00" + magic))
	w.Uint32(c.Level)
	w.Uint32(c.Level)
	if c.Level >= 5 {
		w.Uint8(1)
		w.Align(4)
	}
	address := ""
	if c.Address.IsValid() {
		address = c.Address.Addr().String()
	}
	for i, port := range []uint16{0, c.Address.Port(), 0, 445, 0} {
		w.Uint32(0x00020000 + 4*uint32(i))
		if i == 1 || i == 3 {
			w.Uint16(port)
			w.Align(4)
		}
	}
	for _, s := range []string{c.Machine, address, "", ""} {
		w.String([]byte(s))
	}
	w.Uint32(0x00020014)
	w.Uint32(0)
	for i := range 5 {
		w.Uint32(0x00020018 + 4*uint32(i))
	}
	w.Bytes(make([]byte, 4+4+16))
	w.Align(8)
	w.Uint32(uint32(len(c.SIDs)))
	w.Uint32(uint32(len(c.SIDs)))
	for _, sid := range c.SIDs {
		if err := writeSID(&w, sid); err != nil {
			return nil, err
		}
	}
	out := w.Data()
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return append(b, out...), nil
}

func writeSID(w *ndr.Writer, sid string) error {
	var numbers []uint64
	rest, ok := strings.CutPrefix(sid, "S-1-")
	for part := range strings.SplitSeq(rest, "-") {
		n, err := strconv.ParseUint(part, 10, 48)
		ok = ok && err == nil && (len(numbers) == 0 || n <= 1<<32-1)
		numbers = append(numbers, n)
	}
	if !ok || len(numbers) > maxParts+1 {
		return fmt.Errorf("npa: %q is no SID", sid)
	}
	w.Align(4)
	w.Uint8(1)
	w.Uint8(uint8(len(numbers) - 1))
	w.Bytes(binary.BigEndian.AppendUint64(nil, numbers[0])[2:])
	for _, n := range numbers[1:] {
		w.Uint32(uint32(n))
	}
	return nil
}

// AppendReply writes the answer that lets a client in, to an introduction of that level:
//
//	 0  length (big-endian) | "NPAM" | level | level again
//	16  type of the file u16: 2, a pipe of messages | its state u16
//	24  size u64 | status u32
//
// After it, each message of either side has its length in front, a u16 (little-endian).
func AppendReply(b []byte, level uint32) []byte {
	w := ndr.NewWriter(nil, false)
	w.Bytes([]byte("\x00\x00\x00\x20" + magic))
	w.Uint32(level)
	w.Uint32(level)
	w.Uint16(2)
	w.Uint16(0x05ff)
	w.Align(8)
	w.Uint32(4096)
	w.Uint32(0)
	w.Uint32(0)
	return append(b, w.Data()...)
}
