package messngr

// State is what is known of a message on its way to one recipient. A
// recipient's state is derived from the attempts to reach it, never set.
type State uint8

// The states. Reached says how they relate.
const (
	// Queued: it is stored here and waits for a route.
	Queued State = iota
	// Sent: it left us, and no answer exists on this route (mailslots).
	Sent
	// Accepted: a legacy peer took it; whether anybody saw it is unknown.
	Accepted
	// Delivered: the other side stored it durably, and signed that it did.
	Delivered
	// Displayed: it was put on a screen.
	Displayed
	// Acknowledged: a person confirmed it.
	Acknowledged
	// Answered: a person chose one of the answers.
	Answered
	// Refused: the other side does not take it from us.
	Refused
	// Failed: no route could carry it.
	Failed
	// Expired: its time ended before a route carried it.
	Expired
	// Retracted: the sender took it back.
	Retracted
	// Unknown: the answer to the last step was lost, so it may or may not have
	// arrived. It is reported as such and never tried again blindly.
	Unknown
)

var stateNames = [...]string{
	"queued", "sent", "accepted", "delivered", "displayed", "acknowledged",
	"answered", "refused", "failed", "expired", "retracted", "unknown",
}

// String returns the state's name as the command line and the API spell it.
func (s State) String() string { return nameOf(stateNames[:], int(s)) }

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *State) UnmarshalText(b []byte) error {
	i, err := indexOf("state", stateNames[:], string(b))
	*s = State(i)
	return err
}

// Reached reports whether s is at least as good as want, for a want between
// Queued and Answered. States that end without delivery reach only Queued.
func (s State) Reached(want State) bool {
	if s > Answered {
		return want == Queued
	}
	return s >= want
}
