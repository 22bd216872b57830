package control

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"messngr"
	"messngr/router"
	"messngr/store"
)

// keepalive is how often a stream without messages sends an empty line.
const keepalive = 30 * time.Second

func (s *Service) list(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	who, err := asOwner(r.URL.Query(), who)
	if err != nil {
		return nil, err
	}
	q, err := query(r.URL.Query(), who)
	if err != nil {
		return nil, err
	}
	entries, err := s.Store.Inbox(ctx, q)
	if err != nil {
		return nil, err
	}
	answer := MessageList{Messages: make([]Message, len(entries))}
	for i, e := range entries {
		answer.Messages[i] = message(e)
	}
	answer.Total, answer.Unread, err = s.Store.Counts(ctx, who.Audiences())
	return answer, err
}

// asOwner is the principal as whom a list is asked for: one who administers the
// service is asked like anybody else if only the own messages are wanted.
func asOwner(values url.Values, who messngr.Principal) (messngr.Principal, error) {
	own, err := boolean(values, "own")
	if own {
		who.Admin = false
	}
	return who, err
}

// query reads the parameters of a list.
func query(values url.Values, who messngr.Principal) (store.Query, error) {
	q := store.Query{Audiences: who.Audiences(), Search: values.Get("search")}
	for name, into := range map[string]*bool{"unread": &q.Unread, "oldest": &q.Oldest} {
		var err error
		if *into, err = boolean(values, name); err != nil {
			return q, err
		}
	}
	for name, into := range map[string]*int64{"after": &q.After, "before": &q.Before} {
		if err := number(values, name, into); err != nil {
			return q, err
		}
	}
	var limit int64
	if err := number(values, "limit", &limit); err != nil {
		return q, err
	}
	q.Limit = int(min(limit, 10_000))
	return q, nil
}

func boolean(values url.Values, name string) (bool, error) {
	v := values.Get(name)
	if v == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, bad("%s=%q: want true or false", name, v)
	}
	return b, nil
}

func number(values url.Values, name string, into *int64) error {
	v := values.Get(name)
	if v == "" {
		return nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return bad("%s=%q: want a number that is not negative", name, v)
	}
	*into = n
	return nil
}

