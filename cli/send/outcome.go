package send

import (
	"net/netip"
	"strings"

	"messngr"
	"messngr/account"
	"messngr/cli/phrase"
	"messngr/control"
	"messngr/wire/oem"
)

// printOutcome says in one line what is true about one recipient: what was
// reached on the standard output, what was not on the standard error, with what
// to do about it.
func (c Commands) printOutcome(r control.RecipientAnswer, req *control.SendRequest) {
	line, wait := phrase.Outcome(r), req.Wait
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
	c.Complain(line, hint(r, req.Address))
}

// hint says what to do about a recipient who was not reached. at is where the machine is,
// if that was said.
func hint(r control.RecipientAnswer, at string) string {
	if r.Code != "unknown_name" || r.Via == "local" {
		return r.Hint
	}
	if _, machine, ok := strings.Cut(r.To, "@"); ok && at == "" {
		if _, err := netip.ParseAddr(machine); err == nil {
			at = machine
		}
	}
	if at != "" {
		return "to see which names that machine has: messngr nbtstat -A " + at
	}
	// A name that nobody on the network has may be that of somebody here.
	if _, err := new(account.Book).ByName(r.To); err == nil {
		return r.To + " of this machine is reached by: messngr write " + r.To + " TEXT; else " + r.Hint
	}
	return r.Hint
}
