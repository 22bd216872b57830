// Package phrase says in a few words what messages are, and what became of them.
// Everything that it says is true of what is known, and no more: a name that is not
// proven never stands alone, and no route without receipts lets it say "received".
package phrase

import (
	"fmt"
	"strings"

	"messngr"
	"messngr/control"
	"messngr/wire/oem"
)

// Outcome says in one line what is true about one recipient of a message that was
// sent, with what else is known. It may contain what other machines said, as it came.
func Outcome(r control.RecipientAnswer) string {
	if r.Detail != "" {
		return stateOf(r) + " (" + r.Detail + ")"
	}
	return stateOf(r)
}

func stateOf(r control.RecipientAnswer) string {
	to, where := r.To, place(r)
	if r.Via == "local" {
		where = " on this machine"
	}
	switch r.State {
	case messngr.Sent:
		return fmt.Sprintf("sent to %s by %s; no receipt possible", sentTo(r), Via(r.Via))
	case messngr.Accepted:
		return fmt.Sprintf("accepted by %s%s; whether anyone saw it is unknown", to, where)
	case messngr.Delivered:
		return fmt.Sprintf("delivered to %s%s, and stored there", to, where)
	case messngr.Displayed:
		return fmt.Sprintf("shown to %s%s", to, where)
	case messngr.Acknowledged:
		return fmt.Sprintf("acknowledged by %s%s", to, where)
	case messngr.Answered:
		return fmt.Sprintf("answered by %s%s", to, where)
	case messngr.Queued:
		return fmt.Sprintf("%s: waiting for a route", to) + because(r)
	case messngr.Unknown:
		return fmt.Sprintf("%s%s: it may have arrived or not", to, where) + because(r) + "; it is not sent again by itself"
	case messngr.Refused:
		return fmt.Sprintf("refused by %s%s", to, where) + because(r)
	case messngr.Expired:
		return fmt.Sprintf("%s: its time ended before it could be sent", to)
	case messngr.Retracted:
		return fmt.Sprintf("%s: taken back", to) + because(r)
	default:
		return fmt.Sprintf("%s: not sent", to) + because(r)
	}
}

// because says why, without what the line has said before it.
func because(r control.RecipientAnswer) string {
	if r.Error == "" {
		return ""
	}
	return ": " + Reason(r.Error, r.Address, r.To)
}

// place says where the recipient was met and how, such as " (10.0.0.17, SMB)".
func place(r control.RecipientAnswer) string {
	var parts []string
	if r.Address != "" && r.Address != r.To {
		parts = append(parts, r.Address)
	}
	if r.Via != "" && r.Via != "local" {
		parts = append(parts, Via(r.Via))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// sentTo names whom a message without a receipt went to.
func sentTo(r control.RecipientAnswer) string {
	switch {
	case r.To == "*", r.To == "/domain", r.To == "everyone":
		return "everyone"
	case strings.HasPrefix(r.To, "/domain:"):
		return strings.TrimPrefix(r.To, "/domain:")
	case r.Address != "" && r.Address != r.To:
		return r.To + " (" + r.Address + ")"
	}
	return r.To
}

// Via is how people write the name of a transport.
func Via(via string) string {
	switch via {
	case "smb", "rpc":
		return strings.ToUpper(via)
	}
	return via
}

// Sender says who sent a message, what is proven of that, and how it came. A
// name that is not proven never stands alone. It is safe for a terminal.
func Sender(m *control.Message) string {
	from, trust := m.From, m.Trust.String()
	if m.Proven != "" {
		from, trust = m.Proven, trust+" as "+m.Proven
		if m.From != "" && m.From != m.Proven {
			from = m.From
		}
	}
	parts := []string{trust, Via(m.Via)}
	if m.Address != "" {
		parts[1] += " from " + m.Address
	}
	return oem.CleanLine(from + " (" + strings.Join(parts, ", ") + ")")
}