// message turns a stored message into what the API shows.
func message(e store.Entry) Message {
	m := e.Message
	out := Message{
		ID: m.ID, Seq: e.Seq, From: m.From.Claimed, To: m.To, Text: m.Text, Via: m.Via,
		Trust: m.From.Trust, Proven: m.From.Proven, ReceivedAt: m.Time, Level: m.Level, Drill: m.Drill,
		Title: m.Title, Answers: m.Answers, Warning: m.Warning, Audience: m.Audience,
		Quiet: e.Quiet, ExpiresAt: when(m.Expires), ShownAt: when(e.Shown), ReadAt: when(e.Read), AcknowledgedAt: when(e.Acknowledged),
	}
	if m.From.Address.IsValid() {
		out.Address = m.From.Address.String()
	}
	if m.InReplyTo != (messngr.ID{}) {
		out.InReplyTo = m.InReplyTo.String()
	}
	return out
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// id reads the id of the request's path.
func id(r *http.Request) (messngr.ID, error) {
	id, err := messngr.ParseID(r.PathValue("id"))
	if err != nil {
		return id, bad("%q is not the id of a message", r.PathValue("id"))
	}
	return id, nil
}

func (s *Service) show(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	e, err := s.Store.Entry(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !who.MaySee(e.Message.Audience):
		return nil, messngr.ErrNotFound
	}
	return message(e), nil
}

func (s *Service) delete(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	gone := s.affected(ctx, who, id)
	n, err := s.Router.Delete(ctx, who, id)
	if err == nil && n == 0 {
		err = messngr.ErrNotFound
	}
	if err == nil {
		s.changes.publish(EventDeleted, gone)
	}
	return nil, err
}

func (s *Service) mark(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	var req MarkRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	marks := map[string]store.Mark{"shown": store.Shown, "read": store.Read, "unread": store.Unread, "acknowledged": store.Acknowledged}
	mark, ok := marks[req.As]
	if !ok {
		return nil, bad("as=%q: want shown, read, unread or acknowledged", req.As)
	}
	n, err := s.Router.Mark(ctx, who, mark, req.IDs...)
	if err == nil && mark != store.Shown {
		s.changes.publish(req.As, s.affected(ctx, who, req.IDs...))
	}
	return CountAnswer{Count: n}, err
}

// watch streams messages as they come, one JSON object a line, after the one
// with the given number, or new ones only; with events=true it streams Events.
// It ends when the client leaves or the service stops.
func (s *Service) watch(w http.ResponseWriter, r *http.Request, who messngr.Principal) error {
	who, err := asOwner(r.URL.Query(), who)
	if err != nil {
		return err
	}
	q, err := query(r.URL.Query(), who)
	if err != nil {
		return err
	}
	events, err := boolean(r.URL.Query(), "events")
	if err != nil {
		return err
	}
	if r.URL.Query().Get("after") == "" {
		newest, err := s.Store.Inbox(r.Context(), store.Query{Limit: 1})
		if err != nil {
			return err
		}
		if len(newest) == 1 {
			q.After = newest[0].Seq
		}
	}
	if events {
		return s.watchEvents(w, r, who, q)
	}
	out, err := openStream(w)
	if err != nil {
		return nil // the client has gone
	}
	for {
		ctx, cancel := context.WithTimeout(r.Context(), keepalive)
		entries, err := s.Router.Await(ctx, q)
		cancel()
		if r.Context().Err() != nil || err != nil {
			return nil
		}
		var list []any
		for _, e := range entries {
			q.After = e.Seq
			list = append(list, message(e))
		}
		if err := out.send(list...); err != nil {
			return nil
		}
	}
}

func (s *Service) send(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	var req SendRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	out := router.Request{
		Principal: who, From: req.From, To: req.To, Wall: req.Wall, Via: req.Via, Want: req.Wait,
		Timeout: time.Duration(min(req.TimeoutSeconds, 300) * float64(time.Second)),
		Message: messngr.Message{
			Text: req.Text, Title: req.Title, Level: req.Level, Drill: req.Drill, Answers: req.Answers,
			InReplyTo: req.InReplyTo, Terminal: req.Terminal,
		},
	}
	if req.Address != "" {
		addr, err := netip.ParseAddr(req.Address)
		if err != nil {
			return nil, bad("address %q: %v", req.Address, err)
		}
		out.Address = addr.Unmap()
	}
	if req.ExpireSeconds > 0 {
		out.Wait = true
		out.Message.Expires = time.Now().Add(time.Duration(req.ExpireSeconds) * time.Second)
	}
	sent, err := s.Router.Send(ctx, out)
	if err != nil {
		return nil, err
	}
	return SendAnswer{ID: sent.Message.ID, Recipients: recipients(&sent.Outgoing, sent.Reached), Reached: sent.AllReached()}, nil
}

// recipients says what is known for every recipient.
func recipients(out *store.Outgoing, reached []bool) []RecipientAnswer {
	list := make([]RecipientAnswer, len(out.Recipients))
	for i := range out.Recipients {
		to := &out.Recipients[i]
		a := RecipientAnswer{To: to.To, State: to.State()}
		if n := len(to.Attempts); n > 0 {
			last := to.Attempts[n-1]
			a.Via, a.Detail = last.Via, last.Evidence.Detail
			a.Error, a.Code = last.Failure, last.Code
			a.Address = host(last.Evidence.Address)
			a.Hint = hint(last.Code, last.Via)
			if last.Evidence.Lossy {
				a.Detail = join(a.Detail, "characters that the code page lacks were replaced")
			}
		}
		if reached != nil {
			a.Reached = reached[i]
		}
		list[i] = a
	}
	return list
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

func host(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.Addr().String()
}

// hint says what the sender of a message that did not arrive can do.
func hint(code, via string) string {
	switch code {
	case "unknown_name":
		return "check the spelling; is that machine on, on the same network, and its Messenger service running? With its address: send --at ADDRESS NAME"
	case "refused":
		return "the other side does not take messages from here"
	case "busy":
		return "try again in a while"
	case "paused":
		return "the Messenger service there is paused"
	case "too_long":
		return "shorten the text or choose another route with --via"
	case "unavailable":
		if via == "mailslot" {
			return "see messngr status for the ports in use"
		}
		return "is the machine on, and does a firewall between you and it let TCP 139 through?"
	case "uncertain":
		return "the answer to the last step was lost, so it may or may not have arrived; ask before you send it again"
	}
	return ""
}

func (s *Service) sentList(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	q, err := query(r.URL.Query(), who)
	if err != nil {
		return nil, err
	}
	q.Audiences = owners(who)
	list, err := s.Store.Sent(ctx, q)
	if err != nil {
		return nil, err
	}
	answer := SentList{Messages: make([]SentMessage, len(list))}
	for i := range list {
		answer.Messages[i] = sentMessage(&list[i], false)
	}
	return answer, nil
}

// owners lists whose sent messages a principal may read: the own ones.
func owners(who messngr.Principal) []string {
	if who.Admin {
		return nil
	}
	return []string{who.Login}
}

func (s *Service) sentShow(ctx context.Context, who messngr.Principal, r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	out, err := s.Store.SentMessage(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !who.Admin && out.Owner != who.Login:
		return nil, messngr.ErrNotFound
	}
	return sentMessage(&out, true), nil
}

func sentMessage(out *store.Outgoing, attempts bool) SentMessage {
	m := out.Message
	sent := SentMessage{
		ID: m.ID, From: m.From.Claimed, Text: m.Text, Title: m.Title, Level: m.Level, SentAt: m.Time,
		ExpiresAt: when(m.Expires), Owner: out.Owner, Recipients: recipients(out, nil),
	}
	if !attempts {
		return sent
	}
	for i := range out.Recipients {
		for _, a := range out.Recipients[i].Attempts {
			sent.Attempts = append(sent.Attempts, Attempt{
				To: out.Recipients[i].To, Via: a.Via, Address: host(a.Evidence.Address), State: a.Evidence.State,
				Began: a.Began, Ended: when(a.Ended), Detail: a.Evidence.Detail, Error: a.Failure,
			})
		}
	}
	return sent
}
