package controltest

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"messngr"
	"messngr/control"
)

// send answers by the recipient's name: NOBODY is not found, PAUSED is paused,
// BUSY is busy, LOST loses the last answer, LONG is too short for the text; a
// broadcast is sent without a receipt; all others accept.
func (f *Fake) send(w http.ResponseWriter, r *http.Request) {
	var req control.SendRequest
	if !read(w, r, &req) {
		return
	}
	f.Lock()
	defer f.Unlock()
	f.LastSend = req
	a := control.SendAnswer{ID: ID(200), Reached: true}
	if req.Wall {
		a.Recipients = []control.RecipientAnswer{{To: "PC17", State: messngr.Delivered, Via: "local", Reached: true}}
	}
	for _, to := range req.To {
		ra := recipientAnswer(to)
		if req.Wait != nil && !ra.State.Reached(*req.Wait) {
			ra.Reached = false
		}
		a.Reached = a.Reached && ra.Reached
		a.Recipients = append(a.Recipients, ra)
	}
	now := Time()
	f.Sent = append(f.Sent, control.SentMessage{
		ID: ID(200 + len(f.Sent)), From: "ALICE", Text: req.Text, SentAt: now, Owner: "alice", Recipients: a.Recipients,
		Attempts: []control.Attempt{{To: a.Recipients[0].To, Via: a.Recipients[0].Via, Address: a.Recipients[0].Address, State: a.Recipients[0].State, Began: now, Ended: &now, Error: a.Recipients[0].Error}},
	})
	answer(w, http.StatusOK, a)
}

func recipientAnswer(to string) control.RecipientAnswer {
	ra := control.RecipientAnswer{To: to, State: messngr.Failed}
	switch name, _, _ := strings.Cut(strings.ToUpper(to), ":"); name {
	case "NOBODY":
		ra.Code, ra.Error, ra.Hint = "unknown_name", "nobody on the network has that name", "check the spelling, or give its address with --at"
	case "PAUSED":
		ra.State, ra.Via, ra.Address = messngr.Refused, "smb", "10.0.0.5"
		ra.Code, ra.Error = "paused", "its Messenger service is paused"
	case "BUSY":
		ra.State, ra.Via, ra.Address = messngr.Refused, "smb", "10.0.0.5"
		ra.Code, ra.Error = "busy", "it is busy"
	case "LOST":
		ra.State, ra.Via, ra.Address = messngr.Unknown, "smb", "10.0.0.6"
		ra.Code, ra.Error = "uncertain", "the answer to the last block was lost"
	case "LONG":
		ra.Code, ra.Error = "too_long", "text of 5000 bytes is longer than the 1600 bytes that this route carries"
	case "EVERYONE", "*", "/DOMAIN":
		ra.State, ra.Via, ra.Reached = messngr.Sent, "mailslot", true
	case "/USERS":
		ra.Code, ra.Error = "unknown_name", "nobody has a session on this server"
	default:
		ra.State, ra.Via, ra.Address, ra.Reached = messngr.Accepted, "smb", "10.0.0.17", true
	}
	return ra
}

func (f *Fake) sent(w http.ResponseWriter, _ *http.Request) {
	f.Lock()
	defer f.Unlock()
	l := control.SentList{Messages: slices.Clone(f.Sent)}
	slices.Reverse(l.Messages)
	for i := range l.Messages {
		l.Messages[i].Attempts = nil
	}
	answer(w, http.StatusOK, l)
}

func (f *Fake) sentMessage(w http.ResponseWriter, r *http.Request) {
	f.Lock()
	defer f.Unlock()
	for _, m := range f.Sent {
		if m.ID.String() == r.PathValue("id") {
			answer(w, http.StatusOK, m)
			return
		}
	}
	fail(w, http.StatusNotFound, control.Error{Code: "not_found", Message: "no such message"})
}

