// Package program is what every command shares: what the program got from the
// system, the service that it asks, how it speaks, and how it ends.
package program

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"messngr/cli/console"
	"messngr/control"
	"messngr/wire/oem"
)

// Env is what the program gets from the system that it runs on.
type Env struct {
	// Args are the words of the command line; Args[0] is the program's name. A
	// program called "net" understands the subcommands of `messngr net`.
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Serve runs the service until ctx ends.
	Serve func(ctx context.Context, o ServeOptions) error
	// Reference returns a configuration file that names and explains every key.
	Reference func() ([]byte, error)
}

// ServeOptions is what the command line says about the service. Fields that are
// empty leave the choice to the configuration.
type ServeOptions struct {
	Config     string   // path of the configuration file
	State      string   // folder of the store
	Socket     string   // path of the unix socket
	Name       string   // this machine's NetBIOS name
	Workgroup  string   // its workgroup
	Interfaces []string // names of interfaces, or "lan"
	WINS       []string // addresses of name servers
	PortOffset int      // added to every port number
	Stdout     io.Writer
	Stderr     io.Writer
	// Interactive says that Stdout is a terminal, on which arriving messages
	// are to be shown.
	Interactive bool
}

// Run is one run of the program.
type Run struct {
	Env
	// Socket is the path that the command line names for the service's socket, by
	// --socket; empty leaves it to the environment, see control.FindSocket.
	Socket string
}

// Client returns a client of the service. It connects with its first question, so
// it exists without a service too.
func (r *Run) Client() *control.Client {
	return control.NewClient(control.FindSocket(r.Socket, r.Getenv))
}

// Printf prints to the standard output, as fmt.Printf does. What came from the
// network has to be made safe before (oem.CleanLine).
func (r *Run) Printf(format string, args ...any) { fmt.Fprintf(r.Stdout, format, args...) }

// JSON prints v as one line of JSON.
func (r *Run) JSON(v any) error { return console.JSON(r.Stdout, v) }

// Table prints rows in columns, as wide as the terminal allows, and cuts the last one.
func (r *Run) Table(rows [][]string) { console.Table(r.Stdout, r.width(), rows) }

// Complain prints an error and, on a line of its own, what to do about it, unless
// hint is empty. Both are made safe for a terminal.
func (r *Run) Complain(message, hint string) {
	fmt.Fprintf(r.Stderr, "messngr: %s\n", oem.CleanLine(message))
	if hint != "" {
		fmt.Fprintf(r.Stderr, "         %s\n", oem.CleanLine(hint))
	}
}

// noTerminal is how wide a table may be that goes to no terminal: a message may be as long
// as a book, and a list is none.
const noTerminal = 200

// width is how many columns a line may have.
func (r *Run) width() int {
	if n, err := strconv.Atoi(r.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := Terminal(r.Stdout); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return noTerminal
}

// Await calls read, which waits for somebody to type or for another program, and returns
// its error; or that of ctx, if that ends first. What read does is void then.
func Await(ctx context.Context, read func() error) error {
	done := make(chan error, 1)
	go func() { done <- read() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Terminal returns the file behind a stream if it is a terminal.
func Terminal(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}
