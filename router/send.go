package router

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"messngr"
	"messngr/store"
)

// Resolver finds addresses for names that the routes do not look up themselves.
type Resolver interface {
	// LookupAddr finds the address of a DNS name.
	LookupAddr(ctx context.Context, host string) (netip.Addr, error)
	// LookupName finds the machine that has a message name.
	LookupName(ctx context.Context, name string) (netip.Addr, error)
}

// Request is a message that somebody on this host wants to send.
type Request struct {
	Principal messngr.Principal
	// From is the name to send as; "": the principal's login name.
	From string
	// To is what the sender wrote, one recipient each; see expand.
	To []string
	// Wall addresses everybody who is logged in on this host instead.
	Wall bool
	// Via is the only route allowed; "": the best.
	Via string
	// Address is where the recipients are; the zero value: look them up.
	Address netip.Addr
	// Message carries level, drill, title, text, answers, expiry, terminal and
	// what it replies to.
	Message messngr.Message
	// Wait allows it to wait for a route until it expires.
	Wait bool
	// Want is the state to wait for; nil: the best that the route can report at
	// once.
	Want *messngr.State
	// Timeout bounds the attempts of a message that does not wait, and how long
	// Send waits for Want.
	Timeout time.Duration
}

// Misuse is an error in what the sender wrote; nothing was sent or stored.
type Misuse struct{ text string }

// Error implements error.
func (e *Misuse) Error() string { return e.text }

func misuse(format string, args ...any) error { return &Misuse{fmt.Sprintf(format, args...)} }

// Send stores the message, carries it to every recipient, and returns what is
// known when every recipient has reached the wanted state or can no longer, or
// when the timeout has passed. The attempts do not end with ctx, only the
// waiting does.
func (r *Router) Send(ctx context.Context, req Request) (Sent, error) {
	if err := r.check(&req); err != nil {
		return Sent{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, req.Timeout)
	defer cancel()
	recipients, err := r.expand(ctx, &req)
	if err != nil {
		return Sent{}, err
	}
	m := req.Message
	if m.ID, err = messngr.NewID(); err != nil {
		return Sent{}, err
	}
	m.Time = time.Now()
	m.From, err = r.sender(&req)
	if err != nil {
		return Sent{}, err
	}
	m.To = strings.Join(req.To, ",")
	out := store.Outgoing{Message: &m, Owner: req.Principal.Login, Wait: req.Wait, Recipients: recipients}
	if err := r.cfg.Store.Queue(ctx, out); err != nil {
		return Sent{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	r.counters.Sent.Add(1)
	deadline, _ := ctx.Deadline()
	done := make(chan struct{})
	r.start(out, deadline, func() { close(done) })
	select {
	case <-done:
	case <-ctx.Done():
	}
	return r.awaitState(ctx, &req, m.ID)
}

// check refuses what cannot be sent, before anything is stored.
func (r *Router) check(req *Request) error {
	m := &req.Message
	switch {
	case len(m.Text) > messngr.MaxText:
		return &messngr.TooLongError{Limit: messngr.MaxText, Length: len(m.Text)}
	case req.Wait && m.Expires.IsZero():
		return misuse("a message that may wait needs a time at which it expires")
	case len(m.Answers) > 9:
		return misuse("%d answers, at most 9 are possible", len(m.Answers))
	case req.Via != "" && !r.hasRoute(req.Via):
		return misuse("unknown route %q, there are %s", req.Via, strings.Join(r.Routes(), ", "))
	}
	if req.Timeout <= 0 {
		req.Timeout = 10 * time.Second
	}
	return nil
}

// Routes lists the names of the ways out.
func (r *Router) Routes() []string {
	list := []string{Local}
	for _, route := range r.cfg.Routes {
		list = append(list, route.Via)
	}
	return list
}

func (r *Router) hasRoute(via string) bool {
	for _, name := range r.Routes() {
		if name == via {
			return true
		}
	}
	return false
}

// sender decides which name the message goes out under. A person who does not
// administer the service may use the own login name and names that receive the
// own messages, so that nobody can pose as somebody else from this host.
func (r *Router) sender(req *Request) (messngr.From, error) {
	login := req.Principal.Login
	from := messngr.From{Claimed: req.From, Proven: login, Trust: messngr.Vouched}
	if req.From == "" {
		from.Claimed = login
		return from, nil
	}
	if req.Principal.Admin || strings.EqualFold(req.From, login) {
		return from, nil
	}
	if e, ok := r.cfg.Names.Lookup(req.From, false); ok && e.User == login {
		return from, nil
	}
	return from, fmt.Errorf("%w: only root and members of the group messngr may send as %q", messngr.ErrRefused, req.From)
}

// Sent is what is known of a message that was sent.
type Sent struct {
	store.Outgoing
	// Reached says, per recipient, that the wanted state was reached.
	Reached []bool
}

// AllReached reports whether every recipient reached the wanted state.
func (s *Sent) AllReached() bool {
	for _, reached := range s.Reached {
		if !reached {
			return false
		}
	}
	return true
}

// awaitState waits until every recipient has reached the wanted state or never
// will, and at most until ctx ends.
func (r *Router) awaitState(ctx context.Context, req *Request, id messngr.ID) (Sent, error) {
	for {
		news := r.evidence.wait()
		out, err := r.cfg.Store.SentMessage(context.WithoutCancel(ctx), id)
		if err != nil {
			return Sent{}, err
		}
		sent := Sent{Outgoing: out, Reached: make([]bool, len(out.Recipients))}
		waiting := false
		for i := range out.Recipients {
			state := out.Recipients[i].State()
			want := r.want(req, &out.Recipients[i])
			sent.Reached[i] = state.Reached(want) && state != messngr.Queued || want == messngr.Queued
			if !sent.Reached[i] && state < messngr.Refused {
				waiting = true
			}
		}
		if !waiting || ctx.Err() != nil {
			return sent, nil
		}
		select {
		case <-ctx.Done():
		case <-news:
		}
	}
}

// want is the state that counts as success for a recipient.
func (r *Router) want(req *Request, to *store.Recipient) messngr.State {
	if req.Want != nil {
		return *req.Want
	}
	if n := len(to.Attempts); n > 0 {
		via := to.Attempts[n-1].Via
		if via == Local {
			return messngr.Delivered
		}
		for _, route := range r.cfg.Routes {
			if route.Via == via {
				return route.Best
			}
		}
	}
	return messngr.Sent
}

// routesFor lists the ways to a recipient, best first.
func (r *Router) routesFor(to *store.Recipient) []Route {
	if to.Via != "" && to.Via != Local {
		for _, route := range r.cfg.Routes {
			if route.Via == to.Via && (route.Group == to.Device.Group || route.Directed) {
				return []Route{route}
			}
		}
		return nil
	}
	local := Route{Via: Local, Sender: localSender{r}, Rich: true, Best: messngr.Delivered}
	if to.Via == Local {
		return []Route{local}
	}
	if _, ours := r.cfg.Names.Lookup(to.Device.Name, false); ours && !to.Device.Group && !to.Device.Address.IsValid() {
		return []Route{local}
	}
	var routes []Route
	for _, route := range r.cfg.Routes {
		if route.Group == to.Device.Group {
			routes = append(routes, route)
		}
	}
	return routes
}

// ErrNoRoute says that no transport carries such a message.
var ErrNoRoute = errors.New("no route carries this")
