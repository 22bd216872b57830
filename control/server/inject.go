package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"messngr"
	"messngr/control"
)

// Injection lets another messenger of this host, Samba's file server, hand over
// messages that it has taken.
type Injection interface {
	// Injector is the login name of the user who may, besides root and the user
	// that the service runs as; "" for nobody else.
	Injector() string
	// Inject takes one message and returns when it is stored, with the error of
	// messngr.Accept if it is not.
	Inject(ctx context.Context, r control.InjectRequest) error
}

var errNoInjector = fmt.Errorf("%w: only root, the service's own user, and the user of smbd's message command"+
	" (user in [transport.samba]) may hand over messages", messngr.ErrRefused)

// inject takes a message that Samba's file server has taken.
func (s *Service) inject(ctx context.Context, who messngr.Principal, in control.InjectRequest) (control.InjectAnswer, error) {
	if s.Injection == nil || !mayInject(who, s.Injection.Injector()) {
		return control.InjectAnswer{}, errNoInjector
	}
	if err := checkInjection(&in); err != nil {
		return control.InjectAnswer{}, err
	}
	return Verdict(s.Injection.Inject(ctx, in))
}

// mayInject decides by the user id where that is known: being of the group messngr
// is not enough.
func mayInject(who messngr.Principal, injector string) bool {
	return who.UID == 0 || who.UID >= 0 && who.UID == os.Getuid() || who.UID > 0 && injector != "" && who.Login == injector
}

func checkInjection(r *control.InjectRequest) error {
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
func Verdict(err error) (control.InjectAnswer, error) {
	switch {
	case err == nil:
		return control.InjectAnswer{Taken: true}, nil
	case errors.Is(err, messngr.ErrRefused), errors.Is(err, messngr.ErrTooLong):
		return control.InjectAnswer{Code: messngr.Code(err), Error: err.Error()}, nil
	case errors.Is(err, messngr.ErrPaused), errors.Is(err, messngr.ErrUnknownName):
		// The machine's own name is not there yet, or a person paused the service.
		return control.InjectAnswer{}, fmt.Errorf("%w: %v", messngr.ErrUnavailable, err)
	default:
		return control.InjectAnswer{}, err
	}
}
