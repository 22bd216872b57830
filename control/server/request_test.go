package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"messngr"
	"messngr/control"
)

func TestBodiesAreReadStrictly(t *testing.T) {
	for body, want := range map[string]string{
		`{"verdict":"allow","match":"x"}`:               "",
		" \n{\"match\":\"x\",\"verdict\":\"allow\"}\n ": "",
		``:                                "it is empty",
		`null`:                            `"verdict" is missing`,
		`{}`:                              `"verdict" is missing`,
		`{"verdict":"allow"}`:             `"match" is missing`,
		`{"Verdict":"allow","match":"x"}`: `"verdict" is missing`,
		`[]`:                              "want an object, not a value of the kind array",
		`"allow"`:                         "want an object, not a value of the kind string",
		`{"verdict":1,"match":"x"}`:       `"verdict" cannot have a value of the kind number`,
		`{"verdict":"allow","match":"x","more":1}`: `unknown field "more"`,
		`{"verdict":"allow","match":"x"}{}`:        "something behind",
		`{"verdict":"allow","match":"x"}}`:         "something behind",
		`{"verdict":"allow","match":"x"}]`:         "something behind",
		`{"verdict":"allow","match":"x"} x`:        "something behind",
		`{"verdict":"allow","match":"x"`:           "it ends too early",
		strings.Repeat("[", 100000):                "depth",
	} {
		r := httptest.NewRequest("POST", "/v1/policy", strings.NewReader(body))
		var in control.RuleRequest
		err := read(r, &in)
		_, wrong := errors.AsType[badRequest](err)
		switch {
		case want == "" && (err != nil || in != control.RuleRequest{Verdict: "allow", Match: "x"}):
			t.Errorf("%s: %+v, %v", body, in, err)
		case want != "" && (!wrong || !strings.Contains(err.Error(), want)):
			t.Errorf("%.60s: %v, want a bad request with %q", body, err, want)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	var in control.SendRequest
	r := httptest.NewRequest("POST", "/v1/messages", strings.NewReader(strings.Repeat(" ", maxBody+1)))
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, maxBody)
	if err := read(r, &in); !errors.Is(err, messngr.ErrTooLong) {
		t.Errorf("read = %v, want ErrTooLong", err)
	}
	// The longest text fits, however it is escaped.
	b, err := json.Marshal(control.SendRequest{To: []string{"PC18"}, Text: strings.Repeat("\x01", messngr.MaxText)})
	if err != nil {
		t.Fatal(err)
	}
	r = httptest.NewRequest("POST", "/v1/messages", bytes.NewReader(b))
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, maxBody)
	if err := read(r, &in); err != nil || len(in.Text) != messngr.MaxText {
		t.Errorf("read = %d bytes, %v; want the longest text", len(in.Text), err)
	}
}

func TestParametersAreReadStrictly(t *testing.T) {
	after := int64(7)
	for query, want := range map[string]any{
		"":                                    control.MessageQuery{},
		"unread=true&limit=5":                 control.MessageQuery{Unread: true, Limit: 5},
		"unread=1&own=T&oldest=false":         control.MessageQuery{Unread: true, Own: true},
		"search=R%26D+caf%C3%A9&after=3":      control.MessageQuery{Search: "R&D café", After: 3},
		"before=9223372036854775807":          control.MessageQuery{Before: 1<<63 - 1},
		"unread=yes":                          `unread="yes": want true or false`,
		"unread=":                             `unread="": want true or false`,
		"limit=-1":                            `limit="-1": want a number`,
		"limit=1e3":                           `want a number`,
		"limit=99999999999999999999":          `want a number`,
		"after=1&after=2":                     "the parameter after is there 2 times",
		"unraed=true":                         `unknown parameter "unraed"`,
		"Unread=true":                         `unknown parameter "Unread"`,
		"a;b":                                 "parameters:",
		"search=%zz":                          "parameters:",
		"watch:after=7":                       control.WatchQuery{After: &after},
		"watch:after=":                        `after="": want a number`,
		"watch:limit=1":                       `unknown parameter "limit"`,
		"rule:verdict=allow&match=10.0.0.0/8": control.RuleRequest{Verdict: "allow", Match: "10.0.0.0/8"},
		"rule:verdict=allow":                  "the parameter match is missing",
	} {
		var in any = &control.MessageQuery{}
		if rest, ok := strings.CutPrefix(query, "watch:"); ok {
			in, query = &control.WatchQuery{}, rest
		} else if rest, ok := strings.CutPrefix(query, "rule:"); ok {
			in, query = &control.RuleRequest{}, rest
		}
		err := read(&http.Request{Method: "GET", URL: &url.URL{RawQuery: query}}, in)
		_, wrong := errors.AsType[badRequest](err)
		switch want := want.(type) {
		case string:
			if !wrong || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want a bad request with %q", query, err, want)
			}
		default:
			if got := reflect.ValueOf(in).Elem().Interface(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v; want %+v", query, got, err, want)
			}
		}
	}
}

