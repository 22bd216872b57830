package dcerpc

import (
	"fmt"

	"messngr/wire/ndr"
)

// maxBeyond is how many fragments after the first missing one a Fack tells of; the
// selective masks that are read and written are not longer.
const maxBeyond = 256

// A Fack is the body of a packet of that type, and of a nocall that has one: it tells
// which fragments have arrived, and how to go on (C706 12.5.3.4, MS-RPCE 3.2.1.5.3).
//
//	 0  vers | pad | window_size u16
//	 4  max_tsdu u32
//	 8  max_frag_size u32
//	12  serial_num u16 | selack_len u16
//	16  selack u32 ...
type Fack struct {
	// Window is how many fragments the receiver has room for.
	Window uint16
	// MaxTSDU is the longest datagram in bytes that the receiver's system takes, and
	// MaxFragment the longest packet that the receiver does.
	MaxTSDU, MaxFragment uint32
	// Serial is the one of the packet that made the receiver say this.
	Serial uint16
	// Beyond are the fragments that have arrived although one before them has not, in
	// rising order, as how far they are behind the one that the header's Number
	// tells. The first that is missing would be 1.
	Beyond []uint16
}

// Append appends the body to b. At least one mask is written, as implementations do
// that keep it in a fixed structure; fragments too far beyond are left out.
func (f *Fack) Append(b []byte, bigEndian bool) []byte {
	var masks [maxBeyond / 32]uint32
	used := 0
	for _, n := range f.Beyond {
		if n < 1 || n > maxBeyond {
			continue
		}
		masks[(n-1)/32] |= 1 << ((n - 1) % 32)
		used = max(used, int(n-1)/32+1)
	}
	w := ndr.NewWriter(b, bigEndian)
	w.Uint8(1)
	w.Uint8(0)
	w.Uint16(f.Window)
	w.Uint32(f.MaxTSDU)
	w.Uint32(f.MaxFragment)
	w.Uint16(f.Serial)
	w.Uint16(uint16(used))
	for _, m := range masks[:max(used, 1)] {
		w.Uint32(m)
	}
	return w.Data()
}

// ParseFack reads the body of a fack. It takes versions 0 and 1, since MS-RPCE names
// both, and bodies of 12 bytes from before there were selective masks.
func (d *Datagram) ParseFack() (Fack, error) {
	r := ndr.NewReader(d.Body, d.BigEndian)
	version := r.Uint8()
	r.Uint8()
	f := Fack{Window: r.Uint16(), MaxTSDU: r.Uint32(), MaxFragment: r.Uint32()}
	if r.Err() != nil || version > 1 {
		return Fack{}, fmt.Errorf("dcerpc: fack of %d bytes and version %d", len(d.Body), version)
	}
	if len(r.Rest()) == 0 {
		return f, nil
	}
	f.Serial = r.Uint16()
	count := int(r.Uint16())
	for i := range min(count, maxBeyond/32) {
		mask := r.Uint32()
		for bit := range 32 {
			if mask&(1<<bit) != 0 {
				f.Beyond = append(f.Beyond, uint16(32*i+bit+1))
			}
		}
	}
	if r.Err() != nil {
		return Fack{}, fmt.Errorf("dcerpc: fack of %d bytes tells of %d masks", len(d.Body), count)
	}
	return f, nil
}

// A Cancel is the body of a packet of that type (C706 12.5.3.3). One without a body gives
// the call up, whatever becomes of it.
type Cancel struct {
	ID uint32
}

// Append appends the body to b.
func (c Cancel) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(0)
	w.Uint32(c.ID)
	return w.Data()
}

// ParseCancel reads the body of a cl_cancel; it reports false if there is none.
func (d *Datagram) ParseCancel() (Cancel, bool, error) {
	if len(d.Body) == 0 {
		return Cancel{}, false, nil
	}
	r := ndr.NewReader(d.Body, d.BigEndian)
	version := r.Uint32()
	c := Cancel{ID: r.Uint32()}
	if r.Err() != nil || version != 0 {
		return Cancel{}, false, fmt.Errorf("dcerpc: cancel of %d bytes and version %d", len(d.Body), version)
	}
	return c, true, nil
}

// A Quack is the body of the answer to a Cancel that has a body (C706 12.5.3.2).
type Quack struct {
	ID uint32
	// Accepting says that the server hands cancels to the procedure.
	Accepting bool
}

// Append appends the body to b.
func (q Quack) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(0)
	w.Uint32(q.ID)
	w.Uint8(bit(q.Accepting, 1))
	return w.Data()
}

// ParseQuack reads the body of a cancel_ack; it reports false if there is none.
func (d *Datagram) ParseQuack() (Quack, bool, error) {
	if len(d.Body) == 0 {
		return Quack{}, false, nil
	}
	r := ndr.NewReader(d.Body, d.BigEndian)
	version := r.Uint32()
	q := Quack{ID: r.Uint32(), Accepting: r.Uint8() != 0}
	if r.Err() != nil || version != 0 {
		return Quack{}, false, fmt.Errorf("dcerpc: cancel_ack of %d bytes and version %d", len(d.Body), version)
	}
	return q, true, nil
}
