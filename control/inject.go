package control

import (
	"context"
	"net/http"
	"time"

	"messngr"
)

// InjectRequest is the body of POST /v1/inject: a message as smbd's message
// command gets it. Nothing of it is proven.
type InjectRequest struct {
	// ID is made by whoever hands the message over. A second request with the
	// same id is the same message.
	ID messngr.ID `json:"id"`
	// From and Machine are the sender and its machine as they call themselves (%f
	// and %m in smb.conf).
	From    string `json:"from"`
	Machine string `json:"machine"`
	// Address is where the machine is (%I); "" if unknown.
	Address string `json:"address,omitempty"`
	// To is whom the sender addressed; "" if unknown.
	To string `json:"to,omitempty"`
	// Text is what stands in the file (%s), or its beginning; it need not be
	// UTF-8.
	Text []byte `json:"text"`
	// Length is the length of the file, if Text is only its beginning.
	Length int64 `json:"length,omitempty"`
	// At is when it was handed over.
	At time.Time `json:"at"`
}

// InjectAnswer is the answer to POST /v1/inject. It is final, also if the message
// was not taken: it would not be later. While the service cannot say, the request
// fails.
type InjectAnswer struct {
	Taken bool `json:"taken"`
	// Code and Error say why it was not, as in RecipientAnswer.
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

// Inject hands a message over.
func (c *Client) Inject(ctx context.Context, r InjectRequest) (InjectAnswer, error) {
	return ask[InjectAnswer](ctx, c, http.MethodPost, "/v1/inject", r)
}
