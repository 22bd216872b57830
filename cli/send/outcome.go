package send

import (
	"messngr"
	"messngr/cli/phrase"
	"messngr/control"
	"messngr/wire/oem"
	"os/user"
)

// printOutcome says in one line what is true about one recipient: what was
// reached on the standard output, what was not on the standard error, with what
// to do about it.
func (c Commands) printOutcome(r control.RecipientAnswer, wait *messngr.State) {
	line := phrase.Outcome(r)
	if r.Reached {
		c.Printf("%s\n", oem.CleanLine(line))
		return
	}
	switch {
	case wait == nil || r.Error != "":
	case r.State == messngr.Sent || r.State == messngr.Accepted:
		line += "; by this way nobody learns whether it is " + wait.String()
	default:
		line += "; not " + wait.String() + " in time"
	}
	c.Complain(line, hint(r))
}

// hint says what to do about a recipient who was not reached. A name that nobody on the
// network has may be that of somebody here, who is not logged in.
func hint(r control.RecipientAnswer) string {
	if r.Code != "unknown_name" || r.Via == "local" {
		return r.Hint
	}
	if _, err := user.Lookup(r.To); err != nil {
		return r.Hint
	}
	return r.To + " of this machine is reached by: messngr write " + r.To + " TEXT; else " + r.Hint
}
