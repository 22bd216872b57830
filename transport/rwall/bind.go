package rwall

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"syscall"
	"time"

	"messngr/wire/sunrpc"
)

// errOther says that another program of this host is bound as the wall.
var errOther = errors.New("rpcbind tells others the port of another program, such as rwalld")

// keepBound has rpcbind tell others the port, again whenever rpcbind was restarted, until
// ctx ends. Where there is no rpcbind it waits for one.
func (t *Transport) keepBound(ctx context.Context, port uint16) {
	if t.cfg.RPCBind == "" {
		return
	}
	bound, told := false, ""
	report := func(err error) {
		bound = err == nil
		news := fmt.Sprint(err)
		if news == told {
			return
		}
		told = news
		switch {
		case bound:
			t.log.Info("rpcbind tells others the port of the network wall", "port", port)
		case isAbsent(err):
			t.log.Info("no rpcbind runs, so that only who knows the port finds the network wall", "port", port)
		default:
			t.log.Warn("rpcbind does not tell others the port of the network wall", "port", port, "err", err)
		}
	}
	for ctx.Err() == nil {
		wait := t.timing.rebind
		if err := t.bind(ctx, port, func() { report(nil) }); err != nil && ctx.Err() == nil {
			report(err)
		} else {
			wait /= 10 // it has been restarted, or we were silent for half a minute
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	if bound {
		t.unbind(context.WithoutCancel(ctx), port)
	}
}

// isAbsent reports whether err says that no rpcbind runs.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// bind sets the binding, calls done, and returns nil when rpcbind has closed the
// connection, as it does when it ends.
func (t *Transport) bind(ctx context.Context, port uint16, done func()) error {
	conn, err := t.dialBind(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	ok, err := t.tell(conn, sunrpc.SetProcedure, port)
	if err == nil && !ok {
		if t.isAlive(ctx) {
			return errOther
		}
		// Its program has died without a word.
		if _, err = t.tell(conn, sunrpc.UnsetProcedure, port); err == nil {
			ok, err = t.tell(conn, sunrpc.SetProcedure, port)
		}
	}
	if err == nil && !ok {
		err = errOther
	}
	if err != nil {
		return err
	}
	done()
	_ = conn.SetDeadline(time.Time{})
	if ctx.Err() == nil {
		_, _ = conn.Read(make([]byte, 1))
	}
	return nil
}

func (t *Transport) unbind(ctx context.Context, port uint16) {
	ctx, cancel := context.WithTimeout(ctx, t.timing.patience)
	defer cancel()
	conn, err := t.dialBind(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := t.tell(conn, sunrpc.UnsetProcedure, port); err != nil {
		t.log.Warn("rpcbind still tells others the port of the network wall", "err", err)
	}
}

func (t *Transport) dialBind(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", t.cfg.RPCBind)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(t.timing.patience))
}

// tell calls rpcbind's SET or UNSET and returns what it answered. Over its unix socket it
// knows whose the binding is, by the kernel.
func (t *Transport) tell(conn net.Conn, procedure uint32, port uint16) (bool, error) {
	binding := sunrpc.Binding{
		Program: sunrpc.WallProgram, Version: sunrpc.WallVersion, Network: "udp",
		Address: sunrpc.FormatAddress(netip.AddrPortFrom(netip.IPv4Unspecified(), port)),
	}
	call := sunrpc.Call{
		XID: uint32(port)<<8 | procedure, Program: sunrpc.BindProgram, Version: sunrpc.BindVersion4, Procedure: procedure,
		Args: binding.Append(nil),
	}
	b, err := call.Append(nil)
	if err != nil {
		return false, err
	}
	if _, err := conn.Write(sunrpc.AppendRecord(nil, b)); err != nil {
		return false, err
	}
	if b, err = sunrpc.ReadRecord(conn, 1024); err != nil {
		return false, err
	}
	reply, err := sunrpc.ParseReply(b)
	switch {
	case err != nil:
		return false, err
	case reply.XID != call.XID:
		return false, errors.New("the answer belongs to something else")
	case reply.Status != sunrpc.Success:
		return false, reply.Status
	}
	ok, err := sunrpc.ParseUint32(reply.Results)
	return ok != 0, err
}

// isAlive reports whether whoever is bound as the wall on this host answers.
func (t *Transport) isAlive(ctx context.Context) bool {
	at, err := t.lookup(ctx, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		return false
	}
	_, err = t.ask(ctx, at, sunrpc.Call{Program: sunrpc.WallProgram, Version: sunrpc.WallVersion, Procedure: sunrpc.NullProcedure})
	return err == nil || errors.Is(err, errAnswered)
}

// errAnswered marks that the other side said that it could not.
var errAnswered = errors.New("the call was answered with an error")
