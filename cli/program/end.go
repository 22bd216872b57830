package program

import (
	"context"
	"errors"
	"fmt"

	"messngr/cli/install"
	"messngr/cli/phrase"
	"messngr/control"
	"messngr/remote"
	"messngr/wire/oem"
)

// The exit codes of every command, but those of net, which knows only 0 and 2.
const (
	OK      = 0 // the state that was asked for is reached, for all
	Failed  = 1 // it is not, for some
	Misused = 2 // the command was not understood, and nothing was done
)

// Exit is an error that ends the program with this code when everything has been
// said.
type Exit int

// Error implements error.
func (e Exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// UsageError is a misuse of the command line, with a hint about the right use.
type UsageError struct{ Message, Hint string }

// Error implements error.
func (e *UsageError) Error() string { return e.Message }

// Misuse returns a UsageError, whose message is formatted as by fmt.Sprintf.
func Misuse(hint, format string, args ...any) error {
	return &UsageError{Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Hinted gives what the service declined with that code a hint, if it has none.
func Hinted(err error, code, hint string) error {
	var declined *control.Error
	if errors.As(err, &declined) && declined.Code == code && declined.Hint == "" {
		declined.Hint = hint
	}
	return err
}

// End prints what went wrong, with a hint if there is one, and returns the exit
// code of the process. It prints nothing for nil and for an Exit.
func (r *Run) End(err error) int {
	var exit Exit
	var usage *UsageError
	var declined *control.Error
	var elsewhere *remote.Error
	code, hint := Failed, ""
	switch {
	case err == nil:
		return OK
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &usage):
		code, hint = Misused, usage.Hint
	case errors.Is(err, control.ErrNoService):
		// One line, as it is what everybody sees first.
		fmt.Fprintf(r.Stderr, "messngr: %s; start it with: %s\n", oem.CleanLine(err.Error()), install.StartCommand())
		return Failed
	case errors.Is(err, control.ErrNoAccess):
		hint = "ask as root, or as a member of the group messngr"
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
		if _, ok := Terminal(r.Stderr); ok {
			fmt.Fprintln(r.Stderr) // behind the ^C
		}
	case errors.As(err, &elsewhere):
		err, hint = errors.New(phrase.Reason(err.Error())), elsewhere.Hint
	case errors.Is(err, context.DeadlineExceeded):
		err = errors.New("the service did not answer in time")
	case errors.As(err, &declined):
		err, hint = errors.New(phrase.Reason(err.Error())), declined.Hint
		if declined.Code == "bad_request" {
			code = Misused
		}
	}
	r.Complain(err.Error(), hint)
	return code
}
