package server_test

import (
	"fmt"
	"os/user"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
)

func TestService(t *testing.T) {
	h := newHouse(t)
	h.want(root, "POST", "/v1/service", `{"action":"pause"}`, 204, "")
	if !h.service.Router.Paused() {
		t.Error("it is not paused")
	}
	h.want(root, "POST", "/v1/service", `{"action":"continue"}`, 204, "")
	if h.service.Router.Paused() {
		t.Error("it is still paused")
	}
	h.want(root, "POST", "/v1/service", `{"action":"stop"}`, 204, "")
	if h.stopped != 1 {
		t.Errorf("stopped %d times", h.stopped)
	}
}

func TestNames(t *testing.T) {
	h := newHouse(t)
	places := []control.NamePlace{{Carrier: "nbt", Interface: "eth0", State: "registered"}}
	bobs := []control.NamePlace{
		{Carrier: "nbt", Interface: "eth0", State: "registered"},
		{Carrier: "nbt", Interface: "eth1", State: "conflict", Owner: "10.0.0.9"},
		{Carrier: "nbt", Interface: "eth2", State: "claiming"},
	}
	want := control.NameList{Names: []control.Name{
		{Name: "PC17", Suffix: 3, Kind: "computer", State: "registered", Places: places},
		{Name: "ALICE", Suffix: 3, Kind: "user", User: "alice", State: "registered", Places: places},
		{Name: "BOB", Suffix: 3, Kind: "user", User: "bob", State: "conflict", Owner: "10.0.0.9", Places: bobs},
	}}
	if diff := cmp.Diff(want, get[control.NameList](h, alice, "GET", "/v1/names", "")); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		who    messngr.Principal
		body   string
		status int
		code   string
	}{
		{alice, `{"name":"printers"}`, 201, ""},
		{alice, `{"name":"PRINTERS"}`, 409, "conflict"},
		{bob, `{"name":"printers"}`, 409, "conflict"},
		{alice, `{"name":"taken"}`, 409, "conflict"},
		{alice, `{"name":""}`, 400, "bad_request"},
		{alice, `{"name":"A NAME THAT IS TOO LONG"}`, 400, "bad_request"},
		{alice, `{"name":"*"}`, 400, "bad_request"},
		{alice, `{"name":"scanners","user":"bob"}`, 403, "forbidden"},
		{alice, `{"name":"scanners","user":"alice"}`, 201, ""},
		{alice, `{"name":"admin"}`, 403, "forbidden"}, // reserved: who has it could send as it
		{root, `{"name":"admin"}`, 201, ""},
		{root, `{"name":"faxes","user":"bob","persist":true}`, 201, ""},
	} {
		h.want(tt.who, "POST", "/v1/names", tt.body, tt.status, tt.code)
	}
	if e := h.want(alice, "POST", "/v1/names", `{"name":"TAKEN"}`, 409, "conflict"); e.Owner != "10.0.0.66" || e.Hint == "" {
		t.Errorf("the conflict says %+v, want who has the name", e)
	}
	owners := map[string]string{}
	for _, n := range get[control.NameList](h, alice, "GET", "/v1/names", "").Names {
		if n.Kind == "alias" {
			owners[n.Name] = n.User
		}
	}
	if diff := cmp.Diff(map[string]string{"PRINTERS": "alice", "SCANNERS": "alice", "ADMIN": "", "FAXES": "bob"}, owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}

	for _, tt := range []struct {
		who    messngr.Principal
		name   string
		status int
		code   string
	}{
		{bob, "PRINTERS", 403, "forbidden"},
		{alice, "ADMIN", 403, "forbidden"},
		{alice, "PC17", 403, "forbidden"},
		{root, "PC17", 403, "forbidden"},
		{alice, "BOB", 403, "forbidden"},
		{alice, "NOBODY", 404, "not_found"},
		{alice, "A%20NAME%20THAT%20IS%20TOO%20LONG", 400, "bad_request"},
		{alice, "printers", 204, ""},
		{alice, "ALICE", 204, ""},
		{root, "SCANNERS", 204, ""},
		{bob, "faxes", 204, ""},
	} {
		h.want(tt.who, "DELETE", "/v1/names/"+tt.name, "", tt.status, tt.code)
	}
}

