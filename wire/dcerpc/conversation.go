package dcerpc

import (
	"github.com/google/uuid"

	"messngr/wire/ndr"
)

// Conversation is the interface by which a server asks a client that it does not know
// yet about the call that has just arrived (C706 P, MS-RPCE 2.2.3.3).
func Conversation() Syntax {
	return Syntax{ID: uuid.MustParse("333a2276-0000-0000-0d00-00809c000000"), Major: 3}
}

// The procedures of Conversation that we ask and answer.
const (
	WhoAreYou   uint16 = 0 // conv_who_are_you
	WhoAreYou2  uint16 = 1 // conv_who_are_you2
	AreYouThere uint16 = 2 // conv_are_you_there, which only others ask
)

// A Question is what goes into each of them.
type Question struct {
	// Activity is the one of the call that the server asks about.
	Activity uuid.UUID
	// Boot is when the server started.
	Boot uint32
}

// Append appends the stub to b.
func (q Question) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.UUID(q.Activity)
	w.Uint32(q.Boot)
	return w.Data()
}

// ParseQuestion reads the stub of a request of Conversation; the further procedures begin
// with the same fields.
func ParseQuestion(stub []byte, bigEndian bool) (Question, error) {
	r := ndr.NewReader(stub, bigEndian)
	q := Question{Activity: r.UUID(), Boot: r.Uint32()}
	return q, r.Err()
}

// An Identity is what comes out of WhoAreYou, WhoAreYou2 and AreYouThere.
type Identity struct {
	// Sequence is the number of the call that the client makes just now; AreYouThere
	// does not have it.
	Sequence uint32
	// Client identifies the client's process; only WhoAreYou2 has it.
	Client uuid.UUID
	// Status is 0 if the activity is the client's.
	Status Status
}

// Append appends the stub of the procedure op to b.
func (i Identity) Append(b []byte, op uint16, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	if op != AreYouThere {
		w.Uint32(i.Sequence)
	}
	if op == WhoAreYou2 {
		w.UUID(i.Client)
	}
	w.Uint32(uint32(i.Status))
	return w.Data()
}

// ParseIdentity reads the stub of a response of the procedure op.
func ParseIdentity(stub []byte, op uint16, bigEndian bool) (Identity, error) {
	r := ndr.NewReader(stub, bigEndian)
	var i Identity
	if op != AreYouThere {
		i.Sequence = r.Uint32()
	}
	if op == WhoAreYou2 {
		i.Client = r.UUID()
	}
	i.Status = Status(r.Uint32())
	if r.Err() != nil {
		return Identity{}, r.Err()
	}
	return i, nil
}
