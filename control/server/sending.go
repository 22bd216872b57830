package server

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"messngr"
	"messngr/control"
	"messngr/router"
	"messngr/store"
	"messngr/wire/oem"
)

const (
	// maxTimeout is the longest time that an answer can be waited for.
	maxTimeout = 5 * time.Minute
	// maxExpiry is how long a message can wait for a route.
	maxExpiry = 366 * 24 * time.Hour
)

// send sends a message, and answers with what is known of it when every
// recipient has reached the wanted state, or can no longer, or the time is up.
func (s *Service) send(ctx context.Context, who messngr.Principal, in control.SendRequest) (control.SendAnswer, error) {
	// What cannot be shown is shown in a way that can.
	out := router.Request{
		Principal: who, From: oem.CleanLine(in.From), To: in.To, Wall: in.Wall, Via: in.Via, Want: in.Wait,
		Message: messngr.Message{
			Text: oem.Clean(oem.Normalize(in.Text)), Title: oem.CleanLine(in.Title), Level: in.Level, Drill: in.Drill,
			Answers: in.Answers, InReplyTo: in.InReplyTo, Terminal: in.Terminal,
		},
	}
	switch {
	case in.TimeoutSeconds < 0 || in.TimeoutSeconds > maxTimeout.Seconds():
		return control.SendAnswer{}, bad("timeout_seconds %v: want at most %v", in.TimeoutSeconds, maxTimeout.Seconds())
	case in.ExpireSeconds < 0 || in.ExpireSeconds > int(maxExpiry.Seconds()):
		return control.SendAnswer{}, bad("expire_seconds %d: want at most %.0f", in.ExpireSeconds, maxExpiry.Seconds())
	case in.ExpireSeconds > 0:
		out.Wait, out.Message.Expires = true, time.Now().Add(time.Duration(in.ExpireSeconds)*time.Second)
	}
	out.Timeout = time.Duration(in.TimeoutSeconds * float64(time.Second))
	if in.Address != "" {
		addr, err := netip.ParseAddr(in.Address)
		if err != nil {
			return control.SendAnswer{}, bad("address %q: %v", in.Address, err)
		}
		out.Address = addr.Unmap()
	}
	sent, err := s.Router.Send(ctx, out)
	if err != nil {
		return control.SendAnswer{}, err
	}
	return control.SendAnswer{ID: sent.Message.ID, Recipients: recipients(&sent.Outgoing, sent.Reached), Reached: sent.AllReached()}, nil
}

// recipients says what is known for every recipient.
func recipients(out *store.Outgoing, reached []bool) []control.RecipientAnswer {
	list := make([]control.RecipientAnswer, len(out.Recipients))
	for i := range out.Recipients {
		to := &out.Recipients[i]
		a := control.RecipientAnswer{To: to.To, State: to.State()}
		if last := decisive(to); last != nil {
			a.Via, a.Detail = last.Via, last.Evidence.Detail
			a.Error, a.Code = last.Failure, last.Code
			a.Address = host(last.Evidence.Address)
			a.Hint = hint(last.Code, last.Via)
			if last.Code == "unknown_name" && last.Via != router.Local && askedDNS(to.To) {
				a.Hint = "DNS does not know it either; " + a.Hint
			}
			if last.Evidence.Lossy {
				a.Detail = join(a.Detail, "characters that the code page lacks were replaced")
			}
			if last.Via != router.Local && to.State() != messngr.Failed {
				a.Detail = join(a.Detail, flattened(out.Message))
			}
		}
		a.Reached = reached[i]
		list[i] = a
	}
	return list
}

// decisive is the last attempt that shows what the state of a recipient says; the
// last of all if there is none; nil if there was no attempt. Where every route
// failed it is the last attempt by the best route, since that says what is wrong:
// the others only came up because of it.
func decisive(to *store.Recipient) *store.Attempt {
	state := to.State()
	failed := state == messngr.Failed || state == messngr.Queued
	var chosen *store.Attempt
	for i := range to.Attempts {
		a := &to.Attempts[i]
		ended := a.Via == "" // not by a route, but by the end of the message's time or of the service
		switch {
		case chosen == nil, ended, failed && a.Via == to.Attempts[0].Via, !failed && a.Evidence.State == state:
			chosen = a
		case !failed && chosen.Evidence.State != state:
			chosen = a
		}
	}
	return chosen
}