// Nobody takes more names than one person needs.
func TestNamesOfOnePerson(t *testing.T) {
	h := newHouse(t)
	for i, status := range []int{201, 201, 201, 409} {
		code := map[int]string{409: "too_many"}[status]
		h.want(alice, "POST", "/v1/names", fmt.Sprintf(`{"name":"n%d"}`, i), status, code)
	}
	h.want(alice, "DELETE", "/v1/names/n0", "", 204, "")
	h.want(alice, "POST", "/v1/names", `{"name":"n9"}`, 201, "")
	h.want(bob, "POST", "/v1/names", `{"name":"n4"}`, 201, "")
	for i := range 5 {
		h.want(root, "POST", "/v1/names", fmt.Sprintf(`{"name":"r%d"}`, i), 201, "")
	}
}

// Who has the name of another person would get that person's messages, and could
// send as that person.
func TestNamesOfOtherPeople(t *testing.T) {
	h := newHouse(t)
	if _, err := user.Lookup("root"); err != nil {
		t.Skip("this host has no root")
	}
	h.want(alice, "POST", "/v1/names", `{"name":"Root"}`, 403, "forbidden")
	h.want(messngr.Principal{UID: 4010003, Login: `WARD\root`}, "POST", "/v1/names", `{"name":"Root"}`, 403, "forbidden")
	h.want(messngr.Principal{UID: 1, Login: "root"}, "POST", "/v1/names", `{"name":"Root"}`, 201, "") // the own name
	// The login names of programs, such as backup, are nobody's.
	if _, err := user.Lookup("daemon"); err == nil {
		h.want(alice, "POST", "/v1/names", `{"name":"daemon"}`, 201, "")
	}
}

func TestRules(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/v1/policy", `{"verdict":"allow","match":"192.168.7.9/24"}`, 204, ""},
		{"POST", "/v1/policy", `{"verdict":"block","match":"name:boss"}`, 204, ""},
		{"POST", "/v1/policy", `{"verdict":"allow","match":"name:boss"}`, 400, "bad_request"},
		{"POST", "/v1/policy", `{"verdict":"maybe","match":"10.0.0.1"}`, 400, "bad_request"},
		{"POST", "/v1/policy", `{"verdict":"allow"}`, 400, "bad_request"},
		{"DELETE", "/v1/policy?verdict=allow&match=x", "", 400, "bad_request"},
		{"DELETE", "/v1/policy?verdict=allow", "", 400, "bad_request"},
		{"DELETE", "/v1/policy?verdict=allow&match=10.9.9.9", "", 404, "not_found"},
		{"DELETE", "/v1/policy?verdict=allow&match=10.0.0.0/8", "", 403, "forbidden"}, // of the configuration
		{"POST", "/v1/policy", `{"verdict":"block","match":"10.0.0.66"}`, 204, ""},
		{"DELETE", "/v1/policy?verdict=block&match=10.0.0.66%2F32", "", 204, ""},
	} {
		h.want(root, tt.method, tt.path, tt.body, tt.status, tt.code)
	}
	want := control.RuleList{Rules: []control.Rule{
		{Verdict: "block", Match: "name:BOSS", Source: "set"},
		{Verdict: "allow", Match: "10.0.0.0/8", Source: "config"},
		{Verdict: "allow", Match: "192.168.7.0/24", Source: "set"},
	}}
	if diff := cmp.Diff(want, get[control.RuleList](h, alice, "GET", "/v1/policy", "")); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	h.want(root, "POST", "/v1/policy", `{"verdict":"allow","match":"10.9.9.9"}`, 503, "unavailable")
	h.want(root, "DELETE", "/v1/policy?verdict=block&match=name:boss", "", 503, "unavailable")
}
