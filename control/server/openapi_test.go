package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"messngr"
	"messngr/control"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// The description of the API is made from the table of operations, the types
// that they take and answer, and the comments of both, so that it cannot say
// anything else than what is true.
func TestSpec(t *testing.T) {
	got, err := json.MarshalIndent(describeAPI(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("openapi.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, Spec) {
		t.Error("openapi.json is not what the API is now; write it anew: go test ./control/server -run Spec -update")
	}
}

// object is a JSON object.
type object = map[string]any

func describeAPI(t *testing.T) object {
	d := &describer{t: t, comments: readComments(t), schemas: object{}}
	paths := object{}
	for _, rt := range new(Service).routes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(method)] = d.operation(method, rt)
	}
	d.schema(reflect.TypeFor[control.Error]())
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "messngr", "version": "1",
			"description": d.comments.pkg,
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []object{{"url": "http://messngr", "description": "The service's unix socket. Who asks is known by the kernel's word."}},
		"paths":   paths,
		"components": object{
			"schemas": d.schemas,
			"responses": object{"Error": object{
				"description": "It was not done.",
				"content":     object{"application/json": object{"schema": reference("Error")}},
			}},
		},
	}
}

// describer collects the types that the operations use.
type describer struct {
	t        *testing.T
	comments comments
	schemas  object
}

func (d *describer) operation(method string, rt route) object {
	name := runtime.FuncForPC(reflect.ValueOf(rt.method).Pointer()).Name()
	name = strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "-fm")
	about := d.comments.methods[name]
	if about == "" {
		d.t.Errorf("the method %s, which serves %s, has no comment", name, rt.pattern)
		about = name
	}
	about = sentence(strings.TrimPrefix(about, name+" "))
	summary, _, _ := strings.Cut(about, ". ")
	op := object{
		"operationId": name, "summary": strings.TrimSuffix(summary, "."), "description": about,
		"responses": object{fmt.Sprint(rt.status): d.answer(rt), "default": object{"$ref": "#/components/responses/Error"}},
	}
	if rt.admin {
		op["description"] = about + " Only for those who administer the service."
		op["x-admin"] = true
	}
	if method == "POST" {
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": d.request(rt.in)}}}
		return op
	}
	var parameters []object
	for field := range rt.in.Fields() {
		p := object{"in": "query", "required": false, "schema": d.schema(field.Type)}
		if path, ok := field.Tag.Lookup("path"); ok {
			p["name"], p["in"], p["required"] = path, "path", true
		} else {
			name, optional := jsonName(field)
			p["name"], p["required"] = name, !optional
		}
		if about := d.comments.fields[rt.in.Name()+"."+field.Name]; about != "" {
			p["description"] = about
		}
		parameters = append(parameters, p)
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	return op
}

func (d *describer) answer(rt route) object {
	switch len(rt.out) {
	case 0:
		return object{"description": "It was done."}
	case 1:
		return object{
			"description": "The answer.",
			"content":     object{"application/json": object{"schema": d.schema(rt.out[0])}},
		}
	}
	var lines []any
	for _, line := range rt.out {
		lines = append(lines, d.schema(line))
	}
	return object{
		"description": "A stream: one object a line, and empty lines while there is none.",
		"content":     object{"application/x-ndjson": object{"schema": object{"oneOf": lines}}},
	}
}

// request is the schema of a body: what is not in it is refused.
func (d *describer) request(t reflect.Type) object {
	ref := d.schema(t)
	for name := range d.reachable(t) {
		d.schemas[name].(object)["additionalProperties"] = false
	}
	return ref
}

// reachable lists the structs that a body of type t is made of.
func (d *describer) reachable(t reflect.Type) map[string]bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	names := map[string]bool{}
	if _, ok := d.schemas[t.Name()]; !ok || t.Kind() != reflect.Struct {
		return names
	}
	names[t.Name()] = true
	for field := range t.Fields() {
		for name := range d.reachable(field.Type) {
			names[name] = true
		}
	}
	return names
}

