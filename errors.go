package messngr

import (
	"errors"
	"fmt"
)

// The errors that callers act on, found with errors.Is. Accept returns them to
// transports, which turn them into their protocol's own answer; Sender.Send
// returns them to the router, which decides about the next route.
var (
	// ErrUnknownName: nobody here, or there, has that name.
	ErrUnknownName = errors.New("name not found")
	// ErrRefused: policy does not allow it.
	ErrRefused = errors.New("refused")
	// ErrBusy: too many messages just now; later it may work.
	ErrBusy = errors.New("busy")
	// ErrPaused: the receiving side is paused.
	ErrPaused = errors.New("paused")
	// ErrTooLong: the text does not fit; see TooLongError for the limit.
	ErrTooLong = errors.New("text too long")
	// ErrUnavailable: nothing was handed over; another route may work.
	ErrUnavailable = errors.New("unavailable")
	// ErrUncertain: the answer to the last step was lost, so that the message
	// may or may not have arrived. Nobody may try again blindly.
	ErrUncertain = errors.New("outcome unknown")
	// ErrNobody: a display has nobody to show the message to just now.
	ErrNobody = errors.New("nobody is there to see it")
	// ErrNotFound: no such message, rule or name in our own books.
	ErrNotFound = errors.New("not found")
)

// TooLongError says how much a route can carry. It is an ErrTooLong.
type TooLongError struct {
	// Limit is the largest text in bytes of the route's encoding.
	Limit int
	// Length is the length of the text that was refused, in the same measure.
	Length int
}

// Error implements error.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("text of %d bytes is longer than the %d bytes that this route carries", e.Length, e.Limit)
}

// Is makes the error an ErrTooLong.
func (e *TooLongError) Is(target error) bool { return target == ErrTooLong }

// MisuseError says what is wrong with what somebody asked for, in words for that person;
// nothing was done.
type MisuseError struct{ text string }

// Misuse returns a *MisuseError with the text that fmt.Sprintf makes.
func Misuse(format string, args ...any) error { return &MisuseError{fmt.Sprintf(format, args...)} }

// Error implements error.
func (e *MisuseError) Error() string { return e.text }

// Code returns the stable word by which the API and the store call an error, of
// those above: "unknown_name", "refused", "busy", "paused", "too_long",
// "unavailable", "uncertain", "nobody", "not_found". It is "" for nil and
// "internal" for every other error. An error that wraps several of them is
// called by the first in this order: uncertain, then as above.
func Code(err error) string {
	if err == nil {
		return ""
	}
	for _, c := range []struct {
		err  error
		word string
	}{
		{ErrUncertain, "uncertain"},
		{ErrUnknownName, "unknown_name"},
		{ErrRefused, "refused"},
		{ErrBusy, "busy"},
		{ErrPaused, "paused"},
		{ErrTooLong, "too_long"},
		{ErrUnavailable, "unavailable"},
		{ErrNobody, "nobody"},
		{ErrNotFound, "not_found"},
	} {
		if errors.Is(err, c.err) {
			return c.word
		}
	}
	return "internal"
}
