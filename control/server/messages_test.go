package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
	"messngr/store"
)

// texts lists what an answer of GET /v1/messages holds.
func texts(l control.MessageList) []string {
	var list []string
	for _, m := range l.Messages {
		list = append(list, m.Text)
	}
	return list
}

func TestMessageShowsEverything(t *testing.T) {
	h := newHouse(t)
	answered := h.arrive("ALICE", "first")
	now := time.Now()
	m := &messngr.Message{
		ID: messngr.ID{15: 9}, Time: now, From: messngr.From{Claimed: "BOSS", Proven: "boss", Trust: messngr.Vouched}, To: "ALICE",
		Via: "smb", Level: messngr.LevelUrgent, Drill: true, Title: "Fire", Text: "Leave.", Answers: []string{"Yes"},
		Expires: now.Add(time.Hour), InReplyTo: answered, Audience: "alice", Warning: "careful",
	}
	if _, _, err := h.store.Take(t.Context(), store.Incoming{Message: m, Quiet: true}); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []store.Mark{store.Shown, store.Read, store.Acknowledged} {
		if _, err := h.store.Mark(t.Context(), mark, "alice", now.Add(time.Minute), m.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, got := h.call(alice, "GET", "/v1/messages/"+m.ID.String(), "")
	later := now.Add(time.Minute)
	at := func(t time.Time) string {
		b, _ := json.Marshal(t.UTC().Truncate(time.Microsecond))
		return string(b)
	}
	want := `{"id":"00000000-0000-0000-0000-000000000009","seq":2,"from":"BOSS","to":"ALICE","text":"Leave.","via":"smb",` +
		`"trust":"vouched","proven":"boss","address":"","received_at":` + at(now) + `,"level":"urgent","drill":true,"title":"Fire",` +
		`"answers":["Yes"],"warning":"careful","audience":"alice","in_reply_to":"` + answered.String() + `","quiet":true,` +
		`"expires_at":` + at(m.Expires) + `,"shown_at":` + at(later) + `,"read_at":` + at(later) + `,"acknowledged_at":` + at(later) + "}\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

// Everybody sees the own messages and the machine's, in every way of looking;
// who administers the service sees all, unless the own ones are asked for.
func TestMessagesOfOthersAreNotSeen(t *testing.T) {
	h := newHouse(t)
	secret := h.arrive("ALICE", "secret for Alice")
	public := h.arrive("PC17", "public")
	own := h.arrive("BOB", "secret for Bob")
	path := func(id messngr.ID) string { return "/v1/messages/" + id.String() }

	for _, tt := range []struct {
		who   messngr.Principal
		query string
		want  []string
	}{
		{alice, "?oldest=true", []string{"secret for Alice", "public"}},
		{bob, "?oldest=true", []string{"public", "secret for Bob"}},
		{bob, "?search=secret", []string{"secret for Bob"}},
		{bob, "?search=alice", nil},
		{bob, "?before=2", nil},
		{bob, "?unread=true&limit=1", []string{"secret for Bob"}},
		{root, "?oldest=true", []string{"secret for Alice", "public", "secret for Bob"}},
		{root, "?oldest=true&own=true", []string{"public"}},
	} {
		l := get[control.MessageList](h, tt.who, "GET", "/v1/messages"+tt.query, "")
		if diff := cmp.Diff(tt.want, texts(l)); diff != "" {
			t.Errorf("%s%s (-want +got):\n%s", tt.who.Login, tt.query, diff)
		}
		wantTotal := map[string]int{"alice": 2, "bob": 2, "root": 3}[tt.who.Login]
		if strings.Contains(tt.query, "own") {
			wantTotal = 1
		}
		if l.Total != wantTotal || l.Unread != wantTotal {
			t.Errorf("%s%s: %d of %d unread, want %d", tt.who.Login, tt.query, l.Unread, l.Total, wantTotal)
		}
	}
	for who, want := range map[*messngr.Principal]int{&alice: 2, &bob: 2, &root: 3} {
		if st := get[control.Status](h, *who, "GET", "/v1/status", ""); st.Total != want || st.Unread != want {
			t.Errorf("the status tells %s of %d messages, want %d", who.Login, st.Total, want)
		}
	}

	// By id, there is no difference to one that does not exist.
	missing := h.want(bob, "GET", path(messngr.ID{15: 1}), "", 404, "not_found")
	hidden := h.want(bob, "GET", path(secret), "", 404, "not_found")
	if strings.ReplaceAll(hidden.Message, secret.String(), "") != strings.ReplaceAll(missing.Message, (messngr.ID{15: 1}).String(), "") {
		t.Errorf("a hidden message is told of: %q, %q", hidden.Message, missing.Message)
	}
	h.want(bob, "DELETE", path(secret), "", 404, "not_found")
	mark := fmt.Sprintf(`{"ids":[%q,%q,%q],"as":"read"}`, secret, public, own)
	if n := get[control.CountAnswer](h, bob, "POST", "/v1/messages/mark", mark); n.Count != 2 {
		t.Errorf("bob marked %d, want 2", n.Count)
	}
	if m := get[control.Message](h, alice, "GET", path(secret), ""); m.ReadAt != nil {
		t.Error("bob marked a message of Alice's")
	}
	h.want(bob, "DELETE", path(own), "", 204, "")
	h.want(root, "DELETE", path(secret), "", 204, "")
}

func TestMarkRefuses(t *testing.T) {
	h := newHouse(t)
	ids := strings.TrimSuffix(strings.Repeat(`"019a0000-0000-7000-8000-000000000000",`, 10001), ",")
	h.want(alice, "POST", "/v1/messages/mark", `{"ids":[`+ids+`],"as":"read"}`, 400, "bad_request")
	h.want(alice, "POST", "/v1/messages/mark", `{"ids":["7"],"as":"read"}`, 400, "bad_request")
	h.want(alice, "POST", "/v1/messages/mark", `{"ids":[]}`, 400, "bad_request")
}

// tap is the end of a stream that a test reads.
type tap struct {
	h      *house
	path   string
	header http.Header
	status int
	mu     sync.Mutex
	body   strings.Builder
	read   int
	end    func()
}

func (w *tap) Header() http.Header { return w.header }
func (w *tap) Flush()              {}

func (w *tap) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = status
}

func (w *tap) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.body.Write(b)
}

// line returns the next line, when there is one.
func (w *tap) line(t testing.TB) string {
	t.Helper()
	for range 500 {
		w.mu.Lock()
		line, _, ok := strings.Cut(w.body.String()[w.read:], "\n")
		if ok {
			w.read += len(line) + 1
		}
		w.mu.Unlock()
		if ok {
			return line
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the stream says nothing")
	return ""
}

// rest returns what has come and was not read yet.
func (w *tap) rest() string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := w.body.String()[w.read:]
	w.read = w.body.Len()
	return rest
}

// watchStream opens a stream. When it ends, what came is held to the description.
func watchStream(h *house, who messngr.Principal, path string) *tap {
	ctx, cancel := context.WithCancel(context.Background())
	w := &tap{h: h, path: path, header: http.Header{}}
	var done sync.WaitGroup
	done.Go(func() { h.handler(who).ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", path, nil)) })
	w.end = sync.OnceFunc(func() {
		cancel()
		done.Wait()
		h.check("GET", path, w.status, w.header, w.body.String())
	})
	h.t.Cleanup(w.end)
	return w
}

// text returns the text of the message that comes next.
func (w *tap) text(t testing.TB) string {
	t.Helper()
	var m control.Message
	if line := w.line(t); json.Unmarshal([]byte(line), &m) != nil {
		t.Errorf("the stream says %q", line)
	}
	return m.Text
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.arrive("PC17", "one")
		h.arrive("ALICE", "two")
		h.arrive("PC17", "three")
		for _, tt := range []struct {
			who   messngr.Principal
			query string
			want  []string
		}{
			{alice, "", []string{"new for Alice", "new reboot"}},
			{bob, "", []string{"new reboot"}},
			{bob, "?after=0", []string{"one", "three", "new reboot"}},
			{bob, "?after=2", []string{"three", "new reboot"}},
			{bob, "?after=1000", []string{"new reboot"}}, // he has seen another store
			{root, "?after=1", []string{"two", "three", "new for Alice", "new reboot"}},
			{root, "?own=true", []string{"new reboot"}},
			{alice, "?search=reboot", []string{"new reboot"}},
		} {
			w := watchStream(h, tt.who, "/v1/messages/watch"+tt.query)
			synctest.Wait()
			a, b := h.arrive("ALICE", "new for Alice"), h.arrive("PC17", "new reboot")
			for _, want := range tt.want {
				if got := w.text(t); got != want {
					t.Errorf("%s%s: %q came, want %q", tt.who.Login, tt.query, got, want)
				}
			}
			if rest := w.rest(); rest != "" {
				t.Errorf("%s%s: %q came besides", tt.who.Login, tt.query, rest)
			}
			w.end()
			if _, err := h.store.Delete(t.Context(), a, b); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A stream without messages shows twice a minute that it is there.
func TestWatchKeepalive(t *testing.T) {
	for _, query := range []string{"", "?events=true"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			w := watchStream(h, alice, "/v1/messages/watch"+query)
			w.rest()
			time.Sleep(5*time.Minute + time.Second)
			if rest := w.rest(); rest != strings.Repeat("\n", 10) {
				t.Errorf("%q came in five minutes, want ten empty lines", rest)
			}
			h.arrive("PC17", "still there")
			if line := w.line(t); !strings.Contains(line, "still there") {
				t.Errorf("%q came", line)
			}
		})
	}
}

// More messages than are read at once come all the same.
func TestWatchOfManyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for i := range 250 {
			h.arrive("PC17", fmt.Sprint(i))
		}
		w := watchStream(h, alice, "/v1/messages/watch?after=0")
		for i := range 250 {
			if got := w.text(t); got != fmt.Sprint(i) {
				t.Fatalf("%q came, want %d", got, i)
			}
		}
	})
}

func TestWatchEndsWithTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		w := watchStream(h, alice, "/v1/messages/watch")
		synctest.Wait()
		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.end()
		if !strings.Contains(h.log.text(), "stream of messages") {
			t.Errorf("the log says %q, want why the stream ended", h.log.text())
		}
	})
}
