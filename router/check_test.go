package router_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/router"
)

func TestSendTellsWhatIsWrongWithARequest(t *testing.T) {
	state := func(s messngr.State) *messngr.State { return &s }
	text := func(text string) messngr.Message { return messngr.Message{Text: text} }
	past := time.Now().Add(-time.Second)
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprint("PC", i)
	}
	for want, req := range map[string]router.Request{
		"needs a time at which it expires":          {Wait: true},
		"has expired":                               {Message: messngr.Message{Expires: past}},
		"10 answers, at most 9":                     {Message: messngr.Message{Answers: make([]string, 10)}},
		"an answer is empty":                        {Message: messngr.Message{Answers: []string{"Yes", " "}}},
		`can wait for the state "failed"`:           {Want: state(messngr.Failed)},
		`unknown route "pigeon", there are local`:   {Via: "pigeon"},
		"has no other recipients":                   {Wall: true, To: []string{"PC18"}},
		`does not go by "smb"`:                      {Wall: true, Via: "smb"},
		`"../etc/passwd" is not the name`:           {Message: messngr.Message{Terminal: "../etc/passwd"}},
		`"/dev/tty1" is not the name`:               {Message: messngr.Message{Terminal: "/dev/tty1"}},
		`"pts/3 " is not the name`:                  {Message: messngr.Message{Terminal: "pts/3 "}},
		"the text is not UTF-8":                     {Message: text("caf\xe9")},
		"the text has the control character U+001B": {Message: text("\x1b[31mred")},
		"the text has the control character U+000D": {Message: text("a\r\nb")},
		"the text has the control character U+009B": {Message: text("a\u009bb")},
		"the text has the control character U+202E": {Message: text("a\u202eb")},
		"the text has the control character U+2028": {Message: text("a\u2028b")},
		"the title has the control character":       {Message: messngr.Message{Title: "two\nlines"}},
		"the answer has the control character":      {Message: messngr.Message{Answers: []string{"Y\tes"}}},
		"the sender's name has the control":         {From: "BO\x07SS"},
		"the sender's name is longer than 255":      {From: strings.Repeat("x", 256)},
		"the recipient has the control":             {To: []string{"PC\n18"}},
		"nobody to send to":                         {To: []string{}},
		"a recipient is empty":                      {To: []string{"PC18", " "}},
		"more than 1000 recipients":                 {To: many},
		"unknown recipient \"/everybody\"":          {To: []string{"/everybody"}},
		`recipient "@PC18": want USER@HOST`:         {To: []string{"@PC18"}},
		`recipient "alice@": want USER@HOST`:        {To: []string{"alice@"}},
		"not a message name: \"A NAME":              {To: []string{"A NAME THAT IS TOO LONG"}},
		`recipient: not a message name: "*X"`:       {To: []string{"*X"}},
		`recipient "/domain:"`:                      {To: []string{"/domain:"}},
		"at ::1: these protocols know IPv4":         {To: []string{"::1"}},
		"at fe80::1: these protocols know IPv4":     {To: []string{"bob@fe80::1"}},
		"at fe80::2: these protocols know IPv4":     {To: []string{"bob"}, Address: ip("fe80::2")},
		"is everybody, not somebody at":             {To: []string{"everyone"}, Address: ip("10.0.0.1")},
	} {
		t.Run(want, func(t *testing.T) {
			s := accepts()
			h := newHost(t, options{routes: []router.Route{smb(s)}})
			h.run(t)
			req.Principal = admin
			if req.To == nil && !req.Wall {
				req.To = []string{"PC18"}
			}
			_, err := h.Send(t.Context(), req)
			var misuse *messngr.MisuseError
			if !errors.As(err, &misuse) || !strings.Contains(err.Error(), want) {
				t.Errorf("Send = %v, want a MisuseError with %q", err, want)
			}
			if len(s.calls()) > 0 {
				t.Error("it was sent all the same")
			}
			if sent, err := h.store.Sent(t.Context(), query); err != nil || len(sent) > 0 {
				t.Errorf("it was stored all the same: %v, %v", sent, err)
			}
		})
	}
}

func TestSendTakesWhatIsRight(t *testing.T) {
	for name, m := range map[string]messngr.Message{
		"empty":            {},
		"lines and tabs":   {Text: "a\tb\nc\n"},
		"the longest text": {Text: strings.Repeat("x", messngr.MaxText)},
		"all letters":      {Text: "Grüße, Ольга, 漢字, می\u200cخواهم, 👩\u200d💻, soft\u00adhyphen"},
		"nine answers":     {Answers: strings.Split("1,2,3,4,5,6,7,8,9", ",")},
		"a terminal":       {Terminal: "pts/3"},
		"an expiry":        {Expires: time.Now().Add(time.Hour)},
	} {
		h := newHost(t, options{})
		h.run(t)
		sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC17"}, Message: m})
		if err != nil || !sent.AllReached() {
			t.Errorf("%s: Send = %+v, %v", name, sent, err)
		}
	}
	h := newHost(t, options{})
	m := messngr.Message{Text: strings.Repeat("x", messngr.MaxText+1)}
	if _, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC17"}, Message: m}); !errors.Is(err, messngr.ErrTooLong) {
		t.Errorf("Send of a longer text = %v, want ErrTooLong", err)
	}
}

// An emergency is nothing that everybody may raise.
func TestEmergenciesNeedTheRight(t *testing.T) {
	for _, tt := range []struct {
		who    messngr.Principal
		level  messngr.Level
		rights router.Rights
		want   error
	}{
		{bob, messngr.LevelUrgent, router.Rights{}, nil},
		{bob, messngr.LevelEmergency, router.Rights{}, messngr.ErrRefused},
		{bob, messngr.LevelEmergency, router.Rights{Emergency: true}, nil},
		{admin, messngr.LevelEmergency, router.Rights{}, nil},
	} {
		h := newHost(t, options{rights: tt.rights})
		h.run(t)
		for _, req := range []router.Request{{Wall: true}, {To: []string{"alice"}}} {
			req.Principal, req.Message.Level = tt.who, tt.level
			if _, err := h.Send(t.Context(), req); !errors.Is(err, tt.want) {
				t.Errorf("%s sends level %v with %+v: %v, want %v", tt.who.Login, tt.level, tt.rights, err, tt.want)
			}
		}
	}
}
