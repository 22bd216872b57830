package rwall

import "time"

// Hurry makes everything that waits for other programs wait for d at the most.
func (t *Transport) Hurry(d time.Duration) {
	t.timing = timing{follow: d, rebind: d, resend: d / 4, patience: d}
	t.answer = d
}

// Split and Compose are the first lines of rwall(1).
var (
	Split   = split
	Compose = compose
)
