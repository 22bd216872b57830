package router

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"messngr"
	"messngr/store"
)

// localSender delivers to people and names of this host, by way of the store
// alone.
type localSender struct{ r *Router }

// Send implements messngr.Sender.
func (l localSender) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	var ev messngr.Evidence
	in := *m
	in.Via, in.To = Local, to.Name
	detail := ""
	if entry, ok := l.r.cfg.Names.Lookup(to.Name, false); ok {
		in.To, in.Audience = entry.Name, entry.User
	} else if login, here, ok := l.login(ctx, to.Name); ok {
		in.Audience = login
		if !here {
			detail = login + " is not logged on here"
		}
	} else {
		return ev, unknownHere(to.Name)
	}
	if err := l.r.take(ctx, store.Incoming{Message: &in, Attempt: attemptOf(ctx)}); err != nil {
		return ev, err
	}
	return messngr.Evidence{State: messngr.Delivered, Detail: detail}, nil
}

// unknownHere is a messngr.ErrUnknownName: the name of nobody on this host.
type unknownHere string

func (e unknownHere) Error() string {
	return fmt.Sprintf("nobody on this machine is called %s", string(e))
}
func (e unknownHere) Is(target error) bool { return target == messngr.ErrUnknownName }

// login finds somebody of this host under a name that is not, or cannot be, a
// message name of it: somebody who is logged on, or who could be. here is true if
// that cannot be told.
func (l localSender) login(ctx context.Context, name string) (login string, here, ok bool) {
	people, err := l.r.cfg.Sessions.People(ctx)
	if err != nil {
		l.r.cfg.Log.Debug("list of sessions", "err", err)
	}
	i := slices.IndexFunc(people, func(login string) bool { return strings.EqualFold(login, name) })
	if i >= 0 {
		return people[i], true, true
	}
	login, ok = l.r.cfg.Sessions.Account(name)
	return login, err != nil, ok
}

type attemptKey struct{}

// withAttempt lets the local route know which attempt it is part of, so that
// later evidence finds it.
func withAttempt(ctx context.Context, number int64) context.Context {
	return context.WithValue(ctx, attemptKey{}, number)
}

func attemptOf(ctx context.Context) int64 {
	number, _ := ctx.Value(attemptKey{}).(int64)
	return number
}