func TestPathsAreReadStrictly(t *testing.T) {
	for id, want := range map[string]bool{
		"019a0000-0000-7000-8000-000000000000": true,
		"7":                                    false,
		"":                                     false,
		"019a0000-0000-7000-8000-00000000000g": false,
	} {
		r := &http.Request{Method: "GET", URL: &url.URL{}}
		r.SetPathValue("id", id)
		var in messageRef
		if err := read(r, &in); (err == nil) != want {
			t.Errorf("%q: %v, want it to be an id: %v", id, err, want)
		}
	}
}

// Every operation says what it takes in a way that read understands.
func TestEveryOperationCanBeRead(t *testing.T) {
	for _, rt := range new(Service).routes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		for field := range rt.in.Fields() {
			name, _ := jsonName(field)
			param, inPath := field.Tag.Lookup("path")
			switch {
			case inPath && (method == "POST" || !strings.Contains(path, "{"+param+"}")):
				t.Errorf("%s: %s is not in the path", rt.pattern, param)
			case !inPath && name == "":
				t.Errorf("%s: the field %s has no name", rt.pattern, field.Name)
			case method == "POST":
				continue
			}
			v := reflect.New(field.Type).Elem()
			err := readValue(v, name, "019a0000-0000-7000-8000-000000000000")
			if _, wrong := errors.AsType[badRequest](err); err != nil && !wrong {
				t.Errorf("%s: %s cannot be read: %v", rt.pattern, field.Name, err)
			}
		}
	}
}

// What is read of a body says the same when it is written again.
func FuzzReadBody(f *testing.F) {
	for _, seed := range []string{
		`{"to":["PC18","/users"],"text":"Grüße\n\u0000\ud800","level":"urgent","wait":"displayed","timeout_seconds":1e2}`,
		`{"text":"","wall":true,"answers":["Yes"],"expire_seconds":60,"in_reply_to":"019a0000-0000-7000-8000-000000000000"}`,
		`{"text":null,"to":null}`, `{"text":"","text":"twice"}`, `null`, `{}`, `[`, `{"text":"\xff"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var in control.SendRequest
		err := readBody(httptest.NewRequest("POST", "/", bytes.NewReader(b)), &in, required(reflect.TypeFor[control.SendRequest]()))
		if err != nil {
			if _, wrong := errors.AsType[badRequest](err); !wrong {
				t.Errorf("%q: %v is not the asker's error", b, err)
			}
			return
		}
		again, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var second control.SendRequest
		if err := readBody(httptest.NewRequest("POST", "/", bytes.NewReader(again)), &second, []string{"text"}); err != nil {
			t.Errorf("%q was read, but not %q: %v", b, again, err)
		}
		third, err := json.Marshal(second)
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("%q became %q, then %q, %v", b, again, third, err)
		}
	})
}

func FuzzReadQuery(f *testing.F) {
	for _, seed := range []string{"", "unread=true&limit=5", "search=a+b%20c&after=1&before=2", "own=1&oldest=f", "a;b", "limit=-1", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		var in control.MessageQuery
		err := read(&http.Request{Method: "GET", URL: &url.URL{RawQuery: query}}, &in)
		if err != nil {
			if _, wrong := errors.AsType[badRequest](err); !wrong {
				t.Errorf("%q: %v is not the asker's error", query, err)
			}
			return
		}
		if in.After < 0 || in.Before < 0 || in.Limit < 0 {
			t.Errorf("%q became %+v", query, in)
		}
		var again control.MessageQuery
		encoded := strings.TrimPrefix(in.Encode(), "?")
		if err := read(&http.Request{Method: "GET", URL: &url.URL{RawQuery: encoded}}, &again); err != nil || again != in {
			t.Errorf("%q became %+v, then %q %+v, %v", query, in, encoded, again, err)
		}
	})
}
