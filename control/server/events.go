package server

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"messngr"
	"messngr/control"
	"messngr/store"
)

// maxPending is how many changes wait for a client that does not read them.
const maxPending = 256

// changes tells streams what happens to messages that their clients may show.
// Arrivals are not among it: the router tells of those.
type changes struct {
	mu        sync.Mutex
	followers map[*follower]struct{}
}

// follower is one stream of events; nil is a stream of nothing but arrivals.
type follower struct {
	who messngr.Principal

	mu      sync.Mutex
	pending []control.Event
	wake    func()
}

// change is what happened to one message.
type change struct {
	id       messngr.ID
	audience string
}

func (c *changes) follow(who messngr.Principal) *follower {
	f := &follower{who: who, wake: func() {}, pending: []control.Event{{Kind: control.EventResync}}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.followers == nil {
		c.followers = make(map[*follower]struct{})
	}
	c.followers[f] = struct{}{}
	return f
}

func (c *changes) leave(f *follower) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.followers, f)
}

// followed reports whether anybody wants to know.
func (c *changes) followed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.followers) > 0
}

// publish tells every follower what happened to the messages that it may see; those
// of the reader alone, if there is one.
func (c *changes) publish(kind, reader string, list []change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.followers {
		if reader != "" && f.who.Login != reader {
			continue
		}
		var ids []messngr.ID
		for _, ch := range list {
			if f.who.MaySee(ch.audience) {
				ids = append(ids, ch.id)
			}
		}
		if len(ids) > 0 {
			f.add(control.Event{Kind: kind, IDs: ids})
		}
	}
}

// resync makes every follower look again.
func (c *changes) resync() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.followers {
		f.add(control.Event{Kind: control.EventResync})
	}
}

func (f *follower) add(e control.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending) >= maxPending {
		f.pending, e = nil, control.Event{Kind: control.EventResync}
	}
	f.pending = append(f.pending, e)
	f.wake()
}

// await has wake called when something is pending, also if it is already.
func (f *follower) await(wake func()) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wake = wake
	if len(f.pending) > 0 {
		wake()
	}
}

func (f *follower) take() []control.Event {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	events := f.pending
	f.pending = nil
	return events
}

// line is a message that has arrived as the stream of f tells of it.
func (f *follower) line(m control.Message) any {
	if f == nil {
		return m
	}
	return control.Event{Kind: control.EventArrived, Message: &m}
}

// tell streams the messages that q selects as they come, and what happens to them if
// there is a follower, one JSON object a line.
func (s *Service) tell(ctx context.Context, q store.Query, f *follower, out *stream) {
	for {
		bounded, cancel := context.WithTimeout(ctx, keepalive)
		f.await(cancel)
		entries, err := s.Router.Await(bounded, q)
		cancel()
		if err != nil && ctx.Err() == nil { // the client cannot know why it ends
			s.Log.Error("stream of messages", "err", err)
		}
		if err != nil || ctx.Err() != nil {
			return
		}
		var list []any
		for _, e := range entries {
			q.After = e.Seq
			list = append(list, f.line(message(e)))
		}
		for _, e := range f.take() {
			list = append(list, e)
		}
		if err := out.send(list...); err != nil {
			return
		}
	}
}

// A stream is an answer of JSON objects, one a line, that goes on.
type stream struct {
	w       http.ResponseWriter
	flusher *http.ResponseController
	encoder *json.Encoder
}

func openStream(w http.ResponseWriter) (*stream, error) {
	s := &stream{w: w, flusher: http.NewResponseController(w), encoder: json.NewEncoder(w)}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	return s, s.flusher.Flush()
}

// send writes the objects, or an empty line that shows that the service is
// there if there are none.
func (s *stream) send(list ...any) error {
	for _, v := range list {
		if err := s.encoder.Encode(v); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		if _, err := s.w.Write([]byte("\n")); err != nil {
			return err
		}
	}
	return s.flusher.Flush()
}

// affected finds out whom a change of messages concerns; before they are
// deleted, nobody can tell afterwards.
func (s *Service) affected(ctx context.Context, who messngr.Principal, ids ...messngr.ID) []change {
	if !s.changes.followed() {
		return nil
	}
	var list []change
	for _, id := range ids {
		e, err := s.Store.Entry(ctx, id, who.Login)
		if err == nil && who.MaySee(e.Message.Audience) {
			list = append(list, change{id, e.Message.Audience})
		}
	}
	return list
}
