// Package controltest is a service without a network: it speaks the API of
// package control over a unix socket, with made-up messages, so that clients
// can be tested without carriers, store or privileges.
package controltest

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr"
	"messngr/control"
)

// A Fake is a service with made-up content. Its fields may be changed before
// the first request, and under Lock afterwards.
type Fake struct {
	sync.Mutex
	State    control.Status
	Messages []control.Message // oldest first, Seq ascending
	Sent     []control.SentMessage
	Names    []control.Name
	Rules    []control.Rule
	// Deny makes every change fail as for a user who may not make it.
	Deny bool
	// LastSend is the last request to send.
	LastSend control.SendRequest
	// Imports are all requests to import.
	Imports []control.ImportRequest

	events  []control.Event
	arrived chan struct{} // closed and replaced when a message arrives or an event happens
	hangUp  chan struct{} // closed and replaced by HangUp

	watchers int // streams of messages that were opened
}

// Time returns when everything in a Fake happened.
func Time() time.Time { return time.Date(2026, 11, 21, 9, 14, 3, 0, time.UTC) }

// ID returns the made-up id with the number n.
func ID(n int) messngr.ID {
	id := messngr.ID{0x01, 0x9a, 0, 0, 0, byte(n), 0x70, 0, 0x80}
	id[12], id[13], id[14], id[15] = byte(n>>8), 0xa0, 0xb0, byte(n)
	return id
}

// New returns a Fake with the content that the tests of the command line know:
// machine PC17 with three messages, the second of them already read.
func New() *Fake {
	f := &Fake{arrived: make(chan struct{}), hangUp: make(chan struct{})}
	f.Messages = []control.Message{
		{ID: ID(1), Seq: 4, From: "BOSS", To: "PC17", Text: "Please call me.", Via: "smb", Address: "10.0.0.7"},
		{ID: ID(2), Seq: 5, From: "FS01", To: "WORKGROUP", Text: "Reboot of FS01 at 18:00,\nsave your work", Via: "mailslot", Address: "10.0.0.2"},
		{ID: ID(3), Seq: 7, From: "MÜLLER", To: "PC17", Text: "grüße \x1b[31mred \u202eevil", Via: "smb", Address: "10.0.0.9",
			Warning: "the sender's name is reserved"},
	}
	for i := range f.Messages {
		f.Messages[i].ReceivedAt = Time().Add(time.Duration(i) * time.Minute)
	}
	f.Messages[1].ReadAt = &f.Messages[2].ReceivedAt
	f.Names = []control.Name{
		{Name: "PC17", Kind: "computer", State: "registered"},
		{Name: "PC17", Suffix: 3, Kind: "computer", State: "registered", Places: []control.NamePlace{{Carrier: "nbt", Interface: "eth0", State: "registered"}}},
		{Name: "ALICE", Suffix: 3, Kind: "user", User: "alice", State: "registered"},
		{Name: "BACKUP", Suffix: 3, Kind: "alias", State: "conflict", Owner: "10.0.0.9", Persist: true},
		{Name: "WORKGROUP", Group: true, Kind: "workgroup", State: "registered"},
	}
	f.Rules = []control.Rule{
		{Verdict: "allow", Match: "10.0.0.0/24", Source: "attached"},
		{Verdict: "block", Match: "name:SPAMMER", Source: "set"},
	}
	f.State = control.Status{
		Name: "PC17", Workgroup: "WORKGROUP", Version: "1.0.0", PID: 812, Started: Time(), State: "running",
		StateDir: "/var/lib/messngr", Socket: "/run/messngr/messngr.sock", NodeType: "B", CodePage: "850",
		Interfaces: []control.Interface{{Name: "lo", Prefix: "127.0.0.1/8"}},
		Available:  []control.Interface{{Name: "eth0", Prefix: "10.0.0.17/24"}},
		Ports: []control.Port{
			{Network: "udp", Address: "127.0.0.1:137", Purpose: "name service", OK: true},
			{Network: "tcp", Address: "127.0.0.1:139", Purpose: "sessions", Error: "address already in use", Holder: "smbd (pid 812)", Hint: "set smb ports = 445 in smb.conf"},
		},
		Transports: []control.Part{{Name: "smb", Summary: "messages by SMB sessions"}},
		Displays:   []control.Part{{Name: "tty", Summary: "terminals of logged-in people"}},
		Counters:   map[string]int64{"received": 41, "refused": 2},
		Refused:    []control.Refusal{{Address: "192.0.2.9", From: "SPAM", Reason: "not from an attached subnet", Count: 2, Last: Time(), Allow: "messngr policy allow 192.0.2.9"}},
	}
	return f
}

// Start serves f on a new unix socket until the test ends, and returns the
// path of the socket.
func Start(t testing.TB, f *Fake) string {
	t.Helper()
	// Not t.TempDir(): its path may be longer than a socket's may be.
	socket := shortDir(t) + "/s"
	f.Serve(t, socket)
	return socket
}

// Serve serves f on the socket until the test ends.
func (f *Fake) Serve(t testing.TB, socket string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: f.Handler()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
}

