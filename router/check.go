package router

import (
	"fmt"
	"messngr/router/recipients"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"messngr"
)

const (
	// maxAnswers is how many answers a sender can ask a person to choose from:
	// one for each of the digits that choose them.
	maxAnswers = 9
	// maxLine bounds what has to fit on one line, in bytes.
	maxLine = 255
)

// check refuses what cannot be sent, before anything is stored.
func (r *Router) check(req *Request) error {
	m := &req.Message
	switch {
	case len(m.Text) > messngr.MaxText:
		return &messngr.TooLongError{Limit: messngr.MaxText, Length: len(m.Text)}
	case req.Wait && m.Expires.IsZero():
		return messngr.Misuse("a message that may wait needs a time at which it expires")
	case m.Expired(time.Now()):
		return messngr.Misuse("the message has expired before it is sent")
	case len(m.Answers) > maxAnswers:
		return messngr.Misuse("%d answers, at most %d are possible", len(m.Answers), maxAnswers)
	case req.Want != nil && *req.Want > messngr.Answered:
		return messngr.Misuse("nobody can wait for the state %q", *req.Want)
	case req.Via != "" && !slices.Contains(r.Routes(), req.Via):
		return messngr.Misuse("unknown route %q, there are %s", req.Via, strings.Join(r.Routes(), ", "))
	case req.Address.IsValid() && !req.Address.Is4():
		return recipients.OnlyIPv4(req.Address)
	case req.Wall && len(req.To) > 0:
		return messngr.Misuse("a message to everybody on this host has no other recipients")
	case req.Wall && req.Via != "" && req.Via != Local:
		return messngr.Misuse("a message to everybody on this host does not go by %q", req.Via)
	case m.Level >= messngr.LevelEmergency && !req.Principal.Admin && !r.cfg.Rights.Emergency:
		return fmt.Errorf("%w: only root and members of the group messngr may send emergencies", messngr.ErrRefused)
	case !isTerminal(m.Terminal):
		return messngr.Misuse("%q is not the name of a terminal, such as pts/3", m.Terminal)
	}
	return checkTexts(req)
}

// checkTexts holds what the sender wrote to what messngr.Message promises of it.
func checkTexts(req *Request) error {
	m := &req.Message
	if err := harmless("text", m.Text, "\n\t"); err != nil {
		return err
	}
	lines := map[string][]string{"title": {m.Title}, "answer": m.Answers, "recipient": req.To, "sender's name": {req.From}}
	for what, list := range lines {
		for _, s := range list {
			if len(s) > maxLine {
				return messngr.Misuse("the %s is longer than %d bytes", what, maxLine)
			}
			if err := harmless(what, s, ""); err != nil {
				return err
			}
		}
	}
	for _, answer := range m.Answers {
		if strings.TrimSpace(answer) == "" {
			return messngr.Misuse("an answer is empty")
		}
	}
	return nil
}

// harmless refuses text that could make a terminal or a page show something else
// than was written.
func harmless(what, s, layout string) error {
	if !utf8.ValidString(s) {
		return messngr.Misuse("the %s is not UTF-8", what)
	}
	for _, c := range s {
		if !strings.ContainsRune(layout, c) && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029') {
			return messngr.Misuse("the %s has the control character %U", what, c)
		}
	}
	return nil
}

// isTerminal reports whether name is "" or can be that of a terminal below /dev.
func isTerminal(name string) bool {
	strange := func(c rune) bool {
		return c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '/' && c != '-' && c != '_'
	}
	return len(name) <= maxLine && !strings.ContainsFunc(name, strange) && !strings.HasPrefix(name, "/")
}
