package control

import (
	"context"
	"strconv"

	"messngr"
)

// Event is one line of GET /v1/messages/watch?events=true: something that
// happened to the inbox of the asker.
type Event struct {
	// Kind is one of the words below.
	Kind string `json:"event"`
	// Message is the message that arrived.
	Message *Message `json:"message,omitempty"`
	// IDs are the messages that were marked or deleted.
	IDs []messngr.ID `json:"ids,omitempty"`
}

// The kinds of events. A message may be marked before the event of its arrival;
// the latter then shows the mark.
const (
	// EventResync is the first event of every stream, and follows when changes
	// were lost because the client did not read fast enough: what it knows of
	// messages that arrived before may be out of date.
	EventResync = "resync"
	// EventArrived brings a message.
	EventArrived = "arrived"
	// The others say what the asker did to messages, here or elsewhere, and which of
	// them anybody deleted, or their sender took back.
	EventRead         = "read"
	EventUnread       = "unread"
	EventAcknowledged = "acknowledged"
	EventDeleted      = "deleted"
	EventRetracted    = "retracted"
)

// Events calls show for everything that happens to the inbox, beginning with an
// EventResync and then the messages after the number after, oldest first; a
// negative number means only new ones. With own it is about nothing but what is
// for the asker and the machine, also if the asker administers the service. It
// returns as Watch does.
func (c *Client) Events(ctx context.Context, after int64, own bool, show func(Event) error) error {
	path := "/v1/messages/watch?events=true&own=" + strconv.FormatBool(own)
	if after >= 0 {
		path += "&after=" + strconv.FormatInt(after, 10)
	}
	return follow(ctx, c, path, show)
}
