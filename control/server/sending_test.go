package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
	"messngr/store"
)

func TestSendTellsWhatBecameOfEveryRecipient(t *testing.T) {
	h := newHouse(t)
	got := get[control.SendAnswer](h, root, "POST", "/v1/messages",
		`{"to":["PC18","alice","everyone","LOST","GONE","BUSY","LONG","bob@pc99"],"text":"hello"}`)
	want := []control.RecipientAnswer{
		{To: "PC18", State: messngr.Accepted, Via: "smb", Address: "10.0.0.18", Detail: "characters that the code page lacks were replaced", Reached: true},
		{To: "alice", State: messngr.Delivered, Via: "local", Reached: true},
		{To: "everyone", State: messngr.Sent, Via: "mailslot", Reached: true},
		{To: "LOST", State: messngr.Unknown, Via: "smb", Code: "uncertain", Error: "outcome unknown"},
		{To: "GONE", State: messngr.Failed, Via: "smb", Code: "unavailable", Error: "unavailable"},
		{To: "BUSY", State: messngr.Refused, Via: "smb", Code: "busy", Error: "busy"},
		{To: "LONG", State: messngr.Failed, Via: "smb", Code: "too_long", Error: "text of 20 bytes is longer than the 10 bytes that this route carries"},
		{To: "bob@pc99", State: messngr.Failed, Code: "unknown_name", Error: "pc99: no such host"},
	}
	for i := range got.Recipients {
		r := &got.Recipients[i]
		if (r.Code != "") != (r.Hint != "") {
			t.Errorf("%s: the code %q and the hint %q", r.To, r.Code, r.Hint)
		}
		r.Hint = ""
	}
	if diff := cmp.Diff(want, got.Recipients); diff != "" || got.Reached {
		t.Errorf("reached %v (-want +got):\n%s", got.Reached, diff)
	}

	// The same is told later, with the attempts.
	later := get[control.SentMessage](h, root, "GET", "/v1/sent/"+got.ID.String(), "")
	for i := range later.Recipients {
		r := &later.Recipients[i]
		r.Hint, r.Reached = "", want[i].Reached
	}
	if diff := cmp.Diff(want, later.Recipients); diff != "" || len(later.Attempts) != 8 || later.Owner != "root" || later.Text != "hello" {
		t.Errorf("later %+v (-want +got):\n%s", later, diff)
	}
}

