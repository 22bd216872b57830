package messngr

import "fmt"

// Level says how much attention a message asks for.
type Level uint8

// The levels, lowest first. Nothing from a legacy wire is above LevelNotice.
const (
	LevelInfo Level = iota
	LevelNotice
	LevelUrgent
	LevelEmergency
)

var levelNames = [...]string{"info", "notice", "urgent", "emergency"}

// String returns the level's name as the command line and the API spell it.
func (l Level) String() string { return nameOf(levelNames[:], int(l)) }

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Level) UnmarshalText(b []byte) error {
	i, err := indexOf("level", levelNames[:], string(b))
	*l = Level(i)
	return err
}

// Trust says how the identity of a sender was proven. Higher is better.
type Trust uint8

// The kinds of trust, lowest first.
const (
	// Unverified: nothing was proven; every legacy wire.
	Unverified Trust = iota
	// FirstContact: the key is known since its first message, nothing more.
	FirstContact
	// Vouched: another system authenticated the sender and says so: Samba, or
	// the kernel of this host.
	Vouched
	// Paired: two people compared keys.
	Paired
	// Site: the site's own authority vouches for the key.
	Site
)

var trustNames = [...]string{"unverified", "first-contact", "vouched", "paired", "site"}

// String returns the name of the trust as shown to people.
func (t Trust) String() string { return nameOf(trustNames[:], int(t)) }

// MarshalText implements encoding.TextMarshaler.
func (t Trust) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Trust) UnmarshalText(b []byte) error {
	i, err := indexOf("trust", trustNames[:], string(b))
	*t = Trust(i)
	return err
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

func indexOf(what string, names []string, s string) (int, error) {
	for i, n := range names {
		if n == s {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q, want one of %q", what, s, names)
}
