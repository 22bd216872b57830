package router

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"messngr"
)

const (
	// maxParts is into how many numbered parts a text is split at the most.
	maxParts = 99
	// partMark is how much the number in front of a part takes.
	partMark = len("[12/34] ")
	// minPart is the least length of a part that is of any use: every character
	// fits in.
	minPart = 40
)

// sendParts makes one attempt to send m; if the text is too long for the route,
// it goes in numbered parts, so that nothing is cut silently.
func (r *Router) sendParts(ctx context.Context, route Route, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	flat := *m
	if !route.Rich {
		flat.Text = flatten(m)
	}
	ev, err := route.Sender.Send(ctx, to, &flat)
	var long *messngr.TooLongError
	if !errors.As(err, &long) {
		return ev, err
	}
	parts := split(flat.Text, long.Limit-partMark)
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
	ev.Detail = strings.TrimPrefix(fmt.Sprintf("%s, in %d parts", ev.Detail, len(parts)), ", ")
	return ev, nil
}

// split cuts text into pieces that take at most limit bytes in any code page,
// between words where that is possible and never inside a character. Joined they
// are the text again. It returns nil if limit is too small to be of use.
func split(text string, limit int) []string {
	if limit < minPart {
		return nil
	}
	var parts []string
	for {
		cut := fitting(text, limit)
		if cut == len(text) {
			return append(parts, text)
		}
		if space := strings.LastIndexAny(text[:cut], " \n"); space > cut/2 {
			cut = space + 1
		}
		parts = append(parts, text[:cut])
		text = text[cut:]
	}
}

// fitting returns the length of the longest beginning of text that takes at most
// limit bytes in any code page.
func fitting(text string, limit int) int {
	length := 0
	for i, c := range text {
		if length += widest(c); length > limit {
			return i
		}
	}
	return len(text)
}

// widest is the most bytes that a character takes on any route. The limit of a
// route counts bytes of its code page, which the router does not know: a line
// break may become two, and a character that the page lacks is spelled with
// others of up to two bytes, such as ½ as 1/2, and ﷺ as a whole sentence.
func widest(c rune) int {
	switch {
	case c == '\n':
		return 2
	case c < utf8.RuneSelf:
		return 1
	}
	spelled := 2 * utf8.RuneCountInString(norm.NFKD.String(string(c)))
	return max(utf8.RuneLen(c)+1, spelled)
}
