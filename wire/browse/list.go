package browse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	opServerEnum2 = 0x0068
	// The descriptions of the parameters, without and with a workgroup, and of one
	// entry of the answer at level 1 (MS-RAP 2.5.5.2.1).
	paramsOfAny   = "WrLehDO"
	paramsOfGroup = "WrLehDz"
	entryFormat   = "B16BBDz"
	entryLevel    = 1
	entryLen      = 26
	// listBuffer is how much of a list we take in one answer, in bytes: about 1,500
	// machines, and what Samba and Windows can send at the most.
	listBuffer = 0xFFE0

	rapSuccess  = 0
	rapMoreData = 234 // the list did not fit
)

// ListRequest asks a master browser for machines, or, with Workgroups, for workgroups:
// the call NetServerEnum2 at level 1 (MS-RAP 2.5.5.2).
type ListRequest struct {
	// Types are of which types a machine must be one.
	Types ServerType
	// Workgroup is whose machines are asked for; "" for those of the browser's own.
	Workgroup string
}

// Append appends the parameters of the call to b. It is an error if the workgroup is
// longer than 15 bytes or contains a zero byte.
func (r ListRequest) Append(b []byte) ([]byte, error) {
	if err := checkString("workgroup", r.Workgroup, nameLen-1); err != nil {
		return b, err
	}
	le := binary.LittleEndian
	b = le.AppendUint16(b, opServerEnum2)
	if r.Workgroup == "" {
		b = append(b, paramsOfAny...)
	} else {
		b = append(b, paramsOfGroup...)
	}
	b = append(b, "\x00"+entryFormat+"\x00"...)
	b = le.AppendUint16(b, entryLevel)
	b = le.AppendUint16(b, listBuffer)
	b = le.AppendUint32(b, uint32(r.Types))
	if r.Workgroup != "" {
		b = append(b, r.Workgroup...)
		b = append(b, 0)
	}
	return b, nil
}

// ParseListRequest reads the parameters of the call.
func ParseListRequest(b []byte) (ListRequest, error) {
	wrong := errors.New("browse: not a request for a list of machines")
	le := binary.LittleEndian
	if len(b) < 2 || le.Uint16(b) != opServerEnum2 {
		return ListRequest{}, wrong
	}
	params, rest, ok := bytes.Cut(b[2:], []byte{0})
	if !ok {
		return ListRequest{}, wrong
	}
	entry, rest, ok := bytes.Cut(rest, []byte{0})
	if !ok || string(entry) != entryFormat || len(rest) < 8 || le.Uint16(rest) != entryLevel {
		return ListRequest{}, wrong
	}
	r := ListRequest{Types: ServerType(le.Uint32(rest[4:]))}
	switch string(params) {
	case paramsOfAny:
	case paramsOfGroup:
		r.Workgroup = untilZero(rest[8:])
		if r.Workgroup == "" || len(r.Workgroup) >= nameLen {
			return ListRequest{}, fmt.Errorf("browse: workgroup %q", r.Workgroup)
		}
	default:
		return ListRequest{}, wrong
	}
	return r, nil
}

// Entry is one machine of a list, or one workgroup; the comment of a workgroup is its
// master browser.
type Entry struct {
	Name         string
	Major, Minor byte
	Type         ServerType
	Comment      string
}

// List is the answer to a ListRequest:
//
//	parameters: status, converter, entries returned, entries available (2 bytes each)
//	data: for each entry
//	 0  name, 16 bytes, ends with 0
//	16  version, major and minor
//	18  type, 4 bytes
//	22  where the comment is, plus the converter (2), 2 bytes unused
//	then the comments, each ends with 0
type List struct {
	Entries []Entry
	// Available is how many entries there are; not all of them may have fitted.
	Available int
}

// ParseList reads the parameters and the data of the answer. An error of the other side
// is an error.
func ParseList(params, data []byte) (List, error) {
	le := binary.LittleEndian
	if len(params) < 8 {
		return List{}, fmt.Errorf("browse: %d bytes of parameters in the answer to a list", len(params))
	}
	if status := le.Uint16(params); status != rapSuccess && status != rapMoreData {
		return List{}, fmt.Errorf("browse: the list is refused with error %d", status)
	}
	converter, count := le.Uint16(params[2:]), int(le.Uint16(params[4:]))
	if count*entryLen > len(data) {
		return List{}, fmt.Errorf("browse: %d entries announced in %d bytes", count, len(data))
	}
	l := List{Available: int(le.Uint16(params[6:]))}
	for i := range count {
		b := data[i*entryLen:]
		e := Entry{
			Name:  untilZero(b[:nameLen]),
			Major: b[16], Minor: b[17], Type: ServerType(le.Uint32(b[18:])),
		}
		if e.Name == "" || len(e.Name) == nameLen {
			return List{}, fmt.Errorf("browse: entry %d has the name %q", i+1, e.Name)
		}
		at := int(le.Uint16(b[22:]) - converter) // wraps as the sender's arithmetic did
		if at >= len(data) {
			return List{}, fmt.Errorf("browse: comment of entry %d is at %d of %d bytes", i+1, at, len(data))
		}
		e.Comment = untilZero(data[at:])
		l.Entries = append(l.Entries, e)
	}
	return l, nil
}

// Append returns the parameters and the data of the answer. It is an error if a name or
// a comment cannot be encoded, or if the list does not fit.
func (l List) Append() (params, data []byte, err error) {
	le := binary.LittleEndian
	at := len(l.Entries) * entryLen
	var comments []byte
	for _, e := range l.Entries {
		if err := checkString("name", e.Name, nameLen-1); err != nil || e.Name == "" {
			return nil, nil, fmt.Errorf("browse: entry %q: %w", e.Name, err)
		}
		if err := checkString("comment", e.Comment, listBuffer); err != nil {
			return nil, nil, err
		}
		data = append(data, e.Name...)
		data = append(data, make([]byte, nameLen-len(e.Name))...)
		data = append(data, e.Major, e.Minor)
		data = le.AppendUint32(data, uint32(e.Type))
		data = le.AppendUint32(data, uint32(at+len(comments)))
		comments = append(append(comments, e.Comment...), 0)
	}
	data = append(data, comments...)
	if len(data) > listBuffer || l.Available < 0 || l.Available > 0xFFFF {
		return nil, nil, fmt.Errorf("browse: list of %d bytes, %d machines", len(data), l.Available)
	}
	status := uint16(rapSuccess)
	if l.Available > len(l.Entries) {
		status = rapMoreData
	}
	params = le.AppendUint16(nil, status)
	params = le.AppendUint16(params, 0)
	params = le.AppendUint16(params, uint16(len(l.Entries)))
	params = le.AppendUint16(params, uint16(l.Available))
	return params, data, nil
}
