// Package find finds the messages that people name: by their number in the list, by
// the end of their id, or as "last".
package find

import (
	"context"
	"os/user"
	"regexp"
	"strconv"
	"strings"

	"messngr"
	"messngr/cli/program"
	"messngr/control"
)

// minSuffix is how much of the end of an id names a message, in digits. What is
// shorter is a number of the list, and nothing else: a number whose message has been
// deleted must not come to mean another one.
const minSuffix = 6

// CanName reports whether a word can name a message: its number in the list, the
// end of its id, or "last".
func CanName(word string) bool {
	return strings.EqualFold(word, "last") || regexp.MustCompile(`^([0-9]+|[0-9a-fA-F]{6,12}|[0-9a-fA-F-]{13,36})$`).MatchString(word)
}

const refHint = "see: messngr inbox list; a message is named by its number, the end of its id, or: last"

// Message finds the received message that a word names. It returns a
// program.UsageError for a word that can name none, and what the service says.
func Message(ctx context.Context, c *control.Client, word string) (control.Message, error) {
	if id, err := messngr.ParseID(word); err == nil {
		return c.Message(ctx, id)
	}
	if strings.EqualFold(word, "last") {
		l, err := c.Messages(ctx, control.MessageQuery{Limit: 1})
		if err == nil && len(l.Messages) == 0 {
			err = &control.Error{Code: "not_found", Message: "there are no messages"}
		}
		return first(l.Messages), err
	}
	if !CanName(word) {
		return control.Message{}, program.Misuse(refHint, "%q names no message", word)
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil && n > 0 {
		l, err := c.Messages(ctx, control.MessageQuery{After: n - 1, Before: n + 1, Limit: 1})
		if err != nil || len(l.Messages) == 1 {
			return first(l.Messages), err
		}
	}
	if len(word) < minSuffix {
		return control.Message{}, noSuchMessage(word)
	}
	return bySuffix(ctx, c, word)
}

func noSuchMessage(word string) error {
	return &control.Error{Code: "not_found", Message: "no message is called " + strconv.Quote(word), Hint: refHint}
}

// LastOfOthers finds the newest message that is not the asker's own, such as what he
// has told everybody here; the newest of all if there is none among the last.
func LastOfOthers(ctx context.Context, c *control.Client) (control.Message, error) {
	const last = 50
	l, err := c.Messages(ctx, control.MessageQuery{Limit: last})
	me, unknown := user.Current()
	if err != nil || unknown != nil {
		return Message(ctx, c, "last")
	}
	for _, m := range l.Messages {
		if m.Via != "local" || m.Proven != me.Username {
			return m, nil
		}
	}
	return Message(ctx, c, "last")
}

// bySuffix looks through the whole inbox for the only id that ends so.
func bySuffix(ctx context.Context, c *control.Client, suffix string) (control.Message, error) {
	var found []control.Message
	err := Each(ctx, c, control.MessageQuery{}, func(m control.Message) error {
		if strings.HasSuffix(m.ID.String(), strings.ToLower(suffix)) {
			found = append(found, m)
		}
		return nil
	})
	switch {
	case err != nil:
		return control.Message{}, err
	case len(found) == 0:
		return control.Message{}, noSuchMessage(suffix)
	case len(found) > 1:
		return control.Message{}, program.Misuse("give more of the id", "%d messages end in %q", len(found), suffix)
	}
	return found[0], nil
}

// Each calls do for all messages that q selects, page by page, newest
// first or, with q.Oldest, oldest first, until do returns an error.
func Each(ctx context.Context, c *control.Client, q control.MessageQuery, do func(control.Message) error) error {
	const page = 1000
	q.Limit = page
	for {
		l, err := c.Messages(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range l.Messages {
			if err := do(m); err != nil {
				return err
			}
			if q.Oldest {
				q.After = m.Seq
			} else {
				q.Before = m.Seq
			}
		}
		if len(l.Messages) < page {
			return nil
		}
	}
}

// Sent finds the sent message that a word names, as Message does among the received.
func Sent(ctx context.Context, c *control.Client, word string) (messngr.ID, error) {
	if id, err := messngr.ParseID(word); err == nil {
		return id, nil
	}
	l, err := c.Sent(ctx, control.MessageQuery{Limit: 10_000})
	if err != nil {
		return messngr.ID{}, err
	}
	var found []messngr.ID
	for i, m := range l.Messages {
		if i == 0 && strings.EqualFold(word, "last") || len(word) >= minSuffix && CanName(word) && strings.HasSuffix(m.ID.String(), strings.ToLower(word)) {
			found = append(found, m.ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return messngr.ID{}, &control.Error{Code: "not_found", Message: "no sent message is called " + strconv.Quote(word), Hint: "see: messngr sent list"}
	}
	return messngr.ID{}, program.Misuse("give more of the id", "%d messages end in %q", len(found), word)
}

func first(l []control.Message) control.Message {
	if len(l) == 0 {
		return control.Message{}
	}
	return l[0]
}
