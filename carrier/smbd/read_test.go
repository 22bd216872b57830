package smbd

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

// FuzzRead: whatever is at nmbd's socket, what is read is what stands there, and no length
// is believed that is none.
func FuzzRead(f *testing.F) {
	packet := func(length uint64, kind uint32, data string) []byte {
		b := binary.NativeEndian.AppendUint64(nil, length)
		b = binary.NativeEndian.AppendUint32(b, kind)
		return append(append(b, make([]byte, headerLen-len(b))...), data...)
	}
	f.Add(packet(5, typeDatagram, "hello"))
	f.Add(append(packet(0, 0, ""), packet(3000, typeDatagram, string(make([]byte, 3000)))...))
	f.Add(packet(1<<63, typeDatagram, "x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, buf, rest := bytes.NewReader(b), make([]byte, headerLen+64), b
		for {
			got, from, err := read(in, buf)
			if err != nil {
				return
			}
			length := binary.NativeEndian.Uint64(rest)
			data := rest[headerLen:][:length]
			if got != nil && (!bytes.Equal(got, data) || from.Addr() != netip.AddrFrom4([4]byte(rest[offAddress:]))) {
				t.Fatalf("read %x from %v, want %x", got, from, data)
			}
			rest = rest[headerLen+int(length):]
		}
	})
}
