package server_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
	"messngr/control/server"
)

// injection takes messages, or fails, for the user smbguest.
type injection struct {
	got  []control.InjectRequest
	fail error
}

func (*injection) Injector() string { return "smbguest" }

func (i *injection) Inject(_ context.Context, r control.InjectRequest) error {
	i.got = append(i.got, r)
	return i.fail
}

func injectRequest(t *testing.T) control.InjectRequest {
	t.Helper()
	id, err := messngr.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return control.InjectRequest{
		ID: id, From: "bob", Machine: "pc17", Address: "10.77.0.9", To: "20261121", Text: []byte("B\x81ro"), Length: 9,
		At: time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC),
	}
}

func TestInject(t *testing.T) {
	h := newInboxes(t)
	i := &injection{}
	c := h.serve(t, &server.Service{Injection: i}, messngr.Principal{UID: 65534, Login: "smbguest"})
	r := injectRequest(t)
	answer, err := c.Inject(t.Context(), r)
	if want := (control.InjectAnswer{Taken: true}); err != nil || answer != want {
		t.Errorf("Inject = %+v, %v, want %+v", answer, err, want)
	}
	if diff := cmp.Diff([]control.InjectRequest{r}, i.got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// Being of the group messngr, or being called like the user, is not being the user.
func TestInjectIsForSMBDOnly(t *testing.T) {
	h := newInboxes(t)
	for _, tt := range []struct {
		who  messngr.Principal
		may  bool
		from server.Injection
	}{
		{messngr.Principal{UID: 0, Login: "root"}, true, &injection{}},
		{messngr.Principal{UID: os.Getuid(), Login: "messngr"}, true, &injection{}},
		{messngr.Principal{UID: 65534, Login: "smbguest"}, true, &injection{}},
		{messngr.Principal{UID: 1000, Login: "alice"}, false, &injection{}},
		{messngr.Principal{UID: 1000, Login: "alice", Admin: true}, false, &injection{}},
		{messngr.Principal{UID: -1, Login: "smbguest", Admin: true}, false, &injection{}},
		{messngr.Principal{UID: 1000, Login: ""}, false, nobody{}},
		{messngr.Principal{UID: 0, Login: "root"}, false, nil},
	} {
		c := h.serve(t, &server.Service{Injection: tt.from}, tt.who)
		_, err := c.Inject(t.Context(), injectRequest(t))
		declined, ok := errors.AsType[*control.Error](err)
		if may := err == nil; may != tt.may || !may && (!ok || declined.Code != "forbidden") {
			t.Errorf("%+v: Inject = %v, want that it may be done: %v", tt.who, err, tt.may)
		}
	}
}

// nobody is a service whose smbd runs its command as nobody in particular.
type nobody struct{}

func (nobody) Injector() string { return "" }

func (nobody) Inject(context.Context, control.InjectRequest) error { return nil }

// What will never be taken is an answer; what may be taken later is an error.
func TestInjectVerdicts(t *testing.T) {
	h := newInboxes(t)
	i := &injection{}
	c := h.serve(t, &server.Service{Injection: i}, messngr.Principal{UID: 0})
	for _, tt := range []struct {
		fail         error
		answer, code string
	}{
		{messngr.ErrRefused, "refused", ""},
		{messngr.ErrTooLong, "too_long", ""},
		{messngr.ErrBusy, "", "busy"},
		{messngr.ErrPaused, "", "unavailable"},
		{messngr.ErrUnavailable, "", "unavailable"},
		{messngr.ErrUnknownName, "", "unavailable"},
	} {
		i.fail = fmt.Errorf("why: %w", tt.fail)
		answer, err := c.Inject(t.Context(), injectRequest(t))
		code := ""
		if declined, ok := errors.AsType[*control.Error](err); ok {
			code = declined.Code
		}
		if answer.Taken || answer.Code != tt.answer || code != tt.code || (err != nil) != (tt.code != "") {
			t.Errorf("%v: Inject = %+v, %v, want %q or the error %q", tt.fail, answer, err, tt.answer, tt.code)
		}
	}
	for _, change := range []func(*control.InjectRequest){
		func(r *control.InjectRequest) { r.ID = messngr.ID{} },
		func(r *control.InjectRequest) { r.Address = "pc17" },
	} {
		r := injectRequest(t)
		change(&r)
		_, err := c.Inject(t.Context(), r)
		if declined, ok := errors.AsType[*control.Error](err); !ok || declined.Code != "bad_request" {
			t.Errorf("Inject of %+v = %v, want bad_request", r, err)
		}
	}
}
