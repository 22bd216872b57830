package server

import (
	"bytes"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"messngr"
)

// maxBody bounds a request's body: a text of the greatest length, escaped as
// JSON, and what stands around it.
const maxBody = 6*messngr.MaxText + 64<<10

// route is one operation of the API.
type route struct {
	pattern string // method and path
	admin   bool   // only for those who administer the service
	status  int    // of success
	serve   func(w http.ResponseWriter, r *http.Request, who messngr.Principal) (any, error)

	// What openapi.json is made from: the method of Service, what it takes, and
	// what it answers; several if it answers a line at a time.
	method any
	in     reflect.Type
	out    []reflect.Type
}

// nothing is what an operation takes or answers that needs no words.
type nothing struct{}

// op makes an operation of a method of Service. What it takes is a struct whose
// fields with the tag "path" come from there; the others are the parameters of
// a GET or DELETE, and the body of a POST.
func op[In, Out any](pattern string, method func(context.Context, messngr.Principal, In) (Out, error)) route {
	rt := route{
		pattern: pattern, status: http.StatusOK, method: method,
		in: reflect.TypeFor[In](), out: []reflect.Type{reflect.TypeFor[Out]()},
	}
	if rt.out[0] == reflect.TypeFor[nothing]() {
		rt.status, rt.out = http.StatusNoContent, nil
	}
	rt.serve = func(_ http.ResponseWriter, r *http.Request, who messngr.Principal) (any, error) {
		var in In
		if err := read(r, &in); err != nil {
			return nil, err
		}
		out, err := method(r.Context(), who, in)
		if rt.out == nil {
			return nil, err
		}
		return out, err
	}
	return rt
}

// streamOp makes an operation that answers a line at a time, each of one of the
// types of lines. The method opens the stream when nothing is wrong with what
// it was asked.
func streamOp[In any](
	pattern string, method func(ctx context.Context, who messngr.Principal, in In, open func() (*stream, error)) error, lines ...any,
) route {
	rt := route{pattern: pattern, status: http.StatusOK, method: method, in: reflect.TypeFor[In]()}
	for _, line := range lines {
		rt.out = append(rt.out, reflect.TypeOf(line))
	}
	rt.serve = func(w http.ResponseWriter, r *http.Request, who messngr.Principal) (any, error) {
		var in In
		if err := read(r, &in); err != nil {
			return nil, err
		}
		open := func() (*stream, error) { return openStream(w) }
		return streamed{}, method(r.Context(), who, in, open)
	}
	return rt
}

// streamed is the answer of an operation that has written its answer itself.
type streamed struct{}

func (rt route) forAdmin() route {
	rt.admin = true
	return rt
}

func (rt route) created() route {
	rt.status = http.StatusCreated
	return rt
}

// badRequest is an error in what the client sent.
type badRequest struct{ text string }

func (e badRequest) Error() string { return e.text }

func bad(format string, args ...any) error { return badRequest{fmt.Sprintf(format, args...)} }

// read fills in, a pointer to a struct, with what the request holds.
func read(r *http.Request, in any) error {
	v := reflect.ValueOf(in).Elem()
	if r.Method == http.MethodPost {
		return readBody(r, in, required(v.Type()))
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return bad("parameters: %v", err)
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if name, ok := field.Tag.Lookup("path"); ok {
			if err := readValue(v.Field(i), name, r.PathValue(name)); err != nil {
				return err
			}
			continue
		}
		name, optional := jsonName(field)
		given, ok := values[name]
		delete(values, name)
		switch {
		case len(given) > 1:
			return bad("the parameter %s is there %d times", name, len(given))
		case !ok && !optional:
			return bad("the parameter %s is missing", name)
		case ok:
			if err := readValue(v.Field(i), name, given[0]); err != nil {
				return err
			}
		}
	}
	for name := range values {
		return bad("unknown parameter %q", name)
	}
	return nil
}

// readValue reads one word of a path or query.
func readValue(into reflect.Value, name, s string) error {
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if u, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(s)); err != nil {
			return bad("%s=%q: %v", name, s, err)
		}
		return nil
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return bad("%s=%q: want true or false", name, s)
		}
		into.SetBool(b)
	default:
		n, err := strconv.ParseInt(s, 10, into.Type().Bits())
		if err != nil || n < 0 {
			return bad("%s=%q: want a number that is not negative", name, s)
		}
		into.SetInt(n)
	}
	return nil
}

// readBody reads a request's body strictly: one value, nothing unknown in it,
// and all that is required.
func readBody(r *http.Request, into any, required []string) error {
	body, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &messngr.TooLongError{Limit: maxBody, Length: int(max(r.ContentLength, maxBody+1))}
	}
	if err != nil {
		return bad("request body: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badBody(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return bad("request body: there is something behind the value")
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil {
		return bad("request body: %v", err)
	}
	for _, name := range required {
		if _, ok := given[name]; !ok {
			return bad("request body: %q is missing", name)
		}
	}
	return nil
}

// badBody says what is wrong with a body in the words of JSON rather than of Go.
func badBody(err error) error {
	kind, isKind := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case errors.Is(err, io.EOF):
		return bad("request body: it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return bad("request body: it ends too early")
	case isKind && kind.Field == "":
		return bad("request body: want an object, not a value of the kind %s", kind.Value)
	case isKind:
		return bad("request body: %q cannot have a value of the kind %s", kind.Field, kind.Value)
	}
	return bad("request body: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// required lists the fields of a struct that may not be left out.
func required(t reflect.Type) []string {
	var list []string
	for field := range t.Fields() {
		if name, optional := jsonName(field); !optional {
			list = append(list, name)
		}
	}
	return list
}

// jsonName returns what the API calls a field, and whether it may be left out.
func jsonName(field reflect.StructField) (name string, optional bool) {
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name, strings.Contains(options, "omit")
}
