// Package config reads the configuration file: TOML, strict, one section for
// each part, whose fields only the part itself knows.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Section is one table of the file.
type Section struct {
	// Name is the table's name, such as "policy" or "transport.smb"; "" for the
	// keys before the first table.
	Name string
	// Config points to a struct with the defaults filled in.
	Config any
}

// Load reads the file at path into the sections. A key that no section knows is
// an error that shows its line. A file that does not exist is an error that
// matches fs.ErrNotExist.
func Load(path string, sections []Section) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := Parse(data, sections); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Parse is Load for the text of a file.
func Parse(data []byte, sections []Section) error {
	whole := compose(tree(sections))
	// Editors on Windows begin a file with a byte order mark.
	decoder := toml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(whole.Interface()); err != nil {
		return explain(err)
	}
	return nil
}

// explain says where in the file the error is, and what belongs there, in the words
// of the file rather than of the decoder.
func explain(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var lines []string
		for i := range strict.Errors {
			e := &strict.Errors[i]
			row, _ := e.Position()
			lines = append(lines, fmt.Sprintf("line %d: unknown key %s", row, strings.Join(e.Key(), ".")))
		}
		return errors.New(strings.Join(lines, "; "))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		row, _ := decode.Position()
		what := strings.TrimPrefix(decode.Error(), "toml: ")
		if m := mismatch().FindStringSubmatch(what); m != nil {
			what = fmt.Sprintf("%s is %s, but has to be %s", strings.Join(decode.Key(), "."), words(m[1]), words(m[2]))
		}
		return fmt.Errorf("line %d: %s", row, what)
	}
	return err
}

// mismatch matches what the decoder says of a value that is of the wrong kind.
func mismatch() *regexp.Regexp {
	return regexp.MustCompile(`^cannot decode TOML (\w+) into .*type (\S+)$`)
}

// words says in the language of the file what kind a value is of; kind is the
// decoder's or Go's word for it.
func words(kind string) string {
	switch kind {
	case "string":
		return `text in quotes, such as "x"`
	case "bool", "boolean":
		return "true or false"
	case "integer", "int", "int64", "uint16":
		return "a number"
	case "float", "float64":
		return "a number with a point"
	case "[]string":
		return `a list, such as ["x", "y"]`
	case "array":
		return "a list"
	}
	if strings.HasPrefix(kind, "[]") {
		return "a list"
	}
	return "a table"
}

// node is one table: its own section, if it has one, and the tables in it.
type node struct {
	name     string
	section  any
	children []*node
}

func tree(sections []Section) *node {
	root := &node{}
	for _, s := range sections {
		at := root
		for part := range strings.SplitSeq(s.Name, ".") {
			if part != "" {
				at = at.child(part)
			}
		}
		at.section = s.Config
	}
	return root
}

func (n *node) child(name string) *node {
	i := slices.IndexFunc(n.children, func(c *node) bool { return c.name == name })
	if i < 0 {
		n.children = append(n.children, &node{name: name})
		i = len(n.children) - 1
	}
	return n.children[i]
}

// compose makes a pointer to a struct that has the node's own fields and one
// field for each table in it, all of them pointing into the sections, so that
// the decoder sees one strict type and fills in the parts' own values.
func compose(n *node) reflect.Value {
	if len(n.children) == 0 {
		return reflect.ValueOf(n.section)
	}
	var fields []reflect.StructField
	var values []reflect.Value
	if n.section != nil {
		own := reflect.ValueOf(n.section).Elem()
		for i := range own.NumField() {
			f := own.Type().Field(i)
			fields = append(fields, reflect.StructField{Name: f.Name, Type: reflect.PointerTo(f.Type), Tag: f.Tag})
			values = append(values, own.Field(i).Addr())
		}
	}
	for i, child := range n.children {
		value := compose(child)
		fields = append(fields, reflect.StructField{
			Name: fmt.Sprintf("Table%d", i), Type: value.Type(),
			Tag: reflect.StructTag(fmt.Sprintf(`toml:%q`, child.name)),
		})
		values = append(values, value)
	}
	whole := reflect.New(reflect.StructOf(fields))
	for i, v := range values {
		whole.Elem().Field(i).Set(v)
	}
	return whole
}

// Find returns the first of the paths that exists, or "" if none does.
func Find(paths ...string) (string, error) {
	for _, path := range paths {
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

// Reference returns a file that has every key of the sections, with the comment
// that its field carries and with its present value, commented out.
func Reference(sections []Section) ([]byte, error) {
	var out bytes.Buffer
	for _, s := range sections {
		body, err := toml.Marshal(s.Config)
		if err != nil {
			return nil, fmt.Errorf("section %q: %w", s.Name, err)
		}
		if s.Name != "" {
			fmt.Fprintf(&out, "\n[%s]\n", s.Name)
		}
		for line := range strings.Lines(string(body)) {
			switch table, isTable := strings.CutPrefix(line, "["); {
			case isTable:
				if s.Name != "" {
					table = s.Name + "." + table
				}
				fmt.Fprintf(&out, "[%s", table)
			case line == "\n" || strings.HasPrefix(line, "#"):
				out.WriteString(line)
			default:
				out.WriteString("#" + line)
			}
		}
	}
	return out.Bytes(), nil
}
