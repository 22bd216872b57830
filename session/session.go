// Package session knows who is logged on to this host, and on which terminals.
package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Session is one login of one person.
type Session struct {
	// ID is the session's own name in the source that told of it; it may be "".
	ID string
	// User is the login name; for a session with Samba as Samba calls it.
	User string
	// UID is the numeric user id; -1 if it is not known.
	UID int
	// TTY is the terminal below /dev, such as "tty1" or "pts/3"; "" if there is
	// none or it is not known. It has no element "..".
	TTY string
	// Display is the X11 display of a graphical session, such as ":0"; or "".
	Display string
	// Remote is the name or address that the person came from; "" if local.
	Remote string
	// Since is when the session began; zero if it is not known.
	Since time.Time
	// Active is when something was last typed on TTY; zero if it is not known.
	Active time.Time
}

// Lister finds out who is logged on.
type Lister interface {
	// Sessions lists the open sessions of people, in no special order. The error
	// wraps fs.ErrNotExist if the host does not have what the Lister asks, and
	// errors.ErrUnsupported if the operating system cannot be asked.
	Sessions(ctx context.Context) ([]Session, error)
}

// watcher is a Lister that notices changes by itself.
type watcher interface {
	// watch calls changed once it listens, and then when the sessions may have
	// changed, until ctx ends or it cannot go on.
	watch(ctx context.Context, changed func()) error
}

// Merge lists the sessions of several sources. A terminal or display that two
// of them tell of is listed once, as the earlier source describes it. It fails
// only if all of them do.
func Merge(listers ...Lister) Lister { return merged(listers) }

type merged []Lister

func (m merged) Sessions(ctx context.Context) ([]Session, error) {
	var all []Session
	var errs []error
	seen := map[string]bool{}
	for _, l := range m {
		sessions, err := l.Sessions(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, s := range sessions {
			place := s.TTY + " " + s.Display
			if place != " " && seen[place] {
				continue
			}
			seen[place] = true
			all = append(all, s)
		}
	}
	if len(errs) == len(m) {
		return nil, silence(errs)
	}
	return all, nil
}

// silence is why no source tells who is logged on.
type silence []error

func (s silence) Error() string {
	var why []string
	for _, err := range s {
		why = append(why, strings.TrimPrefix(err.Error(), "session: "))
	}
	return "this host does not tell who is logged on: " + strings.Join(why, "; ")
}

func (s silence) Unwrap() []error { return s }

func (m merged) watch(ctx context.Context, changed func()) error {
	done := make(chan error)
	n := 0
	for _, l := range m {
		if w, ok := l.(watcher); ok {
			n++
			go func() { done <- w.watch(ctx, changed) }()
		}
	}
	var errs []error
	for range n {
		errs = append(errs, <-done)
	}
	return errors.Join(errs...)
}

// pollEvery is how soon a change is noticed that no source announces.
const pollEvery = 10 * time.Second

// Watch calls changed with the open sessions, and again whenever one has been
// opened or closed, until ctx ends. It is told by logind and by the kernel at
// once, and looks by itself every ten seconds. While l fails nothing is
// reported: not to know who is there does not mean that they have left.
func Watch(ctx context.Context, l Lister, changed func([]Session)) {
	wake := make(chan struct{}, 1)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if w, ok := l.(watcher); ok {
			// A source that cannot announce changes is polled like all others.
			_ = w.watch(ctx, func() {
				select {
				case wake <- struct{}{}:
				default:
				}
			})
		}
	}()
	defer func() { <-stopped }()

	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var last []Session
	for first := true; ; {
		sessions, err := l.Sessions(ctx)
		if ctx.Err() != nil {
			return
		}
		if lasting := lasting(sessions); err == nil && (first || !slices.Equal(lasting, last)) {
			first, last = false, lasting
			changed(sessions)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-poll.C:
		}
	}
}

// lasting is what stays the same while nobody comes or goes.
func lasting(sessions []Session) []Session {
	out := slices.Clone(sessions)
	for i := range out {
		out[i].Active = time.Time{}
	}
	slices.SortFunc(out, func(a, b Session) int {
		return strings.Compare(a.ID+"\x00"+a.TTY+"\x00"+a.User+"\x00"+a.Remote, b.ID+"\x00"+b.TTY+"\x00"+b.User+"\x00"+b.Remote)
	})
	return out
}

// terminal returns the name of a terminal below /dev, or "" if line is none
// that can be trusted as part of a path.
func terminal(line string) string {
	line = strings.TrimPrefix(line, "/dev/")
	for element := range strings.SplitSeq(line, "/") {
		if element == "" || element[0] == '.' {
			return ""
		}
	}
	for _, c := range []byte(line) {
		if c != '/' && c != '.' && c != '-' && c != '_' && (c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z') {
			return ""
		}
	}
	return line
}

// printable returns s if it is fit to be a name in a listing, otherwise "".
func printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return ""
	}
	return s
}
