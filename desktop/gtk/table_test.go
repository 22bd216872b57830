package gtk

import (
	_ "embed"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"messngr/desktop/xtest"
)

//go:embed signatures.py
var signatures string

// kindOf is how C passes a Go type, in the words of signatures.py.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int32:
		return "int"
	case reflect.Uint32:
		return "uint"
	case reflect.Int64, reflect.Uint64:
		return "long"
	case reflect.Float32:
		return "float"
	case reflect.Float64:
		return "double"
	case reflect.String, reflect.Uintptr, reflect.Pointer:
		return "word"
	}
	return t.String()
}

// undescribed are functions that GTK's description leaves out, since bindings
// of languages have no use for them. Their types were compared with the headers
// by hand.
var undescribed = []string{
	"g_object_ref", "g_object_unref", "g_signal_connect_data", "g_free", "gtk_init_check", "g_application_run",
}

// Nothing checks at run time that Go calls a C function as it is: GTK's own
// description does.
func TestTableMatchesGTK(t *testing.T) {
	xtest.Require(t)
	table := reflect.TypeFor[lib]()
	var names []string
	for i := range table.NumField() {
		names = append(names, table.Field(i).Name)
	}
	cmd := exec.Command("/usr/bin/python3", "-c", signatures)
	cmd.Stdin = strings.NewReader(strings.Join(names, "\n"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	described := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		described[words[0]] = words[1:]
	}
	if len(described) < len(names)*8/10 {
		t.Fatalf("only %d of %d functions were found", len(described), len(names))
	}
	for i := range table.NumField() {
		f := table.Field(i)
		got := []string{"void"}
		if f.Type.NumOut() == 1 {
			got[0] = kindOf(f.Type.Out(0))
		}
		for j := range f.Type.NumIn() {
			got = append(got, kindOf(f.Type.In(j)))
		}
		want, ok := described[f.Name]
		switch {
		case !ok && !slices.Contains(undescribed, f.Name):
			t.Errorf("%s is described nowhere", f.Name)
		case ok && !same(got, want):
			t.Errorf("%s is called as %v, and is %v", f.Name, got, want)
		}
	}
}

// same compares signatures. A result may be left out; signed or not is the same
// to a register.
func same(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		g, w := strings.TrimPrefix(got[i], "u"), strings.TrimPrefix(want[i], "u")
		if g != w && (i > 0 || g != "void") {
			return false
		}
	}
	return true
}

// The table has what is used, and nothing else.
func TestTableIsUsed(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	used := make(map[string]bool)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				used[s.Sel.Name] = true
			}
			return true
		})
	}
	table := reflect.TypeFor[lib]()
	for i := range table.NumField() {
		if name := table.Field(i).Name; !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
}
