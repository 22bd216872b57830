package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/control/server"
)

// spec is the description of the API, as far as answers and requests are held to
// it.
type spec struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	OperationID string
	RequestBody content
	Responses   map[string]content
	Admin       bool `json:"x-admin"`
}

type content struct {
	Ref     string `json:"$ref"`
	Content map[string]struct{ Schema schema }
}

// schema is what the description uses of JSON Schema; a word that it does not
// know fails to be read.
type schema struct {
	Ref             string `json:"$ref"`
	Type            string
	Format          string
	ContentEncoding string
	Description     string
	Enum            []string
	Required        []string
	Properties      map[string]schema
	// Additional is false, or the schema of all properties.
	Additional json.RawMessage `json:"additionalProperties"`
	Items      *schema
	OneOf      []schema
}

func (s *schema) UnmarshalJSON(b []byte) error {
	type plain schema
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode((*plain)(s))
}

func readSpec(t testing.TB) *spec {
	t.Helper()
	s := new(spec)
	if err := json.Unmarshal(server.Spec, s); err != nil {
		t.Fatal(err)
	}
	if len(s.Paths) < 10 {
		t.Fatalf("the description has only %d paths", len(s.Paths))
	}
	return s
}

// find returns the operation that serves a request.
func (s *spec) find(method, path string) (op operation, ok bool) {
	path, _, _ = strings.Cut(path, "?")
	if exact, ok := s.Paths[path]; ok {
		op, ok = exact[strings.ToLower(method)]
		return op, ok
	}
	for template, item := range s.Paths {
		if fits(strings.Split(template, "/"), strings.Split(path, "/")) {
			op, ok = item[strings.ToLower(method)]
			return op, ok
		}
	}
	return op, false
}

func fits(template, path []string) bool {
	if len(template) != len(path) {
		return false
	}
	for i, part := range template {
		if part != path[i] && !strings.HasPrefix(part, "{") {
			return false
		}
	}
	return true
}

// check says what is wrong with a value.
func (s *spec) check(want schema, v any, at string) error {
	if name, ok := strings.CutPrefix(want.Ref, "#/components/schemas/"); ok {
		referred, ok := s.Components.Schemas[name]
		if !ok {
			return fmt.Errorf("%s: no schema %s", at, name)
		}
		want = referred
	}
	if len(want.OneOf) > 0 {
		var errs []error
		for _, one := range want.OneOf {
			if err := s.check(one, v, at); err != nil {
				errs = append(errs, err)
			}
		}
		if len(errs) != len(want.OneOf)-1 {
			return fmt.Errorf("%s: fits %d of %d schemas: %v", at, len(want.OneOf)-len(errs), len(want.OneOf), errs)
		}
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		return s.checkObject(want, v, at)
	case []any:
		if want.Type != "array" {
			return fmt.Errorf("%s: an array, want %q", at, want.Type)
		}
		for i, item := range v {
			if err := s.check(*want.Items, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	case string:
		return checkString(want, v, at)
	case bool:
		if want.Type == "boolean" {
			return nil
		}
	case float64:
		if want.Type == "number" || want.Type == "integer" && v == float64(int64(v)) {
			return nil
		}
	}
	return fmt.Errorf("%s: %v, want %q", at, v, want.Type)
}

func (s *spec) checkObject(want schema, v map[string]any, at string) error {
	if want.Type != "object" {
		return fmt.Errorf("%s: an object, want %q", at, want.Type)
	}
	for _, name := range want.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s: %s is missing", at, name)
		}
	}
	var all schema
	free := want.Properties == nil && want.Additional == nil // an object of any kind
	if want.Additional != nil && string(want.Additional) != "false" {
		if err := json.Unmarshal(want.Additional, &all); err != nil {
			return err
		}
	}
	for name, item := range v {
		known, ok := want.Properties[name]
		switch {
		case ok:
		case all.Type != "":
			known = all
		case free:
			continue
		default:
			return fmt.Errorf("%s: %s is not described", at, name)
		}
		if err := s.check(known, item, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func checkString(want schema, v, at string) error {
	var err error
	switch {
	case want.Type != "string":
		err = fmt.Errorf("want %q", want.Type)
	case want.Enum != nil && !slices.Contains(want.Enum, v):
		err = fmt.Errorf("want one of %q", want.Enum)
	case want.Format == "uuid":
		_, err = messngr.ParseID(v)
	case want.Format == "date-time":
		_, err = time.Parse(time.RFC3339, v)
	case want.ContentEncoding == "base64":
		_, err = base64.StdEncoding.DecodeString(v)
	}
	if err != nil {
		return fmt.Errorf("%s: %q: %w", at, v, err)
	}
	return nil
}

func (s *spec) checkJSON(want schema, b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return s.check(want, v, "")
}

// The check itself has to find mistakes.
func TestTheCheckOfSchemas(t *testing.T) {
	s := readSpec(t)
	rule := schema{Ref: "#/components/schemas/Rule"}
	for b, want := range map[string]string{
		`{"verdict":"allow","match":"x","source":"set"}`:          "",
		`{"verdict":"allow","match":"x"}`:                         "source is missing",
		`{"verdict":"allow","match":"x","source":"set","more":1}`: "more is not described",
		`{"verdict":null,"match":"x","source":"set"}`:             `want "string"`,
		`[]`: `an array, want "object"`,
	} {
		err := s.checkJSON(rule, []byte(b))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", b, err, want)
		}
	}
	for _, tt := range []struct {
		want schema
		b    string
	}{
		{schema{Type: "integer"}, `1.5`},
		{schema{Type: "string", Format: "uuid"}, `"x"`},
		{schema{Type: "string", Format: "date-time"}, `"yesterday"`},
		{schema{Type: "string", Enum: []string{"a"}}, `"b"`},
		{schema{Type: "object", Additional: []byte(`{"type":"integer"}`)}, `{"a":"b"}`},
		{schema{Type: "array", Items: &schema{Type: "string"}}, `[1]`},
		{schema{Type: "array", Items: &schema{Type: "string"}}, `null`},
		{schema{OneOf: []schema{{Type: "string"}, {Type: "string"}}}, `"b"`},
		{schema{Ref: "#/components/schemas/Nothing"}, `{}`},
	} {
		if err := s.checkJSON(tt.want, []byte(tt.b)); err == nil {
			t.Errorf("%s passes for %+v", tt.b, tt.want)
		}
	}
}