// If a later attempt fails after one has done it, the message was not lost.
func TestTheDecisiveAttemptIsTold(t *testing.T) {
	h := newHouse(t)
	m := &messngr.Message{ID: messngr.ID{15: 1}, Time: time.Now()}
	out := store.Outgoing{Message: m, Owner: "alice", Recipients: []store.Recipient{{To: "PC18"}}}
	if err := h.store.Queue(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	for i, state := range []messngr.State{messngr.Queued, messngr.Accepted, messngr.Failed} {
		a := store.Attempt{Message: m.ID, Via: fmt.Sprint("route ", i), Began: time.Now(), Ended: time.Now(), Evidence: messngr.Evidence{State: state}}
		if state != messngr.Accepted {
			a.Failure, a.Code = "unavailable", "unavailable"
		}
		var err error
		if a.Number, err = h.store.Begin(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if err := h.store.Finish(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	got := get[control.SentMessage](h, alice, "GET", "/v1/sent/"+m.ID.String(), "").Recipients
	want := []control.RecipientAnswer{{To: "PC18", State: messngr.Accepted, Via: "route 1", Reached: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
}

func TestSendReadsTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		received := h.arrive("ALICE", "question")
		get[control.SendAnswer](h, bob, "POST", "/v1/messages", `{"from":" BOB ","to":["alice"],"text":"a\r\nb\u001b[31mc\u202e",`+
			`"title":"T\nitle","level":"urgent","drill":true,"answers":["Yes","No"],"in_reply_to":"`+received.String()+`","expire_seconds":60,"terminal":"pts/3"}`)
		entries, err := h.store.Inbox(t.Context(), store.Query{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		got := *entries[0].Message
		want := messngr.Message{
			ID: got.ID, Time: time.Now().UTC(), From: messngr.From{Claimed: "BOB", Proven: "bob", Trust: messngr.Vouched}, To: "ALICE", Via: "local",
			Level: messngr.LevelUrgent, Drill: true, Title: "T itle", Text: "a\nb^[[31mc<U+202E>", Answers: []string{"Yes", "No"},
			Expires: time.Now().Add(time.Minute).UTC(), InReplyTo: received, Audience: "alice", Terminal: "pts/3",
		}
		got.From.Address = want.From.Address
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Errorf("arrived (-want +got):\n%s", diff)
		}
	})
}

func TestSendWaitsAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for body, want := range map[string]time.Duration{
			`{"to":["alice"],"text":""}`:                                                    0,
			`{"to":["alice"],"text":"","wait":"displayed"}`:                                 10 * time.Second,
			`{"to":["alice"],"text":"","wait":"displayed","timeout_seconds":2.5}`:           2500 * time.Millisecond,
			`{"to":["GONE"],"text":"","timeout_seconds":300,"expire_seconds":31000000}`:     5 * time.Minute,
			`{"to":["GONE"],"text":"","timeout_seconds":60,"expire_seconds":30}`:            30 * time.Second,
			`{"to":["GONE"],"text":"","wait":"queued","expire_seconds":30}`:                 0,
			`{"to":["PC18"],"text":"","wait":"displayed","timeout_seconds":60,"via":"smb"}`: 0,
		} {
			begin := time.Now()
			get[control.SendAnswer](h, alice, "POST", "/v1/messages", body)
			if d := time.Since(begin); d != want {
				t.Errorf("%s: the answer came after %v, want %v", body, d, want)
			}
		}
	})
}

func TestSendRefuses(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("x", messngr.MaxText+1)
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{"to":["alice"],"text":"","timeout_seconds":-1}`:           {400, "bad_request"},
		`{"to":["alice"],"text":"","timeout_seconds":301}`:          {400, "bad_request"},
		`{"to":["alice"],"text":"","timeout_seconds":1e300}`:        {400, "bad_request"},
		`{"to":["alice"],"text":"","expire_seconds":-1}`:            {400, "bad_request"},
		`{"to":["alice"],"text":"","expire_seconds":99999999999}`:   {400, "bad_request"},
		`{"to":["alice"],"text":"","address":"PC18"}`:               {400, "bad_request"},
		`{"to":["alice"],"text":"","wait":"failed"}`:                {400, "bad_request"},
		`{"to":["alice"],"text":"","wait":"soon"}`:                  {400, "bad_request"},
		`{"to":["alice"],"text":"","level":"loud"}`:                 {400, "bad_request"},
		`{"to":["alice"],"text":"","via":"pigeon"}`:                 {400, "bad_request"},
		`{"to":["alice"],"text":"","terminal":"../../dev/sda"}`:     {400, "bad_request"},
		`{"to":["al\u001bice"],"text":""}`:                          {400, "bad_request"},
		`{"to":[],"text":""}`:                                       {400, "bad_request"},
		`{"text":""}`:                                               {400, "bad_request"},
		`{"to":["alice"]}`:                                          {400, "bad_request"},
		`{"to":["alice"],"text":"","in_reply_to":"7"}`:              {400, "bad_request"},
		`{"to":["alice"],"text":"` + long + `"}`:                    {413, "too_long"},
		`{"to":["alice"],"text":"` + strings.Repeat(long, 8) + `"}`: {413, "too_long"},
		`{"to":["alice"],"text":"","from":"root"}`:                  {403, "forbidden"},
		`{"to":["alice"],"text":"","from":"alice"}`:                 {403, "forbidden"},
		`{"to":["/users"],"text":""}`:                               {403, "forbidden"},
		`{"to":["*"],"text":""}`:                                    {403, "forbidden"},
	} {
		status, answer := h.call(bob, "POST", "/v1/messages", body)
		var e control.Error
		if err := json.Unmarshal([]byte(answer), &e); err != nil || status != want.status || e.Code != want.code {
			t.Errorf("%.80s: %d %s, want %d %s", body, status, answer, want.status, want.code)
		}
	}
	if l := get[control.SentList](h, root, "GET", "/v1/sent", ""); len(l.Messages) != 0 {
		t.Errorf("%d of them were sent all the same", len(l.Messages))
	}
}

// What somebody has sent is nobody else's business.
func TestSentMessagesOfOthersAreNotSeen(t *testing.T) {
	h := newHouse(t)
	send := func(who messngr.Principal) messngr.ID {
		body := fmt.Sprintf(`{"to":["PC18"],"text":"from %s"}`, who.Login)
		return get[control.SendAnswer](h, who, "POST", "/v1/messages", body).ID
	}
	byAlice, byBob, byRoot := send(alice), send(bob), send(root)
	for _, tt := range []struct {
		who   messngr.Principal
		query string
		want  []string
	}{
		{alice, "", []string{"from alice"}},
		{alice, "?search=bob", nil},
		{bob, "?own=true", []string{"from bob"}},
		{root, "", []string{"from root", "from bob", "from alice"}},
		{root, "?own=true", []string{"from root"}},
		{root, "?oldest=true&limit=1", []string{"from alice"}},
	} {
		var got []string
		for _, m := range get[control.SentList](h, tt.who, "GET", "/v1/sent"+tt.query, "").Messages {
			got = append(got, m.Text)
			if m.Attempts != nil {
				t.Error("the list has attempts")
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s%s (-want +got):\n%s", tt.who.Login, tt.query, diff)
		}
	}
	h.want(alice, "GET", "/v1/sent/"+byBob.String(), "", 404, "not_found")
	h.want(bob, "GET", "/v1/sent/"+byRoot.String(), "", 404, "not_found")
	h.want(alice, "GET", "/v1/sent/"+byAlice.String(), "", 200, "")
	h.want(root, "GET", "/v1/sent/"+byAlice.String(), "", 200, "")
}

// A sender is told what an old machine finds in the text, and of nobody else.
func TestWhatIsWrittenIntoTheText(t *testing.T) {
	h := newHouse(t)
	for body, want := range map[string]string{
		`{"to":["PC18"],"text":"hello","title":"T","level":"urgent","drill":true,"answers":["Yes"]}`: "; written into the text: drill, level, title, answers",
		`{"to":["PC18"],"text":"hello","level":"notice"}`:                                            "",
	} {
		r := get[control.SendAnswer](h, root, "POST", "/v1/messages", body).Recipients[0]
		if r.Detail != "characters that the code page lacks were replaced"+want {
			t.Errorf("%s: %q, want %q", body, r.Detail, want)
		}
	}
	for _, to := range []string{"alice", "GONE"} {
		r := get[control.SendAnswer](h, root, "POST", "/v1/messages", `{"to":["`+to+`"],"text":"hello","title":"T"}`).Recipients[0]
		if r.Detail != "" {
			t.Errorf("to %s: %q, want nothing", to, r.Detail)
		}
	}
}
