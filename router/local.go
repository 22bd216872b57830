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
	if entry, ok := l.r.cfg.Names.Lookup(to.Name, false); ok {
		in.To, in.Audience = entry.Name, entry.User
	} else if login, ok := l.login(ctx, to.Name); ok {
		in.Audience = login
	} else {
		return ev, fmt.Errorf("%s: %w", to.Name, messngr.ErrUnknownName)
	}
	if err := l.r.take(ctx, store.Incoming{Message: &in, Attempt: attemptOf(ctx)}); err != nil {
		return ev, err
	}
	return messngr.Evidence{State: messngr.Delivered}, nil
}

// login finds somebody who is logged on under a name that is not, or cannot be,
// a message name of this host.
func (l localSender) login(ctx context.Context, name string) (string, bool) {
	people, err := l.r.cfg.Sessions.People(ctx)
	if err != nil {
		l.r.cfg.Log.Warn("list of sessions", "err", err)
	}
	i := slices.IndexFunc(people, func(login string) bool { return strings.EqualFold(login, name) })
	if i < 0 {
		return "", false
	}
	return people[i], true
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
