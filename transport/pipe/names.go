package pipe

import (
	"context"
	"errors"
	"slices"
	"unicode/utf16"

	"messngr"
	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
	"messngr/wire/netbios"
	"messngr/wire/npa"
	"messngr/wire/oem"
)

const (
	// maxPreferred is the most that a caller may ask for who lists names alone, and does
	// not ask for everything (MS-MSRP 3.1.4.8).
	maxPreferred = 11776
	// The sizes of the structures of both levels on Windows of 32 bits, which callers
	// have in mind when they say how many bytes they take.
	sizeName, sizeForward = 4, 12
)

// names runs one call of the interface that manages message names.
func (t *Transport) names(ctx context.Context, who npa.Client, call dcerpc.Call) ([]byte, error) {
	if call.Op > msgnames.Del {
		return nil, noProcedure()
	}
	q, err := msgnames.ParseRequest(call.Op, call.Stub, call.BigEndian)
	if err != nil {
		return nil, t.badStub(who, err)
	}
	ctx, _, leave, err := t.join(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	a := msgnames.Answer{Level: q.Level, HasResume: q.HasResume}
	a.Status = t.manage(ctx, who, call.Op, q, &a)
	return a.Append(nil, call.Op, call.BigEndian), nil
}

// manage does what a call asks for, if its caller may: whoever is known may look at the
// names, and administrators may change them (MS-MSRP 3.1.4.6, 3.1.4.8, 3.1.4.10, 3.1.4.12).
func (t *Transport) manage(ctx context.Context, who npa.Client, op uint16, q msgnames.Request, a *msgnames.Answer) msgnames.Status {
	c, err := t.caller(who)
	change := op == msgnames.Add || op == msgnames.Del
	if err != nil || !c.proven || change && !c.Admin {
		t.log.Debug("call refused", "remote", who.Address, "login", c.Login, "procedure", op, "err", err)
		return msgnames.AccessDenied
	}
	switch op {
	case msgnames.Enum:
		return t.list(q, a)
	case msgnames.GetInfo:
		return t.info(q, a)
	}
	switch {
	case len(utf16.Encode([]rune(q.Name))) > netbios.MaxLabel:
		return msgnames.InvalidParameter
	case op == msgnames.Add:
		err = t.host.AddName(ctx, q.Name)
	default:
		err = t.host.RemoveName(ctx, q.Name)
	}
	t.log.Info("message names changed from afar", "login", c.Login, "remote", who.Address, "procedure", op, "name", oem.CleanLine(q.Name), "err", err)
	return statusOf(op, err)
}

// statusOf turns what a Host returned into the protocol's answer.
func statusOf(op uint16, err error) msgnames.Status {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case err == nil:
		return msgnames.Success
	case is(ErrInvalid):
		return msgnames.InvalidName
	case is(ErrExists):
		return msgnames.AlreadyExists
	case is(ErrTooMany):
		return msgnames.TooManyNames
	case is(ErrTaken):
		return msgnames.DuplicateName
	case is(ErrOwn):
		return msgnames.DelComputerName
	case is(messngr.ErrNotFound):
		return msgnames.NotLocalName
	case op == msgnames.Del:
		return msgnames.IncompleteDel
	default:
		return msgnames.NetworkError
	}
}

// list returns the names from one on, as many as the caller has room for (MS-MSRP 3.1.4.8).
func (t *Transport) list(q msgnames.Request, a *msgnames.Answer) msgnames.Status {
	entry := sizeName
	switch {
	case q.Level == 1:
		entry = sizeForward
	case q.Level > 1:
		return msgnames.InvalidLevel
	case q.PrefMaxLen > maxPreferred && q.PrefMaxLen != msgnames.AllBytes:
		return msgnames.InvalidParameter
	}
	names := t.host.Names()
	if int64(q.Resume) > int64(len(names)) {
		return msgnames.Success
	}
	room := int64(q.PrefMaxLen)
	for i, name := range names[q.Resume:] {
		room -= int64(entry + 2*(len(utf16.Encode([]rune(name)))+1))
		if room < 0 && q.PrefMaxLen != msgnames.AllBytes || i == msgnames.MaxEntries {
			a.Resume = q.Resume + uint32(i)
			return msgnames.BufTooSmall
		}
		a.Names = append(a.Names, name)
		a.Total++
	}
	return msgnames.Success
}

// info tells whether a name is ours (MS-MSRP 3.1.4.10).
func (t *Transport) info(q msgnames.Request, a *msgnames.Answer) msgnames.Status {
	if q.Level > 1 {
		return msgnames.InvalidLevel
	}
	label, err := t.env.Page.EncodeName(q.Name)
	if name := t.env.Page.DecodeName(label); err == nil && slices.Contains(t.host.Names(), name) {
		a.Names = []string{name}
		return msgnames.Success
	}
	return msgnames.NotLocalName
}
