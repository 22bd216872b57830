package sunrpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// lastFragment marks the last fragment of a record.
const lastFragment = 1 << 31

// AppendRecord writes a message as a stream carries it: with its length before it
// (RFC 5531 11).
func AppendRecord(b, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, lastFragment|uint32(len(message))), message...)
}

// ReadRecord reads one message from a stream. It fails if the message is longer than
// limit bytes.
func ReadRecord(r io.Reader, limit int) ([]byte, error) {
	var message []byte
	for {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, fmt.Errorf("sunrpc: record: %w", err)
		}
		n := binary.BigEndian.Uint32(head[:])
		size := int(n &^ lastFragment)
		switch {
		case size > limit-len(message):
			return nil, fmt.Errorf("sunrpc: record of more than %d bytes", limit)
		case size == 0 && n&lastFragment == 0:
			return nil, errors.New("sunrpc: empty fragment")
		}
		message = append(message, make([]byte, size)...)
		if _, err := io.ReadFull(r, message[len(message)-size:]); err != nil {
			return nil, fmt.Errorf("sunrpc: record: %w", err)
		}
		if n&lastFragment != 0 {
			return message, nil
		}
	}
}