// Handler returns the API.
func (f *Fake) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", f.status)
	mux.HandleFunc("POST /v1/service", f.service)
	mux.HandleFunc("GET /v1/messages", f.list)
	mux.HandleFunc("POST /v1/messages", f.send)
	mux.HandleFunc("POST /v1/messages/mark", f.mark)
	mux.HandleFunc("GET /v1/messages/watch", f.watch)
	mux.HandleFunc("GET /v1/messages/{id}", f.message)
	mux.HandleFunc("DELETE /v1/messages/{id}", f.delete)
	mux.HandleFunc("POST /v1/import", f.importMail)
	mux.HandleFunc("GET /v1/sent", f.sent)
	mux.HandleFunc("GET /v1/sent/{id}", f.sentMessage)
	mux.HandleFunc("POST /v1/sent/retract", f.retract)
	mux.HandleFunc("GET /v1/names", f.names)
	mux.HandleFunc("POST /v1/names", f.addName)
	mux.HandleFunc("DELETE /v1/names/{name}", f.removeName)
	mux.HandleFunc("GET /v1/policy", f.rules)
	mux.HandleFunc("POST /v1/policy", f.addRule)
	mux.HandleFunc("DELETE /v1/policy", f.removeRule)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Lock()
		deny := f.Deny
		f.Unlock()
		if deny && r.Method != http.MethodGet {
			fail(w, http.StatusForbidden, control.Error{Code: "forbidden", Message: "only root and the group messngr may do that"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Arrive adds a message, as if it came in just now, and tells the watchers.
func (f *Fake) Arrive(m control.Message) {
	f.Lock()
	defer f.Unlock()
	m.Seq = f.last() + 1
	m.ID = ID(int(m.Seq))
	if m.ReceivedAt.IsZero() {
		m.ReceivedAt = Time()
	}
	f.Messages = append(f.Messages, m)
	f.happened(control.Event{Kind: control.EventArrived, Message: &m})
}

// last is the number of the newest message.
func (f *Fake) last() int64 {
	if len(f.Messages) == 0 {
		return 0
	}
	return f.Messages[len(f.Messages)-1].Seq
}

func (f *Fake) status(w http.ResponseWriter, _ *http.Request) {
	f.Lock()
	defer f.Unlock()
	s := f.State
	s.Names = f.Names
	s.Total, s.Unread = f.counts()
	answer(w, http.StatusOK, s)
}

func (f *Fake) counts() (total, unread int) {
	for _, m := range f.Messages {
		if m.ReadAt == nil {
			unread++
		}
	}
	return len(f.Messages), unread
}

func (f *Fake) service(w http.ResponseWriter, r *http.Request) {
	var req control.ServiceRequest
	if !read(w, r, &req) {
		return
	}
	f.Lock()
	defer f.Unlock()
	states := map[string]string{"pause": "paused", "continue": "running", "stop": "running"}
	if f.State.State = states[req.Action]; f.State.State == "" {
		fail(w, http.StatusBadRequest, control.Error{Code: "bad_request", Message: "unknown action"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *Fake) list(w http.ResponseWriter, r *http.Request) {
	f.Lock()
	defer f.Unlock()
	q := r.URL.Query()
	l := control.MessageList{Messages: []control.Message{}}
	l.Total, l.Unread = f.counts()
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	for _, m := range f.Messages {
		found := strings.Contains(strings.ToLower(m.From+" "+m.Text), strings.ToLower(q.Get("search")))
		if m.Seq > after && (before == 0 || m.Seq < before) && found && (m.ReadAt == nil || q.Get("unread") == "") {
			l.Messages = append(l.Messages, m)
		}
	}
	if q.Get("oldest") == "" {
		slices.Reverse(l.Messages)
	}
	if n, _ := strconv.Atoi(q.Get("limit")); n > 0 && n < len(l.Messages) {
		l.Messages = l.Messages[:n]
	}
	answer(w, http.StatusOK, l)
}

func (f *Fake) find(w http.ResponseWriter, r *http.Request) int {
	i := slices.IndexFunc(f.Messages, func(m control.Message) bool { return m.ID.String() == r.PathValue("id") })
	if i < 0 {
		fail(w, http.StatusNotFound, control.Error{Code: "not_found", Message: "no such message"})
	}
	return i
}

func (f *Fake) message(w http.ResponseWriter, r *http.Request) {
	f.Lock()
	defer f.Unlock()
	if i := f.find(w, r); i >= 0 {
		answer(w, http.StatusOK, f.Messages[i])
	}
}

func (f *Fake) delete(w http.ResponseWriter, r *http.Request) {
	f.Lock()
	defer f.Unlock()
	if i := f.find(w, r); i >= 0 {
		f.happened(control.Event{Kind: control.EventDeleted, IDs: []messngr.ID{f.Messages[i].ID}})
		f.Messages = slices.Delete(f.Messages, i, i+1)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *Fake) mark(w http.ResponseWriter, r *http.Request) {
	var req control.MarkRequest
	if !read(w, r, &req) {
		return
	}
	f.Lock()
	defer f.Unlock()
	answer(w, http.StatusOK, control.CountAnswer{Count: f.setMark(req.As, req.IDs)})
}

// Watched says how often somebody began to watch for messages.
func (f *Fake) Watched() int {
	f.Lock()
	defer f.Unlock()
	return f.watchers
}

func (f *Fake) watch(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	if r.URL.Query().Get("events") == "true" {
		f.watchEvents(w, r)
		return
	}
	f.Lock()
	last := f.last()
	f.watchers++
	f.Unlock()
	if after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64); err == nil {
		last = after
	}
	w.Write([]byte("\n")) // a keepalive at once
	for {
		f.Lock()
		for _, m := range f.Messages {
			if m.Seq > last {
				json.NewEncoder(w).Encode(m)
				last = m.Seq
			}
		}
		next := f.arrived
		f.Unlock()
		w.(http.Flusher).Flush()
		select {
		case <-next:
		case <-r.Context().Done():
			return
		}
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, e control.Error) { answer(w, status, e) }

func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		fail(w, http.StatusBadRequest, control.Error{Code: "bad_request", Message: err.Error()})
		return false
	}
	return true
}
