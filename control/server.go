package control

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"messngr"
	"messngr/names"
	"messngr/policy"
	"messngr/router"
	"messngr/store"
)

// Spec is the OpenAPI description of the API, held against the handlers by a test.
//
//go:embed openapi.json
var Spec []byte

// maxBody bounds a request's body: a text of the greatest length, escaped as
// JSON, and what stands around it.
const maxBody = 6*messngr.MaxText + 64<<10

// Service is what the API serves.
type Service struct {
	Router *router.Router
	Store  store.Store
	Names  *names.Table
	Policy *policy.Policy
	Log    *slog.Logger
	// Status describes the service, without the counts of the asker's inbox.
	Status func(ctx context.Context) Status
	// Stop ends the service.
	Stop func()
	// NetBIOS asks the name service; nil if it is switched off.
	NetBIOS NetBIOS

	changes changes
}

// handler serves one request for a principal. What it returns is written as
// JSON; nil as 204 No Content.
type handler func(ctx context.Context, who messngr.Principal, r *http.Request) (any, error)

// route is one operation of the API.
type route struct {
	method, path string
	admin        bool // only for those who administer the service
	status       int  // of success
	serve        handler
	stream       func(w http.ResponseWriter, r *http.Request, who messngr.Principal) error
}

// routes is the whole API.
func (s *Service) routes() []route {
	return append(s.netbiosRoutes(), []route{
		{method: "GET", path: "/v1/status", status: 200, serve: s.status},
		{method: "POST", path: "/v1/service", admin: true, status: 204, serve: s.service},
		{method: "GET", path: "/v1/messages", status: 200, serve: s.list},
		{method: "POST", path: "/v1/messages", status: 200, serve: s.send},
		{method: "GET", path: "/v1/messages/watch", status: 200, stream: s.watch},
		{method: "POST", path: "/v1/messages/mark", status: 200, serve: s.mark},
		{method: "GET", path: "/v1/messages/{id}", status: 200, serve: s.show},
		{method: "DELETE", path: "/v1/messages/{id}", status: 204, serve: s.delete},
		{method: "POST", path: "/v1/import", status: 200, serve: s.importMail},
		{method: "GET", path: "/v1/sent", status: 200, serve: s.sentList},
		{method: "GET", path: "/v1/sent/{id}", status: 200, serve: s.sentShow},
		{method: "GET", path: "/v1/names", status: 200, serve: s.nameList},
		{method: "POST", path: "/v1/names", status: 201, serve: s.nameAdd},
		{method: "DELETE", path: "/v1/names/{name}", status: 204, serve: s.nameRemove},
		{method: "GET", path: "/v1/policy", status: 200, serve: s.ruleList},
		{method: "POST", path: "/v1/policy", admin: true, status: 204, serve: s.ruleSet},
		{method: "DELETE", path: "/v1/policy", admin: true, status: 204, serve: s.ruleRemove},
		{method: "GET", path: "/v1/openapi.json", status: 200, serve: spec},
	}...)
}

// Authenticate finds out who sent a request; ok is false if nobody can tell.
type Authenticate func(r *http.Request) (who messngr.Principal, ok bool)

// Handler returns the handlers of the API behind the given authentication.
func (s *Service) Handler(authenticate Authenticate) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) {
			who, ok := authenticate(r)
			switch {
			case !ok:
				writeError(w, 401, Error{Code: "forbidden", Message: "nobody vouches for this connection"})
				return
			case rt.admin && !who.Admin:
				s.fail(w, errForbidden)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			if rt.stream != nil {
				if err := rt.stream(w, r, who); err != nil {
					s.fail(w, err)
				}
				return
			}
			answer, err := rt.serve(r.Context(), who, r)
			if err != nil {
				s.fail(w, err)
				return
			}
			writeJSON(w, rt.status, answer)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, 404, Error{Code: "not_found", Message: fmt.Sprintf("no operation %s %s", r.Method, r.URL.Path)})
	})
	return mux
}

func spec(context.Context, messngr.Principal, *http.Request) (any, error) {
	return json.RawMessage(Spec), nil
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	body, err := json.Marshal(answer)
	if err != nil {
		writeError(w, 500, Error{Code: "internal", Message: err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the asker is gone: nobody to tell
}

func writeError(w http.ResponseWriter, status int, e Error) { writeJSON(w, status, e) }

var errForbidden = fmt.Errorf("%w: only root and members of the group messngr may do this", messngr.ErrRefused)

// badRequest is an error in what the client sent.
type badRequest struct{ text string }

func (e badRequest) Error() string { return e.text }

func bad(format string, args ...any) error { return badRequest{fmt.Sprintf(format, args...)} }

// fail turns an error into the API's answer. It is the only place that does.
func (s *Service) fail(w http.ResponseWriter, err error) {
	var (
		wrong  badRequest
		misuse *router.Misuse
		taken  *names.TakenError
		e      = Error{Code: messngr.Code(err), Message: err.Error()}
	)
	switch {
	case errors.As(err, &wrong), errors.As(err, &misuse):
		e.Code = "bad_request"
		writeError(w, 400, e)
	case errors.As(err, &taken):
		e.Code = "conflict"
		if taken.Owner.IsValid() {
			e.Owner = taken.Owner.String()
		}
		e.Hint = "ask its owner to remove it, or choose another name"
		writeError(w, 409, e)
	case errors.Is(err, names.ErrExists), errors.Is(err, names.ErrTooMany):
		e.Code = "conflict"
		writeError(w, 409, e)
	case errors.Is(err, messngr.ErrRefused), errors.Is(err, names.ErrBuiltin):
		e.Code = "forbidden"
		writeError(w, 403, e)
	case errors.Is(err, messngr.ErrNotFound):
		e.Code = "not_found"
		writeError(w, 404, e)
	case errors.Is(err, messngr.ErrUnknownName), errors.Is(err, messngr.ErrTooLong):
		e.Hint = hint(e.Code, "")
		writeError(w, 422, e)
	case errors.Is(err, messngr.ErrUnavailable), errors.Is(err, messngr.ErrBusy):
		writeError(w, 503, e)
	default:
		s.Log.Error("request to the API", "err", err)
		writeError(w, 500, e)
	}
}

// decode reads a request's body strictly.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bad("request body: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bad("request body: %v", err)
	}
	if d.More() {
		return bad("request body: more than one value")
	}
	return nil
}

func (s *Service) status(ctx context.Context, who messngr.Principal, _ *http.Request) (any, error) {
	st := s.Status(ctx)
	var err error
	st.Total, st.Unread, err = s.Store.Counts(ctx, who.Audiences())
	return st, err
}

func (s *Service) service(_ context.Context, _ messngr.Principal, r *http.Request) (any, error) {
	var req ServiceRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	switch req.Action {
	case "pause":
		s.Router.Pause()
	case "continue":
		s.Router.Continue()
	case "stop":
		time.AfterFunc(100*time.Millisecond, s.Stop) // after the answer has left
	default:
		return nil, bad("unknown action %q, want pause, continue or stop", req.Action)
	}
	return nil, nil
}
