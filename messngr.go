// Package messngr holds the nouns of the Messenger service: what a message is,
// who sent it, what became of it, and the small interfaces by which the
// families of parts (transports, displays) meet the router.
//
// It imports nothing else of this module; everything else imports it.
package messngr

import (
	"net/netip"
	"time"

	"github.com/google/uuid"
)

// MaxText is the longest text, in bytes of UTF-8, that any route takes in. It
// bounds memory per message; transports have lower limits of their own.
const MaxText = 256 << 10

// ID identifies one message for ever. It is a UUID of version 7 (RFC 9562 5.7),
// so that ids sort by the time of their making.
type ID = uuid.UUID

// NewID returns a fresh id. It fails only when the system has no randomness.
func NewID() (ID, error) { return uuid.NewV7() }

// ParseID reads an id in its usual form of 36 characters.
func ParseID(s string) (ID, error) { return uuid.Parse(s) }

// Message is the immutable content of one message. Nobody changes a Message
// once it has been handed to another part: the same pointer is shared by the
// store and by every display.
type Message struct {
	// ID is set by the router when it takes the message.
	ID ID
	// Time is when the router took the message, by the clock of this host.
	Time time.Time
	// From says who sent it, as claimed and as proven.
	From From
	// To is the name that the sender addressed, as the wire spelled it, cleaned
	// for display. For a broadcast it is the workgroup or "*".
	To string
	// Via is the name of the transport that brought or shall carry it, such as
	// "smb" or "mailslot"; "local" for a message that never left this host.
	Via string
	// Level says how much attention it asks for.
	Level Level
	// Drill marks an exercise.
	Drill bool
	// Title is an optional headline of one line.
	Title string
	// Text is UTF-8 with "\n" as the only line break and without control or
	// bidirectional formatting characters.
	Text string
	// Answers are the answers that the sender asks a person to choose from.
	Answers []string
	// Expires is when the message loses its meaning; zero: never.
	Expires time.Time
	// Replaces is the message that this one takes the place of; zero: none.
	Replaces ID
	// InReplyTo is the message that this one answers; zero: none.
	InReplyTo ID
	// Audience is who on this host it is for: the login name of a user, or ""
	// for the machine, that is for everybody on it.
	Audience string
	// Terminal is the one terminal of the audience that it is for, such as
	// "pts/3"; "" for wherever the audience is.
	Terminal string
	// Warning tells the reader why to be careful, such as that an unverified
	// sender uses a reserved name; "" when there is nothing to say.
	Warning string
}

// Expired reports whether m has lost its meaning at the time now.
func (m *Message) Expired(now time.Time) bool {
	return !m.Expires.IsZero() && !now.Before(m.Expires)
}

// From says who sent a message, as claimed and as proven.
type From struct {
	// Claimed is the name that the sender gave itself, cleaned for display. On
	// every legacy wire anybody can claim any name.
	Claimed string
	// Proven is the identity that was proven; "" when nothing was.
	Proven string
	// Trust is how the proof was obtained.
	Trust Trust
	// Address is where the message came from, judged by the outermost header
	// that was seen; the zero value when it came from this host itself.
	Address netip.Addr
}

// Inbound is one hand-over of a message by a peer to this host.
type Inbound struct {
	// Message is the content. The transport leaves ID, Time, Audience and
	// Warning to the router.
	Message Message
	// Origin is the peer's own identity of this hand-over. Two hand-overs with
	// the same origin are one message, also over a restart.
	Origin Origin
	// To are the recipients that the peer addressed, as message names in UTF-8
	// upper case, without suffix or padding.
	To []string
	// Group says that To is a group that this host belongs to, such as its
	// workgroup, and not a name that it owns.
	Group bool
	// Route names the carrier and interface that brought it, for transports on
	// which one message can arrive in several copies; "" for all others. Copies
	// of one message that arrive by different routes within ten seconds are
	// one; the same text sent twice by one route is two.
	Route string
}

// Origin is the peer's own identity of one hand-over, unique over all
// transports, such as "smb/<session>/<number>". At most 255 bytes.
type Origin string

// Device is one place that a message can be carried to.
type Device struct {
	// Name is the message name to call, in UTF-8 upper case; for a broadcast
	// the name of the group. It may be empty when Address is valid: the
	// transport then asks the machine which name it answers to.
	Name string
	// Address is where the device is; the zero value when the transport has to
	// find the name first.
	Address netip.Addr
	// Group says that Name is a group: everybody who belongs to it on the
	// chosen interfaces.
	Group bool
}

// String returns the name, or the address of a device that has no name.
func (d Device) String() string {
	if d.Name == "" && d.Address.IsValid() {
		return d.Address.String()
	}
	return d.Name
}

// Evidence is what one attempt to hand a message to a device has shown.
type Evidence struct {
	// State is the best state that the attempt proves.
	State State
	// Address is the address that the attempt went to, if one was known.
	Address netip.AddrPort
	// Detail is one line for a person; "" when the state says it all.
	Detail string
	// Lossy says that characters had to be replaced because the route's code
	// page lacks them.
	Lossy bool
}
