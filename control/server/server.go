// Package server serves the API of package control on a unix socket, to people
// whom the kernel vouches for.
package server

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"messngr"
	"messngr/account"
	"messngr/control"
	"messngr/names"
	"messngr/policy"
	"messngr/router"
	"messngr/store"
)

// Spec is the OpenAPI description of the API. A test makes it from the
// operations and their types, so that it says what is true.
//
//go:embed openapi.json
var Spec []byte

// Service is what the API serves.
type Service struct {
	Router *router.Router
	Store  store.Store
	Names  *names.Table
	// Accounts are those of this host.
	Accounts *account.Book
	Policy   *policy.Policy
	Log      *slog.Logger
	// Status describes the service, without the counts of the asker's inbox.
	Status func(ctx context.Context) control.Status
	// Stop ends the service. It may be called before Serve has returned.
	Stop func()
	// MaxNames is how many names somebody may add who does not administer the
	// service.
	MaxNames int
	// NetBIOS asks the name service; nil if it is switched off.
	NetBIOS NetBIOS
	// Who lists the machines on the networks; nil if NetBIOS is switched off.
	Who func(ctx context.Context, quick bool) control.WhoList
	// Injection takes what Samba hands over; nil if it takes nothing.
	Injection Injection

	changes changes
}

// routes is the whole API.
func (s *Service) routes() []route {
	return []route{
		op("GET /v1/status", s.status),
		op("POST /v1/service", s.service).forAdmin(),
		listOp("GET /v1/messages", s.list),
		op("POST /v1/messages", s.send),
		streamOp("GET /v1/messages/watch", s.watch, control.Message{}, control.Event{}),
		op("POST /v1/messages/mark", s.mark),
		op("GET /v1/messages/{id}", s.show),
		op("DELETE /v1/messages/{id}", s.delete),
		op("POST /v1/import", s.importMail),
		op("POST /v1/inject", s.inject),
		listOp("GET /v1/sent", s.sentList),
		op("GET /v1/sent/{id}", s.sentShow),
		op("POST /v1/sent/retract", s.sentRetract),
		op("GET /v1/names", s.nameList),
		op("POST /v1/names", s.nameAdd).created(),
		op("DELETE /v1/names/{name}", s.nameRemove),
		op("GET /v1/netbios/cache", s.netbiosCache),
		op("DELETE /v1/netbios/cache", s.netbiosPurge).forAdmin(),
		op("GET /v1/netbios/adapter", s.netbiosAdapter),
		op("GET /v1/who", s.who),
		op("GET /v1/policy", s.ruleList),
		op("POST /v1/policy", s.ruleSet).forAdmin(),
		op("DELETE /v1/policy", s.ruleRemove).forAdmin(),
		op("GET /v1/openapi.json", s.spec),
	}
}

// Authenticate finds out who sent a request; ok is false if nobody can tell.
type Authenticate func(r *http.Request) (who messngr.Principal, ok bool)

// Handler returns the handlers of the API behind the given authentication.
func (s *Service) Handler(authenticate Authenticate) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			who, ok := authenticate(r)
			switch {
			case !ok:
				writeJSON(w, http.StatusUnauthorized, control.Error{Code: "forbidden", Message: "nobody vouches for this connection"})
				return
			case rt.admin && !who.Admin:
				s.fail(w, errForbidden)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			answer, err := rt.serve(w, r, who)
			switch {
			case err != nil:
				s.fail(w, err)
			case answer == nil:
				w.WriteHeader(rt.status)
			case answer != streamed{}:
				writeJSON(w, rt.status, answer)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if allowed := methods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			s.fail(w, fmt.Errorf("%w: %s %s, want %s", errMethod, r.Method, r.URL.Path, strings.Join(allowed, " or ")))
			return
		}
		s.fail(w, fmt.Errorf("%w: no operation %s %s", messngr.ErrNotFound, r.Method, r.URL.Path))
	})
	return mux
}

// methods lists those with which a request that no operation takes would find one.
func methods(mux *http.ServeMux, r *http.Request) (list []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(other); pattern != "/" {
			list = append(list, method)
		}
	}
	return list
}

var errMethod = errors.New("wrong method")

func writeJSON(w http.ResponseWriter, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil { // a value of our own that JSON does not know: impossible
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answerJSON(w, status)
	_, _ = w.Write(append(body, '\n')) // the asker is gone: nobody to tell
}

// answerJSON begins an answer of JSON.
func answerJSON(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
}

var errForbidden = fmt.Errorf("%w: only root and members of the group messngr may do this", messngr.ErrRefused)

// fail turns an error into the API's answer. It is the only place that does.
func (s *Service) fail(w http.ResponseWriter, err error) {
	status, e := describe(err)
	if status == http.StatusInternalServerError {
		s.Log.Error("request to the API", "err", err)
	}
	writeJSON(w, status, e)
}

// describe says what an error means to who asked.
func describe(err error) (status int, e control.Error) {
	is := func(target error) bool { return errors.Is(err, target) }
	e = control.Error{Code: messngr.Code(err), Message: err.Error()}
	_, wrong := errors.AsType[badRequest](err)
	_, misuse := errors.AsType[*messngr.MisuseError](err)
	taken, isTaken := errors.AsType[*names.TakenError](err)
	switch {
	case wrong, misuse, is(policy.ErrInvalid), is(names.ErrInvalid):
		e.Code, status = "bad_request", http.StatusBadRequest
	case is(errMethod):
		e.Code, status = "bad_request", http.StatusMethodNotAllowed
	case isTaken:
		e.Code, status = "conflict", http.StatusConflict
		if taken.Owner.IsValid() {
			e.Owner = taken.Owner.String()
		}
		e.Hint = "ask its owner to remove it, or choose another name"
	case is(names.ErrExists):
		e.Code, status = "conflict", http.StatusConflict
	case is(names.ErrTooMany):
		e.Code, e.Hint, status = "too_many", "remove one first: messngr name remove NAME", http.StatusConflict
	case is(messngr.ErrUncertain):
		e.Hint, status = hint(e.Code, ""), http.StatusServiceUnavailable
	case is(messngr.ErrRefused), is(names.ErrBuiltin):
		e.Code, status = "forbidden", http.StatusForbidden
	case is(messngr.ErrNotFound):
		status = http.StatusNotFound
	case is(messngr.ErrTooLong):
		e.Hint, status = localHint(e.Code), http.StatusRequestEntityTooLarge // no route takes more
	case is(messngr.ErrUnknownName):
		e.Hint, status = hint(e.Code, ""), http.StatusUnprocessableEntity
	case is(messngr.ErrUnavailable), is(messngr.ErrBusy):
		status = http.StatusServiceUnavailable
	case is(context.Canceled), is(context.DeadlineExceeded): // the asker has gone
		e.Code, status = messngr.Code(messngr.ErrUnavailable), http.StatusServiceUnavailable
	default:
		status = http.StatusInternalServerError
	}
	return status, e
}

// spec describes this API.
func (s *Service) spec(context.Context, messngr.Principal, nothing) (json.RawMessage, error) {
	return Spec, nil
}
