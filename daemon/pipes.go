package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"messngr"
	"messngr/carrier/smbd"
	"messngr/control/server"
	"messngr/names"
	"messngr/router"
	"messngr/transport/pipe"
	"messngr/wire/netbios"
)

// buildPipes makes the pipes that are served to clients of smbd, and returns them
// as the transport sees them; nil if they are switched off.
func (d *daemon) buildPipes() pipe.Server {
	if d.samba == nil || !d.s.samba.Pipes {
		return nil
	}
	folder := filepath.Join(filepath.Dir(d.s.Socket), "pipes")
	d.pipes = smbd.NewPipes(d.s.samba, folder, d.log.With("carrier", "smbd"))
	return d.pipes
}

// pipeHost is this host as callers over pipes manage and use it. It is asked when
// the service runs, so that everything is there.
type pipeHost struct{ d *daemon }

// Who implements pipe.Host.
func (h pipeHost) Who(uid int) messngr.Principal { return server.PrincipalOf(&h.d.accounts, uid) }

// Names implements pipe.Host.
func (h pipeHost) Names() []string {
	var list []string
	for _, e := range h.d.names.List() {
		if e.Suffix == netbios.Messenger && !e.Group {
			list = append(list, e.Name)
		}
	}
	return list
}

// AddName implements pipe.Host.
func (h pipeHost) AddName(ctx context.Context, name string) error {
	return nameError(h.d.names.Add(ctx, names.Entry{Name: name, Suffix: netbios.Messenger, Kind: names.Alias}))
}

// RemoveName implements pipe.Host.
func (h pipeHost) RemoveName(ctx context.Context, name string) error {
	return nameError(h.d.names.Remove(ctx, name))
}

// nameError turns an error of the name table into one that the transport knows.
func nameError(err error) error {
	_, taken := errors.AsType[*names.TakenError](err)
	var kind error
	switch {
	case taken:
		kind = pipe.ErrTaken
	case errors.Is(err, names.ErrInvalid):
		kind = pipe.ErrInvalid
	case errors.Is(err, names.ErrExists):
		kind = pipe.ErrExists
	case errors.Is(err, names.ErrTooMany):
		kind = pipe.ErrTooMany
	case errors.Is(err, names.ErrBuiltin):
		kind = pipe.ErrOwn
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// Relay implements pipe.Host.
func (h pipeHost) Relay(ctx context.Context, r pipe.Relay) error {
	to := r.To
	if domain, ok := strings.CutSuffix(to, "*"); ok && domain != "" {
		to = "/domain:" + domain
	}
	sent, err := h.d.router.Send(ctx, router.Request{
		Principal: r.Caller, From: r.From, To: []string{to}, Message: messngr.Message{Text: r.Text},
	})
	if _, misuse := errors.AsType[*messngr.MisuseError](err); misuse {
		return fmt.Errorf("%w: %w", pipe.ErrInvalid, err)
	}
	if err != nil || sent.AllReached() {
		return err
	}
	// The one recipient's last attempt says why not.
	failure, code := "not known in time", messngr.Code(messngr.ErrUncertain)
	if tries := sent.Recipients[0].Attempts; len(tries) > 0 && tries[len(tries)-1].Code != "" {
		failure, code = tries[len(tries)-1].Failure, tries[len(tries)-1].Code
	}
	for _, kind := range []error{messngr.ErrUnknownName, messngr.ErrRefused, messngr.ErrBusy, messngr.ErrPaused, messngr.ErrTooLong, messngr.ErrUnavailable} {
		if messngr.Code(kind) == code {
			return fmt.Errorf("%w: %s", kind, failure)
		}
	}
	return fmt.Errorf("%w: %s", messngr.ErrUncertain, failure)
}
