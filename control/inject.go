package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"time"

	"messngr"
)

// Injection lets another messenger of this host, Samba's file server, hand over
// messages that it has taken.
type Injection interface {
	// Injector is the login name of the user who may, besides root and the user
	// that the service runs as; "" for nobody else.
	Injector() string
	// Inject takes one message and returns when it is stored, with the error of
	// messngr.Accept if it is not.
	Inject(ctx context.Context, r InjectRequest) error
}

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

var errNoInjector = fmt.Errorf("%w: only root, the service's own user, and the user of smbd's message command"+
	" (user in [transport.samba]) may hand over messages", messngr.ErrRefused)

// inject takes a message that Samba's file server has taken.
func (s *Service) inject(ctx context.Context, who messngr.Principal, in InjectRequest) (InjectAnswer, error) {
	if s.Injection == nil || !mayInject(who, s.Injection.Injector()) {
		return InjectAnswer{}, errNoInjector
	}
	if err := in.check(); err != nil {
		return InjectAnswer{}, err
	}
	return Verdict(s.Injection.Inject(ctx, in))
}

// mayInject decides by the user id where that is known: being of the group messngr
// is not enough.
func mayInject(who messngr.Principal, injector string) bool {
	return who.UID == 0 || who.UID >= 0 && who.UID == os.Getuid() || who.UID > 0 && injector != "" && who.Login == injector
}

func (r *InjectRequest) check() error {
	if r.ID == (messngr.ID{}) {
		return bad("id is missing")
	}
	if r.Address != "" {
		if _, err := netip.ParseAddr(r.Address); err != nil {
			return bad("address %q: want an IP address", r.Address)
		}
	}
	return nil
}

// Verdict divides the errors of Accept into those that stay and those that may
// pass.
func Verdict(err error) (InjectAnswer, error) {
	switch {
	case err == nil:
		return InjectAnswer{Taken: true}, nil
	case errors.Is(err, messngr.ErrRefused), errors.Is(err, messngr.ErrTooLong):
		return InjectAnswer{Code: messngr.Code(err), Error: err.Error()}, nil
	case errors.Is(err, messngr.ErrPaused), errors.Is(err, messngr.ErrUnknownName):
		// The machine's own name is not there yet, or a person paused the service.
		return InjectAnswer{}, fmt.Errorf("%w: %v", messngr.ErrUnavailable, err)
	default:
		return InjectAnswer{}, err
	}
}
