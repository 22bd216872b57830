package netcmd

import (
	"context"
	"errors"
	"strings"

	"messngr/control"
)

// send is NET SEND {name | * | /DOMAIN[:name] | /USERS} message. The options
// count only as the first word: a message may contain words with a slash.
func (n net) send(ctx context.Context, args []string) int {
	if len(args) < 2 {
		return n.misuse("SEND")
	}
	to, shown := args[0], strings.ToUpper(args[0])
	word, workgroup, named := strings.Cut(shown, ":")
	broadcast := to == "*"
	switch {
	case word == "/DOMAIN", word == "/BROADCAST" && !named:
		to, broadcast = "/domain", true
		if named {
			to += args[0][len(word):]
		}
	case shown == "/USERS":
		to = "/users"
	case strings.HasPrefix(to, "/"):
		return n.unknownOption("SEND", args[0])
	}
	answer, err := n.Service.Send(ctx, control.SendRequest{To: []string{to}, Text: strings.Join(args[1:], " ")})
	if err != nil {
		n.sendFailed(shown)
		return n.declined(err)
	}
	for _, r := range answer.Recipients {
		if !r.Reached {
			if to == "/users" && r.Code == "unknown_name" {
				return n.fail(3752)
			}
			n.sendFailed(shown)
			return n.fail(sendNumber(r.Code), shown)
		}
	}
	for _, r := range answer.Recipients {
		if r.Detail != "" { // what NT never told: that a text was changed or split
			n.complain("Note: " + r.Detail + ".")
		}
	}
	switch {
	case broadcast:
		n.say("The message was successfully sent to domain %s.", n.domain(ctx, workgroup))
	case to == "/users":
		n.say("The message was successfully sent to all users of this server.")
	default:
		n.say("The message was successfully sent to %s.", shown)
	}
	return success
}

// sendFailed is the line above every reason why a message was not sent.
func (n net) sendFailed(to string) {
	m, _ := lookup(3722)
	n.complain(strings.Replace(m.text, "***", to, 1))
}

// domain is the workgroup of a broadcast: the named one or our own.
func (n net) domain(ctx context.Context, named string) string {
	if named != "" {
		return named
	}
	s, err := n.Service.Status(ctx)
	if err != nil {
		return "*"
	}
	return s.Workgroup
}

// sendNumber is the NET number that says what a code of the API means.
func sendNumber(code string) int {
	switch code {
	case "paused":
		return 2281
	case "busy":
		return 2283
	case "refused", "expired":
		return 2282
	case "uncertain":
		return 2136
	case "too_long":
		return 87
	case "forbidden":
		return 5
	}
	// NT did not tell a machine that is off from a name that nobody has.
	return 2273
}

// declined prints why the service did not do what it was asked for.
func (n net) declined(err error) int {
	var e *control.Error
	switch {
	case errors.Is(err, control.ErrNoService):
		return n.fail(2284)
	case errors.Is(err, control.ErrNoAccess):
		return n.fail(5)
	case !errors.As(err, &e):
		return n.fail(2136)
	}
	switch e.Code {
	case "conflict":
		return n.fail(2297)
	case "not_found":
		return n.fail(2285)
	case "bad_request":
		return n.fail(87)
	case "too_many":
		return n.fail(2277)
	case "internal", "unavailable": // here, and not at the other machine
		return n.fail(2136)
	}
	return n.fail(sendNumber(e.Code))
}
