package inbox

import (
	"context"
	"strings"

	"messngr"
	"messngr/control"
)

// Sender is what is asked of the service to send something.
type Sender interface {
	Send(ctx context.Context, r control.SendRequest) (control.SendAnswer, error)
}

// ReplyTo addresses an answer to m: its sender, at the address that it came
// from. The sender's name is only a claim, so that one which means more than
// one machine, or another machine, does not count. It returns false if there is
// nobody to answer.
func ReplyTo(m *control.Message) (control.SendRequest, bool) {
	req := control.SendRequest{To: []string{m.From}, Address: m.Address, InReplyTo: m.ID}
	if m.Via == "local" {
		req.Via, req.Address = "local", ""
		if m.Proven != "" {
			req.To[0] = m.Proven
		}
		return req, req.To[0] != "" && req.To[0] != "messngr"
	}
	if m.From == "" || strings.ContainsAny(m.From, "*/@.,:") || strings.EqualFold(m.From, "everyone") {
		req.To[0] = req.Address
	}
	return req, req.To[0] != ""
}

// Reply sends an answer. If nobody at the sender's address has the name that
// the sender claimed, it goes to the machine there: nothing was taken, so that
// nothing can arrive twice.
func Reply(ctx context.Context, c Sender, m *control.Message, text string) (control.SendAnswer, error) {
	req, ok := ReplyTo(m)
	if !ok {
		return control.SendAnswer{}, &control.Error{Code: "bad_request", Message: "nobody to answer"}
	}
	req.Text = text
	answer, err := c.Send(ctx, req)
	unknown := err == nil && len(answer.Recipients) == 1 && answer.Recipients[0].Code == "unknown_name"
	if unknown && req.Address != "" && req.To[0] != req.Address {
		req.To = []string{req.Address}
		answer, err = c.Send(ctx, req)
	}
	return answer, err
}

// Marker is what is asked of the service to mark messages.
type Marker interface {
	Mark(ctx context.Context, r control.MarkRequest) (int, error)
}

// Acknowledge says that a person has seen messages, and so read them as well.
func Acknowledge(ctx context.Context, c Marker, ids ...messngr.ID) error {
	for _, as := range []string{"acknowledged", "read"} {
		if _, err := c.Mark(ctx, control.MarkRequest{IDs: ids, As: as}); err != nil {
			return err
		}
	}
	return nil
}
