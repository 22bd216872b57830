package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr"
	"messngr/account"
	"messngr/control"
	"messngr/control/server"
	"messngr/names"
	"messngr/policy"
	"messngr/router"
	"messngr/store"
	"messngr/store/memstore"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

var (
	root  = messngr.Principal{UID: 0, Login: "root", Admin: true}
	alice = messngr.Principal{UID: 1000, Login: "alice"}
	bob   = messngr.Principal{UID: 1001, Login: "bob"}
)

// house is a whole service without a network: PC17, where Alice and Bob are
// logged on. Every answer that it gives is held to the description of the API.
type house struct {
	t       testing.TB
	spec    *spec
	service *server.Service
	store   *memstore.Store
	log     *logbook
	carrier *carrier
	stopped int
	called  map[string]map[int]bool // operation -> statuses of its answers
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, spec: readSpec(t), store: memstore.New(), log: &logbook{}, carrier: &carrier{}, called: map[string]map[int]bool{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	table := names.New(oem.Page{}, []names.Network{h.carrier}, h.store, log)
	for _, e := range []names.Entry{
		{Name: "PC17", Suffix: netbios.Messenger, Kind: names.Computer},
		{Name: "ALICE", Suffix: netbios.Messenger, Kind: names.User, User: "alice"},
		{Name: "BOB", Suffix: netbios.Messenger, Kind: names.User, User: "bob"},
	} {
		if err := table.Own(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	rules, err := policy.New(t.Context(), policy.Config{Allow: []string{"10.0.0.0/8"}, Reserved: []string{"ADMIN"}}, h.store)
	if err != nil {
		t.Fatal(err)
	}
	h.service = &server.Service{
		Accounts: new(account.Book),
		Router: router.New(router.Config{
			Store: h.store, Names: table, Policy: rules, Log: log, Host: "PC17", Workgroup: "WORKGROUP",
			Sessions: h.carrier, Resolver: h.carrier,
			Routes: []router.Route{
				{Via: "smb", Sender: h.carrier, Best: messngr.Accepted},
				{Via: "mailslot", Sender: h.carrier, Group: true, Best: messngr.Sent},
			},
		}),
		Store: h.store, Names: table, Policy: rules, Log: log, NetBIOS: h.carrier, Injection: &injection{}, Who: whoIsThere,
		Status: func(context.Context) control.Status { return fullStatus(table) },
		Stop:   func() { h.stopped++ }, MaxNames: 3,
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		// A test may close the store before the router has read the outbox.
		if err := h.service.Router.Run(ctx); err != nil && !errors.Is(err, messngr.ErrUnavailable) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return h
}

// handler is the API as who sees it.
func (h *house) handler(who messngr.Principal) http.Handler {
	return h.service.Handler(func(*http.Request) (messngr.Principal, bool) { return who, true })
}

// call asks for something, and holds what comes to the description.
func (h *house) call(who messngr.Principal, method, path, body string) (status int, answer string) {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	h.handler(who).ServeHTTP(w, r)
	h.check(method, path, w.Code, w.Header(), w.Body.String())
	return w.Code, w.Body.String()
}

// check holds an answer to the description of the API.
func (h *house) check(method, path string, status int, header http.Header, body string) {
	h.t.Helper()
	op, ok := h.spec.find(method, path)
	if !ok {
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			h.t.Errorf("%s %s is not described, and answered with %d", method, path, status)
		}
		op.Responses = map[string]content{"default": {Ref: "#/components/responses/Error"}}
	}
	if h.called[op.OperationID] == nil {
		h.called[op.OperationID] = map[int]bool{}
	}
	h.called[op.OperationID][status] = true
	described, success := op.Responses[fmt.Sprint(status)]
	if !success {
		if status < 400 || op.Responses["default"].Ref != "#/components/responses/Error" {
			h.t.Errorf("%s %s: the status %d is not described", method, path, status)
		}
		described.Content = map[string]struct{ Schema schema }{"application/json": {schema{Ref: "#/components/schemas/Error"}}}
	}
	kind := header.Get("Content-Type")
	switch want, ok := described.Content[kind]; {
	case len(described.Content) == 0:
		if body != "" || kind != "" {
			h.t.Errorf("%s %s: %s %q, want nothing", method, path, kind, body)
		}
	case !ok:
		h.t.Errorf("%s %s: the content type %q is not described", method, path, kind)
	case kind == "application/x-ndjson":
		for line := range strings.Lines(body) {
			if line == "\n" {
				continue
			}
			if err := h.spec.checkJSON(want.Schema, []byte(line)); err != nil {
				h.t.Errorf("%s %s: %v", method, path, err)
			}
		}
	default:
		if err := h.spec.checkJSON(want.Schema, []byte(body)); err != nil {
			h.t.Errorf("%s %s: %v in %s", method, path, err, body)
		}
	}
}

// get asks for something and reads the answer.
func get[T any](h *house, who messngr.Principal, method, path, body string) T {
	h.t.Helper()
	var v T
	status, answer := h.call(who, method, path, body)
	if status/100 != 2 {
		h.t.Fatalf("%s %s as %s: %d %s", method, path, who.Login, status, answer)
	}
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		h.t.Fatal(err)
	}
	return v
}

// want asks for something and checks the status, and the code if it is an error.
func (h *house) want(who messngr.Principal, method, path, body string, status int, code string) control.Error {
	h.t.Helper()
	got, answer := h.call(who, method, path, body)
	var e control.Error
	if got >= 400 {
		if err := json.Unmarshal([]byte(answer), &e); err != nil {
			h.t.Error(err)
		}
	}
	if got != status || e.Code != code {
		h.t.Errorf("%s %s as %s: %d %s, want %d %s", method, path, who.Login, got, answer, status, code)
	}
	return e
}

// arrive brings a message of an unverified sender, and returns its id.
func (h *house) arrive(to, text string) messngr.ID {
	h.t.Helper()
	_, err := h.service.Router.Accept(h.t.Context(), messngr.Inbound{To: []string{to}, Message: messngr.Message{
		From: messngr.From{Claimed: "BOSS", Address: netip.MustParseAddr("10.0.0.7")}, To: to, Text: text, Via: "smb",
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	newest, err := h.store.Inbox(h.t.Context(), store.Query{Limit: 1})
	if err != nil {
		h.t.Fatal(err)
	}
	return newest[0].Message.ID
}

// logbook is a log that can be looked into.
type logbook struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(b)
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// carrier is everything outside of the host: its networks, which take every
// message but those for LOST, GONE, BUSY and LONG, another machine with the name
// TAKEN, and who is logged on.
type carrier struct{}

func (*carrier) Send(_ context.Context, to messngr.Device, _ *messngr.Message) (messngr.Evidence, error) {
	ev := messngr.Evidence{State: messngr.Accepted, Address: netip.MustParseAddrPort("10.0.0.18:139"), Lossy: true}
	switch {
	case to.Group:
		return messngr.Evidence{State: messngr.Sent}, nil
	case to.Name == "LOST":
		return messngr.Evidence{}, messngr.ErrUncertain
	case to.Name == "GONE":
		return messngr.Evidence{}, messngr.ErrUnavailable
	case to.Name == "BUSY":
		return messngr.Evidence{}, messngr.ErrBusy
	case to.Name == "LONG":
		return messngr.Evidence{}, &messngr.TooLongError{Limit: 10, Length: 20}
	}
	return ev, nil
}

func (*carrier) Claim(_ context.Context, name netbios.Name, _ bool) error {
	if name.Label() == "TAKEN" {
		return &names.TakenError{Name: "TAKEN", Owner: netip.MustParseAddr("10.0.0.66")}
	}
	return nil
}

func (*carrier) Release(context.Context, netbios.Name) error { return nil }

func (*carrier) Places(name netbios.Name) []names.Place {
	if name.Label() == "BOB" {
		return []names.Place{
			{Carrier: "nbt", Interface: "eth0", State: "registered"},
			{Carrier: "nbt", Interface: "eth1", State: "conflict", Owner: netip.MustParseAddr("10.0.0.9")},
			{Carrier: "nbt", Interface: "eth2", State: "claiming"},
		}
	}
	return []names.Place{{Carrier: "nbt", Interface: "eth0", State: "registered"}}
}

func (*carrier) People(context.Context) ([]string, error) { return []string{"alice", "bob"}, nil }

func (*carrier) Account(name string) (string, bool) { return "carol", strings.EqualFold(name, "carol") }

func (*carrier) IsOwn(addr netip.Addr) bool { return addr == netip.MustParseAddr("10.0.0.17") }

func (*carrier) LookupAddr(context.Context, string) (netip.Addr, error) {
	return netip.Addr{}, errors.New("no such host")
}

func (c *carrier) LookupName(ctx context.Context, name string) (netip.Addr, error) {
	return c.Find(ctx, name)
}

func (*carrier) Cache() []control.CachedName {
	return []control.CachedName{{Name: "PC18", Suffix: 3, Addresses: []string{"10.0.0.18"}, LifeSeconds: 60}}
}

func (*carrier) Purge() error { return nil }

func (*carrier) Adapter(_ context.Context, addr netip.Addr) (control.Adapter, error) {
	if addr != netip.MustParseAddr("10.0.0.18") {
		return control.Adapter{}, fmt.Errorf("%v: %w", addr, messngr.ErrUnknownName)
	}
	return control.Adapter{
		Address: addr.String(), Hardware: "00-50-56-01-02-03", Names: []control.AdapterName{{Name: "PC18", Suffix: 3}},
	}, nil
}

func (*carrier) Find(_ context.Context, name string) (netip.Addr, error) {
	if name != "PC18" {
		return netip.Addr{}, fmt.Errorf("%s: %w", name, messngr.ErrUnknownName)
	}
	return netip.MustParseAddr("10.0.0.18"), nil
}

// whoIsThere has something in every field.
func whoIsThere(_ context.Context, quick bool) control.WhoList {
	now := time.Now()
	return control.WhoList{
		Machines: []control.Machine{{
			Name: "PC18", Workgroup: "WORKGROUP", Address: "10.0.0.18", Users: []string{"BOB"}, Carriers: []string{"nbt"},
			Takes: []string{"smb"}, System: "Unix", Comment: "messngr", Master: true, SeenAt: &now, Sources: []string{"announced"},
		}},
		Notes: []string{fmt.Sprint("quick: ", quick)},
	}
}

// fullStatus has something in every field.
func fullStatus(table *names.Table) control.Status {
	return control.Status{
		Name: "PC17", Workgroup: "WORKGROUP", Version: "1", PID: 1, Started: time.Now(), State: "running",
		Interfaces: []control.Interface{{Name: "lo", Prefix: "127.0.0.1/8"}}, Available: []control.Interface{{Name: "eth0"}},
		Ports:      []control.Port{{Network: "tcp", Address: "127.0.0.1:139", Purpose: "sessions", Holder: "smbd"}},
		Transports: []control.Part{{Name: "smb"}}, Displays: []control.Part{{Name: "tty"}}, Names: server.NamesOf(table),
		Samba:    &control.Samba{Arrangement: 2, State: []string{"nmbd has the names"}, Hint: "see doc/samba.md"},
		Counters: map[string]int64{"taken": 1}, Refused: []control.Refusal{{Address: "192.0.2.1", Last: time.Now()}},
	}
}

// Every operation is asked for something that it can do, and for something that
// it cannot; all that it answers is as described.
func TestEveryOperationAnswersAsDescribed(t *testing.T) {
	h := newHouse(t)
	id := h.arrive("ALICE", "one")
	gone := h.arrive("ALICE", "two")
	sent := get[control.SendAnswer](h, alice, "POST", "/v1/messages", `{"to":["PC18"],"text":"hello"}`)
	other := "019a0000-0000-7000-8000-000000000000"

	for _, tt := range []struct {
		who          messngr.Principal
		method, path string
		body         string
		status       int
		code         string
	}{
		{alice, "GET", "/v1/status", "", 200, ""},
		{alice, "GET", "/v1/status?verbose=1", "", 400, "bad_request"},
		{root, "POST", "/v1/service", `{"action":"pause"}`, 204, ""},
		{root, "POST", "/v1/service", `{"action":"continue"}`, 204, ""},
		{root, "POST", "/v1/service", `{"action":"explode"}`, 400, "bad_request"},
		{alice, "GET", "/v1/messages?unread=true&oldest=1&limit=5&after=0&before=9&search=one&own=true", "", 200, ""},
		{alice, "GET", "/v1/messages?limit=-1", "", 400, "bad_request"},
		{alice, "GET", "/v1/messages/" + id.String(), "", 200, ""},
		{alice, "GET", "/v1/messages/" + other, "", 404, "not_found"},
		{alice, "POST", "/v1/messages/mark", `{"ids":["` + id.String() + `","` + other + `"],"as":"acknowledged"}`, 200, ""},
		{alice, "POST", "/v1/messages/mark", `{"ids":[],"as":"green"}`, 400, "bad_request"},
		{alice, "DELETE", "/v1/messages/" + gone.String(), "", 204, ""},
		{alice, "DELETE", "/v1/messages/" + gone.String(), "", 404, "not_found"},
		{alice, "POST", "/v1/messages", `{"to":["everyone"],"text":"hello"}`, 403, "forbidden"},
		{root, "POST", "/v1/messages", `{"to":["everyone","LOST","GONE","BUSY","LONG","x.example.com","alice"],"text":"hello"}`, 200, ""},
		{alice, "GET", "/v1/sent?limit=5", "", 200, ""},
		{alice, "GET", "/v1/sent?unread=true", "", 400, "bad_request"},
		{alice, "GET", "/v1/sent/" + sent.ID.String(), "", 200, ""},
		{alice, "GET", "/v1/sent/" + other, "", 404, "not_found"},
		{alice, "POST", "/v1/sent/retract", fmt.Sprintf(`{"id":%q}`, sent.ID), 200, ""},
		{alice, "POST", "/v1/sent/retract", fmt.Sprintf(`{"id":%q}`, other), 404, "not_found"},
		{alice, "GET", "/v1/names", "", 200, ""},
		{alice, "GET", "/v1/names?kind=alias", "", 400, "bad_request"},
		{alice, "POST", "/v1/names", `{"name":"backup","persist":true}`, 201, ""},
		{alice, "POST", "/v1/names", `{"name":"backup"}`, 409, "conflict"},
		{alice, "DELETE", "/v1/names/backup", "", 204, ""},
		{alice, "DELETE", "/v1/names/backup", "", 404, "not_found"},
		{alice, "GET", "/v1/policy", "", 200, ""},
		{alice, "GET", "/v1/policy?source=set", "", 400, "bad_request"},
		{root, "POST", "/v1/policy", `{"verdict":"block","match":"10.0.0.66"}`, 204, ""},
		{root, "POST", "/v1/policy", `{"verdict":"block","match":"PC66"}`, 400, "bad_request"},
		{root, "DELETE", "/v1/policy?verdict=block&match=10.0.0.66", "", 204, ""},
		{root, "DELETE", "/v1/policy?verdict=block&match=10.0.0.66", "", 404, "not_found"},
		{alice, "GET", "/v1/netbios/cache", "", 200, ""},
		{alice, "GET", "/v1/netbios/cache?all=1", "", 400, "bad_request"},
		{root, "DELETE", "/v1/netbios/cache", "", 204, ""},
		{alice, "DELETE", "/v1/netbios/cache", "", 403, "forbidden"},
		{alice, "GET", "/v1/netbios/adapter?name=PC18", "", 200, ""},
		{alice, "GET", "/v1/netbios/adapter?address=10.0.0.99", "", 422, "unknown_name"},
		{alice, "GET", "/v1/who?quick=true", "", 200, ""},
		{alice, "GET", "/v1/who?slow=true", "", 400, "bad_request"},
		{alice, "POST", "/v1/import", `{"program":"linpopup","messages":[{"from":"A","to":"B","text":"C","sent":"2005-03-01T14:02:11Z"}]}`, 200, ""},
		{alice, "POST", "/v1/import", `{"program":"mutt","messages":[]}`, 400, "bad_request"},
		{root, "POST", "/v1/inject", `{"id":"` + other + `","from":"A","machine":"PC18","text":"aGVsbG8=","at":"2026-03-01T14:02:11Z"}`, 200, ""},
		{alice, "POST", "/v1/inject", `{"id":"` + other + `","from":"A","machine":"PC18","text":"","at":"2026-03-01T14:02:11Z"}`, 403, "forbidden"},
		{alice, "GET", "/v1/openapi.json", "", 200, ""},
		{alice, "GET", "/v1/openapi.json?version=2", "", 400, "bad_request"},
		{alice, "GET", "/v1/messages/watch?after=x", "", 400, "bad_request"},
		{alice, "PUT", "/v1/messages", "", 405, "bad_request"},
		{alice, "POST", "/v1/messages/watch", "", 405, "bad_request"},
		{alice, "GET", "/v2/status", "", 404, "not_found"},
	} {
		h.want(tt.who, tt.method, tt.path, tt.body, tt.status, tt.code)
	}
	watch := watchStream(h, alice, "/v1/messages/watch?after=0")
	watch.line(t)
	watch.end()
	watch = watchStream(h, alice, "/v1/messages/watch?events=true")
	watch.line(t)
	watch.end()

	for path, item := range h.spec.Paths {
		for method, op := range item {
			statuses := h.called[op.OperationID]
			var good, bad bool
			for status := range statuses {
				good, bad = good || status < 300, bad || status >= 400
			}
			if !good || !bad {
				t.Errorf("%s %s was answered with %v only", method, path, statuses)
			}
		}
	}
}

// Who asks with a wrong method is told the right ones (RFC 9110 15.5.6).
func TestWrongMethod(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]string{
		"/v1/status": "GET", "/v1/messages": "GET, POST", "/v1/messages/1": "GET, DELETE", "/v1/policy": "GET, POST, DELETE",
	} {
		w := httptest.NewRecorder()
		h.handler(alice).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "PATCH", path, nil))
		if got := w.Header().Get("Allow"); w.Code != http.StatusMethodNotAllowed || got != want {
			t.Errorf("PATCH %s: status %d, Allow %q; want 405, %q", path, w.Code, got, want)
		}
	}
}

// What only administrators may do is described as such, and nobody else may.
func TestOperationsForAdministrators(t *testing.T) {
	h := newHouse(t)
	var admin []string
	for path, item := range h.spec.Paths {
		for method, op := range item {
			if !op.Admin {
				continue
			}
			admin = append(admin, op.OperationID)
			h.want(alice, strings.ToUpper(method), path, "rubbish", 403, "forbidden")
		}
	}
	slices.Sort(admin)
	if want := []string{"netbiosPurge", "ruleRemove", "ruleSet", "service"}; !slices.Equal(admin, want) {
		t.Errorf("for administrators are %v, want %v", admin, want)
	}
	if h.stopped > 0 || h.service.Router.Paused() || len(h.service.Policy.Rules()) != 1 {
		t.Error("it was done all the same")
	}
}

func TestNobodyVouches(t *testing.T) {
	h := newHouse(t)
	handler := h.service.Handler(func(*http.Request) (messngr.Principal, bool) { return root, false })
	for path, item := range h.spec.Paths {
		for method := range item {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(strings.ToUpper(method), path, nil))
			if w.Code != 401 {
				t.Errorf("%s %s: %d, want 401", method, path, w.Code)
			}
			h.check(method, path, w.Code, w.Header(), w.Body.String())
		}
	}
}

// Errors that nobody expects are logged; those of the asker are not.
func TestErrorsInTheLog(t *testing.T) {
	h := newHouse(t)
	h.want(alice, "GET", "/v1/messages/x", "", 400, "bad_request")
	h.service.NetBIOS = nil
	h.want(alice, "GET", "/v1/netbios/cache", "", 503, "unavailable")
	h.want(alice, "GET", "/v1/netbios/adapter?name=PC18", "", 503, "unavailable")
	h.want(root, "DELETE", "/v1/netbios/cache", "", 503, "unavailable")
	if h.log.text() != "" {
		t.Errorf("logged: %s", h.log.text())
	}
	h.service.NetBIOS = &broken{}
	h.want(root, "DELETE", "/v1/netbios/cache", "", 500, "internal")
	if !strings.Contains(h.log.text(), "no such luck") {
		t.Errorf("an error that nobody expects is not logged: %q", h.log.text())
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/messages", "/v1/sent", "/v1/status", "/v1/messages/watch", "/v1/messages/019a0000-0000-7000-8000-000000000000"} {
		h.want(alice, "GET", path, "", 503, "unavailable")
	}
}

type broken struct{ carrier }

func (*broken) Purge() error { return errors.New("no such luck") }

// Whoever asked may be gone before the answer: that is nobody's failure.
func TestTheAskerHasGone(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h.handler(alice).ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/v1/messages", nil))
	if w.Code != 503 || h.log.text() != "" {
		t.Errorf("%d %s, logged %q; want 503 and nothing logged", w.Code, w.Body, h.log.text())
	}
}

func TestSpecIsServed(t *testing.T) {
	h := newHouse(t)
	_, got := h.call(bob, "GET", "/v1/openapi.json", "")
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal(server.Spec, &b)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("another description is served than that of the program")
	}
}
