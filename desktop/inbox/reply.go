package inbox

import (
	"context"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
)

// Addressee names whom an answer goes to, and where, in one safe line.
func Addressee(req *control.SendRequest) string {
	name := describe.Person(req.To[0])
	if req.Address != "" && req.Address != req.To[0] {
		name += " (" + describe.Clean(req.Address) + ")"
	}
	return name
}

// Replier is what is asked of the service to send an answer.
type Replier interface {
	Reply(ctx context.Context, req control.SendRequest) (answer control.SendAnswer, toMachine bool, err error)
}

// Reply sends an answer to m.
func Reply(ctx context.Context, c Replier, m *control.Message, text string) (control.SendAnswer, error) {
	req, ok := control.ReplyTo(m)
	if !ok {
		return control.SendAnswer{}, &control.Error{Code: "bad_request", Message: "nobody to answer"}
	}
	req.Text = text
	answer, _, err := c.Reply(ctx, req)
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