// retract takes back what never left the machine.
func (f *Fake) retract(w http.ResponseWriter, r *http.Request) {
	var req control.RetractRequest
	if !read(w, r, &req) {
		return
	}
	f.Lock()
	defer f.Unlock()
	i := slices.IndexFunc(f.Sent, func(m control.SentMessage) bool { return m.ID == req.ID })
	if i < 0 {
		fail(w, http.StatusNotFound, control.Error{Code: "not_found", Message: "no such message"})
		return
	}
	var a control.RetractAnswer
	for _, to := range f.Sent[i].Recipients {
		switch {
		case to.Via == "local":
			a.Count++
		case to.State.Reached(messngr.Sent):
			a.Beyond = append(a.Beyond, to.To)
		}
	}
	answer(w, http.StatusOK, a)
}

func (f *Fake) names(w http.ResponseWriter, _ *http.Request) {
	f.Lock()
	defer f.Unlock()
	answer(w, http.StatusOK, control.NameList{Names: f.Names})
}

// addName knows one name of another machine: TAKEN, at 10.0.0.66; one that is too
// much for this user: ENOUGH; and one that the disk has no room for: FULL.
func (f *Fake) addName(w http.ResponseWriter, r *http.Request) {
	var req control.NameRequest
	if !read(w, r, &req) {
		return
	}
	f.Lock()
	defer f.Unlock()
	switch strings.ToUpper(req.Name) {
	case "TAKEN":
		fail(w, http.StatusConflict, control.Error{Code: "conflict", Message: "TAKEN is owned by 10.0.0.66", Owner: "10.0.0.66"})
		return
	case "ENOUGH":
		fail(w, http.StatusConflict, control.Error{Code: "too_many", Message: "too many names: alice has 8"})
		return
	case "FULL":
		fail(w, http.StatusServiceUnavailable, control.Error{Code: "unavailable", Message: "store: no room on the disk"})
		return
	}
	n := control.Name{Name: strings.ToUpper(req.Name), Suffix: 3, Kind: "alias", State: "registered", Persist: req.Persist, User: req.User}
	f.Names = append(f.Names, n)
	answer(w, http.StatusCreated, n)
}

func (f *Fake) removeName(w http.ResponseWriter, r *http.Request) {
	f.Lock()
	defer f.Unlock()
	i := slices.IndexFunc(f.Names, func(n control.Name) bool { return strings.EqualFold(n.Name, r.PathValue("name")) })
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, control.Error{Code: "not_found", Message: "this computer has no such name"})
	case f.Names[i].Kind == "computer":
		fail(w, http.StatusForbidden, control.Error{Code: "forbidden", Message: "the computer's own name cannot be removed"})
	default:
		f.Names = slices.Delete(f.Names, i, i+1)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *Fake) rules(w http.ResponseWriter, _ *http.Request) {
	f.Lock()
	defer f.Unlock()
	answer(w, http.StatusOK, control.RuleList{Rules: f.Rules})
}

func (f *Fake) addRule(w http.ResponseWriter, r *http.Request) {
	var req control.RuleRequest
	if !read(w, r, &req) {
		return
	}
	f.Lock()
	defer f.Unlock()
	f.Rules = append(f.Rules, control.Rule{Verdict: req.Verdict, Match: req.Match, Source: "set"})
	w.WriteHeader(http.StatusNoContent)
}

func (f *Fake) removeRule(w http.ResponseWriter, r *http.Request) {
	f.Lock()
	defer f.Unlock()
	q := r.URL.Query()
	i := slices.IndexFunc(f.Rules, func(r control.Rule) bool {
		return r.Verdict == q.Get("verdict") && r.Match == q.Get("match") && r.Source == "set"
	})
	if i < 0 {
		fail(w, http.StatusNotFound, control.Error{Code: "not_found", Message: "no such rule"})
		return
	}
	f.Rules = slices.Delete(f.Rules, i, i+1)
	w.WriteHeader(http.StatusNoContent)
}

func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
