package controltest

import (
	"encoding/json"
	"net/http"
	"strconv"

	"messngr"
	"messngr/control"
)

// happened tells the streams of events. The caller holds the lock.
func (f *Fake) happened(e control.Event) {
	f.events = append(f.events, e)
	close(f.arrived)
	f.arrived = make(chan struct{})
}

// Mark marks messages as somebody at another place would.
func (f *Fake) Mark(as string, ids ...messngr.ID) {
	f.Lock()
	defer f.Unlock()
	f.setMark(as, ids)
}

// setMark marks messages and tells how many there were. The caller holds the lock.
func (f *Fake) setMark(as string, ids []messngr.ID) int {
	at := Time()
	var there []messngr.ID
	for i := range f.Messages {
		m := &f.Messages[i]
		for _, id := range ids {
			if id != m.ID {
				continue
			}
			there = append(there, id)
			switch as {
			case "shown":
				m.ShownAt = &at
			case "read":
				m.ReadAt = &at
			case "unread":
				m.ReadAt = nil
			case "acknowledged":
				m.AcknowledgedAt = &at
			case "retracted": // by its sender
				m.ExpiresAt = &at
			}
		}
	}
	if len(there) > 0 && as != "shown" {
		f.happened(control.Event{Kind: as, IDs: there})
	}
	return len(there)
}

func (f *Fake) watchEvents(w http.ResponseWriter, r *http.Request) {
	out := json.NewEncoder(w)
	out.Encode(control.Event{Kind: control.EventResync})
	f.Lock()
	seen, hangUp := len(f.events), f.hangUp
	if after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64); err == nil {
		for _, m := range f.Messages {
			if m.Seq > after {
				out.Encode(control.Event{Kind: control.EventArrived, Message: &m})
			}
		}
	}
	f.Unlock()
	for {
		f.Lock()
		news, next := f.events[seen:], f.arrived
		seen = len(f.events)
		f.Unlock()
		for _, e := range news {
			out.Encode(e)
		}
		w.(http.Flusher).Flush()
		select {
		case <-next:
		case <-hangUp:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// HangUp ends all streams of events, as a service does that starts anew.
func (f *Fake) HangUp() {
	f.Lock()
	defer f.Unlock()
	close(f.hangUp)
	f.hangUp = make(chan struct{})
}

func (f *Fake) importMail(w http.ResponseWriter, r *http.Request) {
	var req control.ImportRequest
	if !read(w, r, &req) {
		return
	}
	f.Lock()
	defer f.Unlock()
	f.Imports = append(f.Imports, req)
	answer(w, http.StatusOK, control.ImportAnswer{Taken: len(req.Messages)})
}
