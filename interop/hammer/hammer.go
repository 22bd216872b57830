//go:build linux

// Package hammer delivers messages to a server as fast as it takes them, and times the answers.
//
// It speaks the messaging commands of SMB by itself, from the specification, on blocking sockets: it shares no code with
// the program that it tries, and costs as little of the machine as a Go program can.
package hammer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Message is what one message needs on a connection of its own: requests, each sent after the answer to the one before.
type Message [][]byte

// New prepares a message: session request, start, one text block, end. from and to are message names of at most 15
// bytes, text holds at most 128.
//
// RFC 1002 4.3.2; MS-MSRP 2.2.3; the layout of the commands is in MS-CIFS 2.2.4.
func New(from, to, text string) Message {
	session := slices.Concat([]byte{0x81, 0, 0, 68}, encodeName(to, 0x03), encodeName(from, 0x03))
	names := slices.Concat([]byte{4}, []byte(from), []byte{0, 4}, []byte(to), []byte{0})
	block := slices.Concat([]byte{1}, binary.LittleEndian.AppendUint16(nil, uint16(len(text))), []byte(text))
	return Message{session, smb(0xD5, nil, names), smb(0xD7, []byte{0, 0}, block), smb(0xD6, []byte{0, 0}, nil)}
}

// smb frames one command for a session.
func smb(command byte, params, data []byte) []byte {
	body := slices.Concat([]byte{0xFF, 'S', 'M', 'B', command}, make([]byte, 27), []byte{byte(len(params) / 2)}, params)
	body = binary.LittleEndian.AppendUint16(body, uint16(len(data)))
	body = append(body, data...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// encodeName is the second-level encoding of a NetBIOS name without scope.
func encodeName(name string, suffix byte) []byte {
	padded := fmt.Sprintf("%-15.15s%c", strings.ToUpper(name), suffix)
	out := []byte{32}
	for i := range 16 {
		out = append(out, 'A'+padded[i]>>4, 'A'+padded[i]&15)
	}
	return append(out, 0)
}

// Deliver sends the message on a connection of its own and checks each answer. It returns nil when the server has said
// that it has the message.
func (m Message) Deliver(to netip.AddrPort) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 30}); err != nil {
		return err
	}
	var answer [256]byte
	for i, request := range m {
		if _, err := unix.Write(fd, request); err != nil {
			return err
		}
		n, err := readAnswer(fd, answer[:])
		if err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
		if err := check(answer[:n], i == 0); err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
	}
	return nil
}

// readAnswer reads one session packet, mostly in one call.
func readAnswer(fd int, buf []byte) (n int, err error) {
	for n < 4 || n < 4+int(binary.BigEndian.Uint16(buf[2:])) {
		if n == len(buf) {
			return 0, errors.New("too long")
		}
		got, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR { // the scheduler's own signals end a read that has a time limit
			continue
		}
		if err != nil {
			return 0, err
		}
		if got == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		n += got
	}
	return n, nil
}

func check(answer []byte, session bool) error {
	switch {
	case session && answer[0] != 0x82:
		return fmt.Errorf("the session is refused: % x", answer)
	case session:
		return nil
	case answer[0] != 0 || len(answer) < 36 || binary.LittleEndian.Uint32(answer[9:]) != 0:
		return fmt.Errorf("the message is refused: % x", answer)
	}
	return nil
}

// Load is the outcome of a run in which at least one message was delivered.
type Load struct {
	took  []time.Duration // per message, sorted
	total time.Duration
}

// Count is how many messages were delivered.
func (l Load) Count() int { return len(l.took) }

// Rate is how many messages were delivered per second.
func (l Load) Rate() float64 { return float64(len(l.took)) / l.total.Seconds() }

// Percentile is the time, from connecting to the last answer, that p percent of the messages did not exceed.
func (l Load) Percentile(p int) time.Duration { return l.took[(len(l.took)-1)*p/100] }

// Run delivers the message over and over, by some connections at a time, for the time given. within calls a function
// where the sockets are to be opened. The first message that is not taken ends a connection's work and is an error.
func Run(within func(func() error) error, m Message, to netip.AddrPort, connections int, d time.Duration) (Load, error) {
	took := make([][]time.Duration, connections)
	errs := make([]error, connections)
	start := time.Now()
	var workers sync.WaitGroup
	for i := range connections {
		workers.Go(func() {
			errs[i] = within(func() error {
				for began := time.Now(); began.Sub(start) < d; {
					if err := m.Deliver(to); err != nil {
						return err
					}
					now := time.Now()
					took[i] = append(took[i], now.Sub(began))
					began = now
				}
				return nil
			})
		})
	}
	workers.Wait()
	l := Load{took: slices.Concat(took...), total: time.Since(start)}
	slices.Sort(l.took)
	if len(l.took) == 0 {
		errs = append(errs, errors.New("no message was delivered"))
	}
	return l, errors.Join(errs...)
}
