package gtk

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ptr is a pointer to something of C's: an object, or memory that C owns.
type ptr = uintptr

// iter is room for a GtkTextIter (80 bytes) or a GtkTreeIter (32 bytes).
type iter [16]uintptr

// gvalue is room for a GValue.
type gvalue [3]uintptr

// rectangle is a GdkRectangle.
type rectangle struct{ x, y, width, height int32 }

// sonames are the libraries that have the functions, in the order in which
// they are searched. All but the first are dependencies of the first.
func sonames() []string {
	return []string{
		"libgtk-3.so.0", "libgdk-3.so.0", "libgio-2.0.so.0", "libgobject-2.0.so.0",
		"libglib-2.0.so.0", "libatk-1.0.so.0", "libpango-1.0.so.0", "libgdk_pixbuf-2.0.so.0",
	}
}

// ErrMissing says that GTK 3 is not installed.
var ErrMissing = errors.New("GTK 3 is not installed")

// load opens the libraries and binds every field of the table to the function
// of its name.
func load() (*lib, error) {
	var handles []uintptr
	for _, name := range sonames() {
		h, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			return nil, fmt.Errorf("%w (no %s)", ErrMissing, name)
		}
		handles = append(handles, h)
	}
	l := new(lib)
	table := reflect.ValueOf(l).Elem()
	for i := range table.NumField() {
		name := table.Type().Field(i).Name
		f, err := lookup(handles, name)
		if err != nil {
			return nil, err
		}
		// The fields carry C's names, which are not exported ones: reflection
		// sets them by their address only.
		field := reflect.NewAt(table.Field(i).Type(), table.Field(i).Addr().UnsafePointer())
		purego.RegisterFunc(field.Interface(), f)
	}
	return l, nil
}

func lookup(handles []uintptr, name string) (uintptr, error) {
	for _, h := range handles {
		if f, err := purego.Dlsym(h, name); err == nil {
			return f, nil
		}
	}
	return 0, fmt.Errorf("%w in a version that is new enough: it has no %s", ErrMissing, name)
}

// truth is a gboolean.
func truth(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// take copies a string that C allocated for the caller, and frees it.
func (l *lib) take(s *byte) string {
	if s == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(s), n)) != 0 {
		n++
	}
	copied := string(unsafe.Slice(s, n))
	l.g_free(s)
	return copied
}
