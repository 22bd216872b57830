package xtest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

//go:embed reader.py
var readerScript string

// Reader is a screen reader that looks at one application.
type Reader struct {
	t   testing.TB
	d   *Desktop
	p   *Process
	in  io.Writer
	out *bufio.Scanner
}

// Node is a control as a screen reader sees it.
type Node struct {
	Role, Name, Description, Text, Selected, LabelledBy string
	States, Actions, Keys                               []string
	X, Y, Width, Height, CharHeight                     int
	// LineStarts is where the first letter of each line of the text is.
	LineStarts []int
	Children   []Node
}

// Event is something that a screen reader was told.
type Event struct {
	Type, Role, Name, Description string
	Detail                        int
}

// Reader starts a screen reader for the application with that name.
func (d *Desktop) Reader(app string) *Reader {
	d.t.Helper()
	cmd := exec.Command("/usr/bin/python3", "-c", readerScript, app)
	in, err := cmd.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	r, w := io.Pipe()
	cmd.Stdout = w
	reader := &Reader{t: d.t, d: d, p: d.spawn(cmd), in: in, out: bufio.NewScanner(r)}
	reader.out.Buffer(nil, 64<<20)
	go func() {
		<-reader.p.Done()
		w.Close()
	}()
	reader.answer() // it is ready
	return reader
}

type answer struct {
	Error  string
	Tree   Node
	Events []Event
}

func (r *Reader) answer() answer {
	r.t.Helper()
	defer time.AfterFunc(30*time.Second, func() { _ = r.p.Process.Kill() }).Stop() // it may have ended
	if !r.out.Scan() {
		r.t.Fatalf("the screen reader has ended (%v): %s", r.out.Err(), r.p.Output())
	}
	var a answer
	if err := json.Unmarshal(r.out.Bytes(), &a); err != nil {
		r.t.Fatalf("the screen reader says %q", r.out.Text())
	}
	return a
}

func (r *Reader) ask(command map[string]any) answer {
	r.t.Helper()
	b, err := json.Marshal(command)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.in.Write(append(b, '\n')); err != nil {
		r.t.Fatal(err)
	}
	return r.answer()
}

// Tree is everything that the application shows; an empty one if it is not there.
func (r *Reader) Tree() Node {
	r.t.Helper()
	return r.ask(map[string]any{"do": "tree"}).Tree
}

// Events are the events since the last call.
func (r *Reader) Events() []Event {
	r.t.Helper()
	return r.ask(map[string]any{"do": "events"}).Events
}

// Press does what a control does, as a screen reader's user would, so many times.
func (r *Reader) Press(role, name string, times int) {
	r.t.Helper()
	if a := r.ask(map[string]any{"do": "press", "role": role, "name": name, "times": times}); a.Error != "" {
		r.t.Fatal(a.Error)
	}
}

// TryPress is Press, and reports whether the control was there.
func (r *Reader) TryPress(role, name string) bool {
	r.t.Helper()
	return r.ask(map[string]any{"do": "press", "role": role, "name": name}).Error == ""
}

// Await waits until the application shows a control of that role and name.
func (r *Reader) Await(role, name string) Node {
	r.t.Helper()
	var found Node
	var tree Node
	deadline := time.Now().Add(15 * time.Second)
	for {
		tree = r.Tree()
		var ok bool
		if found, ok = tree.Find(role, name); ok {
			return found
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("nothing is a %s called %q in\n%s", role, name, tree)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// Is reports whether the control has that state.
func (n Node) Is(state string) bool {
	for _, s := range n.States {
		if s == state {
			return true
		}
	}
	return false
}

// Find finds a control that is seen, by its role and name. A name that ends in
// an asterisk is a beginning.
func (n Node) Find(role, name string) (Node, bool) {
	for found := range n.All() {
		prefix, open := strings.CutSuffix(name, "*")
		same := found.Name == name || open && strings.HasPrefix(found.Name, prefix)
		if found.Role == role && same && found.Is("showing") {
			return found, true
		}
	}
	return Node{}, false
}

// All goes through the control and everything in it.
func (n Node) All() func(yield func(Node) bool) {
	return func(yield func(Node) bool) { n.walk(yield) }
}

func (n Node) walk(yield func(Node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, c := range n.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Count counts the controls of a role that are seen.
func (n Node) Count(role string) int {
	count := 0
	for c := range n.All() {
		if c.Role == role && c.Is("showing") {
			count++
		}
	}
	return count
}

// String draws the tree of what is seen, for a failed test.
func (n Node) String() string {
	var b strings.Builder
	n.draw(&b, 0)
	return b.String()
}

func (n Node) draw(b *strings.Builder, depth int) {
	if depth > 0 && !n.Is("showing") {
		return
	}
	b.WriteString(strings.Repeat("  ", depth) + n.Role + " " + n.Name)
	if n.Text != "" && n.Text != n.Name {
		b.WriteString(" | " + n.Text)
	}
	if n.Is("focused") {
		b.WriteString(" <- focus")
	}
	b.WriteString("\n")
	for _, c := range n.Children {
		c.draw(b, depth+1)
	}
}