func reference(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// schema describes a type in JSON Schema.
func (d *describer) schema(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[messngr.ID]():
		return object{"type": "string", "format": "uuid"}
	case reflect.TypeFor[[]byte]():
		return object{"type": "string", "contentEncoding": "base64"}
	case reflect.TypeFor[json.RawMessage]():
		return object{"type": "object"}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Uint8:
		return object{"type": "string", "enum": words(d.t, t)}
	case reflect.Struct:
		return d.object(t)
	}
	d.t.Errorf("no schema for %v", t)
	return object{}
}

func (d *describer) object(t reflect.Type) object {
	if _, ok := d.schemas[t.Name()]; ok {
		return reference(t.Name())
	}
	properties := object{}
	schema := object{"type": "object", "properties": properties}
	d.schemas[t.Name()] = schema
	if about := d.comments.types[t.Name()]; about != "" {
		schema["description"] = about
	}
	if list := required(t); len(list) > 0 {
		schema["required"] = list
	}
	for field := range t.Fields() {
		name, _ := jsonName(field)
		property := d.schema(field.Type)
		if about := d.comments.fields[t.Name()+"."+field.Name]; about != "" {
			property["description"] = about
		}
		properties[name] = property
	}
	return reference(t.Name())
}

// words lists the values of a type of words, such as messngr.State.
func words(t *testing.T, typ reflect.Type) []string {
	var list []string
	for i := range 256 {
		v := reflect.New(typ).Elem()
		v.SetUint(uint64(i))
		word := v.Interface().(fmt.Stringer).String()
		if strings.HasPrefix(word, "unknown(") {
			return list
		}
		list = append(list, word)
	}
	t.Errorf("the values of %v have no end", typ)
	return nil
}

// comments are those of a package: of types and methods by their name, of fields
// by Type.Field.
type comments struct {
	pkg                    string
	types, fields, methods map[string]string
}

func readComments(t *testing.T) comments {
	t.Helper()
	c := comments{types: map[string]string{}, fields: map[string]string{}, methods: map[string]string{}}
	c.read(t, "..", "messngr/control")
	c.read(t, ".", "messngr/control/server")
	if len(c.types) < 20 {
		t.Fatalf("found only %d types", len(c.types))
	}
	return c
}

// read adds the comments of the package in a folder. What the API says of itself
// stands with its types, which come first.
func (c *comments) read(t *testing.T, folder, path string) {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(set, files, path, doc.AllDecls|doc.PreserveAST)
	if err != nil {
		t.Fatal(err)
	}
	if c.pkg == "" {
		c.pkg = oneLine(pkg.Doc)
	}
	for _, typ := range pkg.Types {
		c.types[typ.Name] = oneLine(typ.Doc)
		for _, m := range typ.Methods {
			if typ.Name == "Service" {
				c.methods[m.Name] = oneLine(m.Doc)
			}
		}
		for _, spec := range typ.Decl.Specs {
			if s, ok := spec.(*ast.TypeSpec).Type.(*ast.StructType); ok {
				c.readFields(typ.Name, s)
			}
		}
	}
}

// readFields reads the comments of the fields of a struct, and calls the fields
// what the API calls them.
func (c *comments) readFields(typ string, s *ast.StructType) {
	for _, field := range s.Fields.List {
		about := oneLine(field.Doc.Text() + " " + field.Comment.Text())
		for _, name := range field.Names {
			if field.Tag != nil {
				tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
				called, _, _ := strings.Cut(tag.Get("json"), ",")
				if rest, ok := strings.CutPrefix(about, name.Name+" "); ok {
					about = "`" + called + "` " + rest
				}
			}
			c.fields[typ+"."+name.Name] = sentence(about)
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	runes := []rune(s)
	runes[0] = unicode.ToUpper(runes[0])
	return strings.TrimSuffix(string(runes), ".") + "."
}
