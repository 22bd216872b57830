package router

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"messngr"
	"messngr/names"
	"messngr/router/recipients"
	"messngr/store"
)

const (
	// defaultTimeout is the Timeout of a Request that has none.
	defaultTimeout = 10 * time.Second
	// graceTime is how long Send waits, after its timeout, for the end of the
	// attempts that the timeout has ended.
	graceTime = time.Second
)

// Request is a message that somebody on this host wants to send.
type Request struct {
	Principal messngr.Principal
	// From is the name to send as; "": the principal's login name.
	From string
	// To is what the sender wrote, one recipient each, as recipients.Query
	// lists them.
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
	// Send waits for Want; 0: 10 s.
	Timeout time.Duration
}

// Sent is what is known of a message that was sent.
type Sent struct {
	store.Outgoing
	// Reached says, per recipient, that the wanted state was reached.
	Reached []bool
}

// AllReached reports whether every recipient reached the wanted state.
func (s *Sent) AllReached() bool { return !slices.Contains(s.Reached, false) }

// Send stores the message, carries it to every recipient, and returns what is
// known when every recipient has reached the wanted state or can no longer, or
// when the timeout has passed. The attempts do not end with ctx, only the
// waiting does. The error is a *messngr.MisuseError, messngr.ErrRefused, messngr.ErrTooLong or
// messngr.ErrUnavailable; then nothing was sent. messngr.ErrUncertain: something may
// have been, but the books cannot be read.
func (r *Router) Send(ctx context.Context, req Request) (Sent, error) {
	if err := r.check(&req); err != nil {
		return Sent{}, err
	}
	from, err := r.sender(&req)
	if err != nil {
		return Sent{}, err
	}
	if req.Timeout <= 0 {
		req.Timeout = defaultTimeout
	}
	deadline := time.Now().Add(req.Timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if err := r.awaitResume(ctx); err != nil {
		return Sent{}, err
	}
	found, err := r.find(ctx, &req)
	if err != nil {
		return Sent{}, err
	}
	out, err := r.queue(ctx, &req, from, found)
	if err != nil {
		return Sent{}, err
	}
	for i := range found {
		r.spawn(func() { r.carry(out, i, found[i].Lost, deadline) })
	}
	defer func() {
		for i := range found {
			r.lost.Delete(recipientKey{out.Message.ID, i})
		}
	}()
	return r.awaitState(ctx, req.Want, out.Message.ID)
}

// awaitResume keeps new messages apart from those that the last run left.
func (r *Router) awaitResume(ctx context.Context) error {
	select {
	case <-r.running.Done():
		return fmt.Errorf("%w: the service is stopping", messngr.ErrUnavailable)
	case <-ctx.Done():
		return fmt.Errorf("%w: the service is still starting", messngr.ErrUnavailable)
	case <-r.resumed:
		return nil
	}
}

// find finds out whom the message is for.
func (r *Router) find(ctx context.Context, req *Request) ([]recipients.Recipient, error) {
	if req.Wall {
		here := store.Recipient{To: r.cfg.Host, Device: messngr.Device{Name: r.cfg.Host}, Via: Local}
		return []recipients.Recipient{{Recipient: here}}, nil
	}
	finder := recipients.Finder{
		Names: r.cfg.Names, Sessions: r.cfg.Sessions, Resolver: r.cfg.Resolver,
		Host: r.cfg.Host, Workgroup: r.cfg.Workgroup, Local: Local,
	}
	return finder.Find(ctx, recipients.Query{To: req.To, Via: req.Via, Address: req.Address, Admin: req.Principal.Admin})
}

// queue stores the message with its recipients.
func (r *Router) queue(ctx context.Context, req *Request, from messngr.From, to []recipients.Recipient) (store.Outgoing, error) {
	m := req.Message
	id, err := messngr.NewID()
	if err != nil {
		return store.Outgoing{}, unavailable(err)
	}
	m.ID, m.Time, m.From, m.Via, m.To = id, time.Now(), from, req.Via, strings.Join(req.To, ",")
	if req.Wall {
		m.To = r.cfg.Host
	}
	out := store.Outgoing{Message: &m, Owner: req.Principal.Login, Wait: req.Wait}
	for i := range to {
		out.Recipients = append(out.Recipients, to[i].Recipient)
	}
	if err := r.cfg.Store.Queue(ctx, out); err != nil {
		return store.Outgoing{}, unavailable(err)
	}
	r.counters.Sent.Add(1)
	return out, nil
}

// sender decides which name the message goes out under. A person who does not
// administer the service may use the own name and names that receive the own
// messages, so that nobody can pose as somebody else from this host.
func (r *Router) sender(req *Request) (messngr.From, error) {
	login := req.Principal.Login
	own := names.OfLogin(login)
	if own != login {
		if other, ok := r.cfg.Sessions.Account(own); ok && other != login {
			own = login // somebody of this host goes by it, root for one
		}
	}
	if e, ok := r.cfg.Names.Lookup(own, false); ok && e.User != "" && e.User != login {
		own = login // somebody else goes by it, of another domain or none
	}
	from := messngr.From{Claimed: req.From, Proven: login, Trust: messngr.Vouched}
	if req.From == "" {
		from.Claimed = own
		return from, nil
	}
	if req.Principal.Admin || strings.EqualFold(req.From, own) || strings.EqualFold(req.From, login) {
		return from, nil
	}
	if e, ok := r.cfg.Names.Lookup(req.From, false); ok && e.User != "" && e.User == login {
		return from, nil
	}
	return from, fmt.Errorf("%w: only root and members of the group messngr may send as %q", messngr.ErrRefused, req.From)
}

// awaitState waits until every recipient has reached the wanted state or never
// will, and at most until ctx ends, and a little longer if that has just ended
// the attempts.
func (r *Router) awaitState(ctx context.Context, want *messngr.State, id messngr.ID) (Sent, error) {
	ended, stopped := ctx.Done(), r.running.Done()
	var grace <-chan time.Time
	for {
		news := r.evidence.wait()
		out, err := r.cfg.Store.SentMessage(context.WithoutCancel(ctx), id)
		if err != nil {
			return Sent{}, fmt.Errorf("%w: it was on its way, and what became of it cannot be read: %w", messngr.ErrUncertain, err)
		}
		r.addLost(&out)
		sent, hope, busy := r.assess(out, want)
		if !hope || grace != nil && !busy {
			return sent, nil
		}
		select {
		case <-ended:
			if ended = nil; ctx.Err() == context.Canceled {
				return sent, nil // nobody waits any more
			}
			grace = time.After(graceTime)
		case <-stopped:
			stopped, grace = nil, time.After(graceTime)
		case <-grace:
			return sent, nil
		case <-news:
		}
	}
}

// assess says what is known of a message: whether there is hope that waiting
// shows more, and whether attempts are about to end.
func (r *Router) assess(out store.Outgoing, want *messngr.State) (sent Sent, hope, busy bool) {
	sent = Sent{Outgoing: out, Reached: make([]bool, len(out.Recipients))}
	for i := range out.Recipients {
		to := &out.Recipients[i]
		state, wanted := to.State(), r.bestAtOnce(to)
		if want != nil {
			wanted = *want
		}
		sent.Reached[i] = wanted == messngr.Queued || state != messngr.Queued && state.Reached(wanted)
		if !sent.Reached[i] && state < messngr.Refused && (to.Open() || r.hasReceipts(lastVia(to))) {
			hope = true
		}
		running := slices.ContainsFunc(to.Attempts, func(a store.Attempt) bool { return a.Ended.IsZero() })
		busy = busy || running || to.Open() && !out.Wait
	}
	return sent, hope, busy
}

// Reached says, per recipient of a sent message, whether the best state was reached
// that the route can report at once.
func (r *Router) Reached(out store.Outgoing) []bool {
	sent, _, _ := r.assess(out, nil)
	return sent.Reached
}

// bestAtOnce is the state that counts as success for a recipient if the sender
// wants nothing special.
func (r *Router) bestAtOnce(to *store.Recipient) messngr.State {
	via := lastVia(to)
	if via == Local {
		return messngr.Delivered
	}
	for _, route := range r.cfg.Routes {
		if route.Via == via {
			return route.Best
		}
	}
	return messngr.Sent
}

// hasReceipts reports whether evidence may come after an attempt has ended.
func (r *Router) hasReceipts(via string) bool {
	return via == Local || slices.ContainsFunc(r.cfg.Routes, func(route Route) bool { return route.Via == via && route.Rich })
}

// lastVia is the route of the last attempt; "" if there was none.
func lastVia(to *store.Recipient) string {
	if n := len(to.Attempts); n > 0 {
		return to.Attempts[n-1].Via
	}
	return ""
}

// Routes lists the names of the ways out.
func (r *Router) Routes() []string {
	list := []string{Local}
	for _, route := range r.cfg.Routes {
		list = append(list, route.Via)
	}
	return list
}

// routesFor lists the ways to a recipient, best first.
func (r *Router) routesFor(to *store.Recipient) []Route {
	local := Route{Via: Local, Sender: localSender{r}, Rich: true, Best: messngr.Delivered}
	switch {
	case to.Via == Local:
		return []Route{local}
	case to.Via == "" && !to.Device.Group && !to.Device.Address.IsValid():
		if _, ours := r.cfg.Names.Lookup(to.Device.Name, false); ours {
			return []Route{local}
		}
	}
	var routes []Route
	for _, route := range r.cfg.Routes {
		fits := route.Group == to.Device.Group && (to.Via != "" || !route.Asked)
		if to.Via != "" {
			fits = route.Via == to.Via && (fits || route.Directed)
		}
		if fits {
			routes = append(routes, route)
		}
	}
	return routes
}