// askedDNS reports whether DNS was asked for a recipient: for a name with a dot, that is
// no address.
func askedDNS(to string) bool {
	host := to[strings.LastIndex(to, "@")+1:]
	_, err := netip.ParseAddr(host)
	return err != nil && strings.Contains(host, ".")
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// flattened says what of a message an old machine finds in the text, because
// its protocol has no field for it.
func flattened(m *messngr.Message) string {
	var parts []string
	for _, p := range []struct {
		there bool
		name  string
	}{{m.Drill, "drill"}, {m.Level >= messngr.LevelUrgent, "level"}, {m.Title != "", "title"}, {len(m.Answers) > 0, "answers"}} {
		if p.there {
			parts = append(parts, p.name)
		}
	}
	if parts == nil {
		return ""
	}
	return "written into the text: " + strings.Join(parts, ", ")
}

func host(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.Addr().String()
}

// hint says what the sender of a message that did not arrive can do. via is the route
// that it took, or "" if it took none.
func hint(code, via string) string {
	if via == router.Local {
		return localHint(code)
	}
	switch code {
	case "unknown_name":
		return "check the spelling; is that machine on, on the same network, and its Messenger service running? With its address: messngr send --at ADDRESS NAME TEXT"
	case "refused":
		return "the other side does not take messages from here"
	case "busy":
		return "try again in a while"
	case "paused":
		return "the Messenger service there is paused"
	case "too_long":
		return "shorten the text or choose another route with --via"
	case "unavailable":
		return unreachableHint(via)
	case "uncertain":
		return "the answer to the last step was lost, so it may or may not have arrived; ask before you send it again"
	}
	return ""
}

// localHint is hint for what would not have left this machine.
func localHint(code string) string {
	switch code {
	case "unknown_name":
		return "check the spelling; somebody on another machine is USER@HOST, or a name: messngr send NAME"
	case "too_long":
		return "shorten the text"
	}
	return "" // the error says what is wrong here
}

// unreachableHint says what may be in the way of a route.
func unreachableHint(via string) string {
	ports := map[string]string{"smb": "TCP 139", "rpc": "UDP 135", "rwall": "UDP 111 and that of its rwalld"}
	switch port := ports[via]; {
	case via == "mailslot":
		return "see messngr status for the ports in use"
	case port != "":
		return "is the machine on, and does a firewall between you and it let " + port + " through?"
	}
	return ""
}

// sentList returns messages that the asker has sent, the newest first, without
// their attempts.
func (s *Service) sentList(ctx context.Context, who messngr.Principal, in control.MessageQuery) (
	control.SentList, iter.Seq2[control.SentMessage, error], error,
) {
	answer := control.SentList{Messages: []control.SentMessage{}}
	if in.Unread {
		return answer, nil, bad("unread: nothing is known of whether a sent message was read")
	}
	q := queryOf(&in)
	if who = asOwner(who, in.Own); !who.Admin {
		q.Audiences = []string{who.Login}
	}
	read := func(q store.Query) ([]store.Outgoing, error) { return s.Store.Sent(ctx, q) }
	sent := pages(q, read, func(o *store.Outgoing) int64 { return o.Seq })
	return answer, converted(sent, func(o store.Outgoing) control.SentMessage { return s.sentMessage(&o, false) }), nil
}

// sentShow returns one sent message with its attempts.
func (s *Service) sentShow(ctx context.Context, who messngr.Principal, in messageRef) (control.SentMessage, error) {
	out, err := s.Store.SentMessage(ctx, in.ID)
	switch {
	case errors.Is(err, messngr.ErrNotFound), err == nil && !who.Admin && out.Owner != who.Login:
		return control.SentMessage{}, noMessage(in.ID)
	case err != nil:
		return control.SentMessage{}, err
	}
	return s.sentMessage(&out, true), nil
}

// sentRetract takes back a sent message where it is within reach: on this machine.
func (s *Service) sentRetract(ctx context.Context, who messngr.Principal, in control.RetractRequest) (control.RetractAnswer, error) {
	ctx = context.WithoutCancel(ctx) // as in delete
	ended, beyond, err := s.Router.Retract(ctx, who, in.ID)
	if errors.Is(err, messngr.ErrNotFound) {
		return control.RetractAnswer{}, noMessage(in.ID)
	}
	var gone []change
	for _, e := range ended {
		gone = append(gone, change{e.Message.ID, e.Message.Audience})
	}
	s.changes.publish(control.EventRetracted, "", gone)
	return control.RetractAnswer{Count: len(ended), Beyond: slices.Concat([]string{}, beyond)}, err
}

func (s *Service) sentMessage(out *store.Outgoing, attempts bool) control.SentMessage {
	m := out.Message
	sent := control.SentMessage{
		ID: m.ID, From: m.From.Claimed, Text: m.Text, Title: m.Title, Level: m.Level, SentAt: m.Time,
		ExpiresAt: when(m.Expires), Owner: out.Owner, Recipients: recipients(out, s.Router.Reached(*out)),
	}
	if !attempts {
		return sent
	}
	for i := range out.Recipients {
		for _, a := range out.Recipients[i].Attempts {
			sent.Attempts = append(sent.Attempts, control.Attempt{
				To: out.Recipients[i].To, Via: a.Via, Address: host(a.Evidence.Address), State: a.Evidence.State,
				Began: a.Began, Ended: when(a.Ended), Detail: a.Evidence.Detail, Error: a.Failure,
			})
		}
	}
	return sent
}
