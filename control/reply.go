package control

import (
	"context"
	"strings"
)

// serviceName is who has proven to have sent the service's own notes to its
// people. Where an account has that name it is the service's, and no person's.
const serviceName = "messngr"

// ReplyTo addresses the answer to a message: on this host the person who is
// proven to have sent it, otherwise the sender's name at the address that it
// came from. That name is only a claim, so that one which means more than one
// machine, or another machine, does not count: then it is the machine at that
// address. ok is false if nobody can be answered, as behind a note of the service
// itself.
func ReplyTo(m *Message) (req SendRequest, ok bool) {
	req = SendRequest{To: []string{m.From}, Address: m.Address, InReplyTo: m.ID}
	if m.Via == "local" {
		req.Via, req.Address = "local", ""
		if m.Proven != "" {
			req.To[0] = m.Proven + "@localhost" // a login name may look like the name of a machine
		}
		return req, m.Proven != serviceName && (m.Proven != "" || m.From != "" && !misleading(m.From))
	}
	if m.From == "" || misleading(m.From) {
		req.To[0] = req.Address
	}
	return req, req.To[0] != ""
}

// misleading reports whether a name means more than one machine, or another one.
func misleading(name string) bool {
	return strings.ContainsAny(name, "*/@.,:") || strings.EqualFold(name, "everyone")
}

// Reply sends what ReplyTo addressed. If nobody at the sender's address has the
// name that the sender claimed, it goes to the machine there, and toMachine is
// true: nothing was taken, so that nothing can arrive twice.
func (c *Client) Reply(ctx context.Context, req SendRequest) (answer SendAnswer, toMachine bool, err error) {
	answer, err = c.Send(ctx, req)
	unknown := err == nil && len(answer.Recipients) == 1 && answer.Recipients[0].Code == "unknown_name"
	if !unknown || req.Address == "" || req.To[0] == req.Address {
		return answer, false, err
	}
	req.To = []string{req.Address}
	answer, err = c.Send(ctx, req)
	return answer, true, err
}
