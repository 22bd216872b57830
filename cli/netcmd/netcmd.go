// Package netcmd answers the NET commands of Windows NT that belong to the
// Messenger service, with their syntax, wording, error numbers and exit codes,
// so that scripts and habits of that time go on working.
package netcmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"messngr/control"
	"messngr/wire/oem"
)

// The exit codes: there were no others.
const (
	success = 0
	failure = 2
)

// Service is what the commands ask the service for; *control.Client is one.
type Service interface {
	Status(ctx context.Context) (control.Status, error)
	Service(ctx context.Context, action string) error
	Send(ctx context.Context, r control.SendRequest) (control.SendAnswer, error)
	Names(ctx context.Context) (control.NameList, error)
	AddName(ctx context.Context, r control.NameRequest) (control.Name, error)
	RemoveName(ctx context.Context, name string) error
}

// Env is what the commands work with.
type Env struct {
	Stdout, Stderr io.Writer
	Service        Service
	// Start starts the service if it does not run.
	Start func(ctx context.Context) error
	// Remote reaches the message names of another computer, for a user there, or for
	// nobody if that is empty.
	Remote func(ctx context.Context, computer, user string) (NameTable, error)
}

// Run runs one command, whose first word is such as "send", and returns its
// exit code, which is 0 or 2.
func Run(ctx context.Context, env Env, args []string) int {
	n := net{env}
	if len(args) == 0 {
		return n.misuse("")
	}
	command, args := strings.ToUpper(args[0]), args[1:]
	if command == "HELP" || command == "/HELP" || command == "/?" {
		return n.help(args)
	}
	if len(args) > 0 && (args[len(args)-1] == "/?" || strings.EqualFold(args[len(args)-1], "/help")) {
		return n.help([]string{command})
	}
	switch command {
	case "SEND":
		return n.send(ctx, args)
	case "NAME":
		return n.name(ctx, args)
	case "START":
		return n.start(ctx, args)
	case "STOP", "PAUSE", "CONTINUE":
		return n.control(ctx, command, args)
	case "HELPMSG":
		return n.helpmsg(args)
	}
	return n.misuse("")
}

// net is one run of a command.
type net struct{ Env }

// say prints a line of the answer and the empty line that follows it.
func (n net) say(format string, args ...any) {
	fmt.Fprintf(n.Stdout, "%s\n\n", oem.Clean(fmt.Sprintf(format, args...)))
}

// fail prints the text of an error and where more of it is told.
func (n net) fail(number int, args ...string) int {
	m, ok := lookup(number)
	if !ok || number < firstNetwork {
		fmt.Fprintf(n.Stderr, "System error %d has occurred.\n\n%s\n\n", number, m.text)
		return failure
	}
	text := m.text
	for _, arg := range args {
		text = strings.Replace(text, "***", oem.CleanLine(arg), 1)
	}
	fmt.Fprintf(n.Stderr, "%s\n\nMore help is available by typing NET HELPMSG %d.\n\n", text, number)
	return failure
}

// misuse prints the syntax of a command, or of all if there is no such command.
func (n net) misuse(command string) int {
	fmt.Fprintf(n.Stderr, "The syntax of this command is:\n\n%s\n\n", syntaxOf(command))
	return failure
}

// unknownOption refuses a word with a slash that the command does not know.
func (n net) unknownOption(command, option string) int {
	fmt.Fprintf(n.Stderr, "The option %s is unknown.\n\n", oem.CleanLine(strings.ToUpper(option)))
	fmt.Fprintf(n.Stderr, "The syntax of this command is:\n\n%s\n\nMore help is available by typing NET HELPMSG 3506.\n\n", syntaxOf(command))
	return failure
}

func (n net) help(args []string) int {
	if len(args) == 0 {
		fmt.Fprintf(n.Stdout, "The syntax of this command is:\n\n%s\n\n", helpText)
		return success
	}
	command := strings.ToUpper(args[0])
	if command == "MESSENGER" || command == "ALERTER" || command == "SERVICES" {
		command = "START"
	}
	t, ok := helpOf(command)
	if !ok {
		return n.misuse("")
	}
	fmt.Fprintf(n.Stdout, "The syntax of this command is:\n\n%s\n\n%s\n\n", t.syntax, t.explanation)
	return success
}

func (n net) helpmsg(args []string) int {
	if len(args) != 1 {
		return n.misuse("HELPMSG")
	}
	number, ok := parseNumber(args[0])
	m, known := lookup(number)
	if !ok || !known {
		fmt.Fprintf(n.Stderr, "%s is not a valid Windows network message number.\n\nMore help is available by typing NET HELPMSG 3871.\n\n", oem.CleanLine(args[0]))
		return failure
	}
	fmt.Fprintf(n.Stdout, "\n%s\n\n", m.text)
	if m.explanation != "" {
		fmt.Fprintf(n.Stdout, "\nEXPLANATION\n\n%s\n\nACTION\n\n%s\n\n", m.explanation, m.action)
	}
	return success
}
