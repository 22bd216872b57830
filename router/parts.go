package router

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"messngr"
	"messngr/router/plain"
)

const (
	// maxParts is into how many numbered parts a text is split at the most.
	maxParts = 99
	// partMark is how much the number in front of a part takes.
	partMark = len("[12/34] ")
)

// sendParts makes one attempt to send m; if the text is too long for the route,
// it goes in numbered parts, so that nothing is cut silently.
func (r *Router) sendParts(ctx context.Context, route Route, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	flat := *m
	if !route.Rich {
		flat.Text = plain.Text(m)
	}
	ev, err := route.Sender.Send(ctx, to, &flat)
	var long *messngr.TooLongError
	if !errors.As(err, &long) {
		return ev, err
	}
	parts := plain.Split(flat.Text, long.Limit-partMark)
	if parts == nil || len(parts) > maxParts {
		return ev, err
	}
	lossy := false
	for i, text := range parts {
		part := flat
		part.Text = fmt.Sprintf("[%d/%d] %s", i+1, len(parts), text)
		ev, err = route.Sender.Send(ctx, to, &part)
		lossy = lossy || ev.Lossy
		if err != nil && i > 0 {
			return ev, fmt.Errorf("%w: %d of %d parts had been taken, then: %w", messngr.ErrUncertain, i, len(parts), err)
		}
		if err != nil {
			return ev, err
		}
	}
	ev.Lossy = lossy
	ev.Detail = strings.TrimPrefix(fmt.Sprintf("%s; in %d parts", ev.Detail, len(parts)), "; ")
	return ev, nil
}
