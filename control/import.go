package control

import (
	"context"
	"net/http"
	"time"
)

// ImportRequest is the body of POST /v1/import: old mail of another program,
// for the inbox of one person or of the machine.
type ImportRequest struct {
	// Program is where it comes from, and becomes the messages' via: "linpopup".
	Program string `json:"program"`
	// User is the login name of the person whose inbox it goes to; "": the
	// caller. Only those who administer the service may name somebody else.
	User string `json:"user,omitempty"`
	// Machine puts it where everybody on this host can read it instead. Only
	// those who administer the service may.
	Machine  bool         `json:"machine,omitempty"`
	Messages []OldMessage `json:"messages"`
}

// OldMessage is one message that another program has received.
type OldMessage struct {
	From string `json:"from"`
	// Host is the machine that it came from, as the program knew it.
	Host string    `json:"host,omitempty"`
	To   string    `json:"to"`
	Text string    `json:"text"`
	Sent time.Time `json:"sent"`
	Read bool      `json:"read,omitempty"`
}

// ImportAnswer is the answer to POST /v1/import.
type ImportAnswer struct {
	// Taken counts the messages that are in the inbox now, and Known those that
	// were left out because they had been imported before.
	Taken int `json:"taken"`
	Known int `json:"known"`
}

// Import takes old mail of another program into an inbox.
func (c *Client) Import(ctx context.Context, r ImportRequest) (ImportAnswer, error) {
	return ask[ImportAnswer](ctx, c, http.MethodPost, "/v1/import", r)
}
