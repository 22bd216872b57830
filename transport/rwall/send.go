package rwall

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"messngr"
	"messngr/wire/sunrpc"
)

var (
	// errNobody: the other machine says that nobody listens there.
	errNobody = errors.New("nobody listens there")
	// errNoWall: nobody takes network walls there.
	errNoWall = errors.New("no rwalld is registered there")
)

// Send implements messngr.Sender. It reaches everybody on one machine.
func (t *Transport) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	if to.Group {
		return messngr.Evidence{}, fmt.Errorf("%w: a network wall reaches one machine, not a group", messngr.ErrUnavailable)
	}
	from := m.From.Claimed
	if from != "" {
		from += "@"
	}
	text := compose(from+t.env.Host, time.Now(), m.Text)
	if over := len(text) - t.cfg.MaxText; over > 0 {
		return messngr.Evidence{}, &messngr.TooLongError{Limit: len(m.Text) - over, Length: len(m.Text)}
	}
	addr, err := t.find(ctx, to)
	if err != nil {
		return messngr.Evidence{}, err
	}
	at, err := t.lookup(ctx, addr)
	if t.wallAt != 0 && (errors.Is(err, errNobody) || errors.Is(err, errNoWall)) {
		at, err = netip.AddrPortFrom(addr, t.wallAt), nil
	}
	if err != nil {
		return messngr.Evidence{}, fmt.Errorf("%w: %v: %w", messngr.ErrUnavailable, addr, err)
	}
	ev := messngr.Evidence{Address: at}
	if err := t.wall(ctx, at, text); err != nil {
		return ev, fmt.Errorf("%v: %w", at, err)
	}
	ev.State, ev.Detail = messngr.Accepted, "for everybody on that machine"
	return ev, nil
}

// find returns the address of a machine: as rwall(1) finds it, else as a NetBIOS network
// does.
func (t *Transport) find(ctx context.Context, to messngr.Device) (netip.Addr, error) {
	if to.Address.IsValid() {
		return to.Address.Unmap(), nil
	}
	limited, cancel := context.WithTimeout(ctx, t.timing.patience)
	addrs, err := net.DefaultResolver.LookupNetIP(limited, "ip4", to.Name)
	cancel()
	if err == nil && len(addrs) > 0 {
		return addrs[0].Unmap(), nil
	}
	err = fmt.Errorf("%w: %s has no address", messngr.ErrUnknownName, to.Name)
	for _, network := range t.env.NetBIOS {
		place, failed := t.env.Locate(ctx, network, to)
		if failed == nil {
			return place.Addrs[0], nil
		}
		err = failed
	}
	return netip.Addr{}, err
}

// lookup asks a machine's rpcbind for the port of its wall, in the newest version that
// both know. Whatever the answer says, the machine stays the same.
func (t *Transport) lookup(ctx context.Context, addr netip.Addr) (netip.AddrPort, error) {
	at := netip.AddrPortFrom(addr, t.bindAt)
	for _, version := range []uint32{sunrpc.BindVersion4, sunrpc.BindVersion3, sunrpc.PortMapVersion} {
		call := sunrpc.Call{Program: sunrpc.BindProgram, Version: version, Procedure: sunrpc.LookupProcedure}
		if version == sunrpc.PortMapVersion {
			call.Args = sunrpc.Mapping{Program: sunrpc.WallProgram, Version: sunrpc.WallVersion, Protocol: sunrpc.UDP}.Append(nil)
		} else {
			call.Args = sunrpc.Binding{
				Program: sunrpc.WallProgram, Version: sunrpc.WallVersion, Network: "udp", Address: sunrpc.FormatAddress(at),
			}.Append(nil)
		}
		results, err := t.ask(ctx, at, call)
		if errors.Is(err, sunrpc.ProgramMismatch) || errors.Is(err, sunrpc.ProcedureUnavailable) {
			continue
		}
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("rpcbind: %w", err)
		}
		port, err := portOf(results, version)
		return netip.AddrPortFrom(addr, port), err
	}
	return netip.AddrPort{}, errors.New("rpcbind: no common version")
}

// portOf reads the results of GETADDR, or of version 2's GETPORT.
func portOf(results []byte, version uint32) (uint16, error) {
	if version == sunrpc.PortMapVersion {
		port, err := sunrpc.ParseUint32(results)
		if err == nil && port == 0 {
			err = errNoWall
		}
		return uint16(port), err
	}
	text, err := sunrpc.ParseString(results, sunrpc.MaxAddress)
	if err != nil {
		return 0, err
	}
	if len(text) == 0 {
		return 0, errNoWall
	}
	at, err := sunrpc.ParseAddress(string(text))
	return at.Port(), err
}

// ask makes a call that does no harm when it is made twice.
func (t *Transport) ask(ctx context.Context, to netip.AddrPort, c sunrpc.Call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timing.patience)
	defer cancel()
	x, err := open(ctx, to, c)
	if err != nil {
		return nil, err
	}
	defer x.close()
	for {
		if err := x.send(); err != nil {
			return nil, err
		}
		reply, err := x.receive(time.Now().Add(t.timing.resend))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			continue
		case ctx.Err() != nil:
			return nil, fmt.Errorf("no answer: %w", ctx.Err())
		case err != nil:
			return nil, err
		case reply.Status != sunrpc.Success:
			return nil, fmt.Errorf("%w: %w", errAnswered, reply.Status)
		}
		return reply.Results, nil
	}
}

// wall makes the call that shows a text. It is made once: rwalld shows a repeated call
// twice.
func (t *Transport) wall(ctx context.Context, to netip.AddrPort, text string) error {
	x, err := open(ctx, to, sunrpc.Call{
		Program: sunrpc.WallProgram, Version: sunrpc.WallVersion, Procedure: sunrpc.WallProcedure,
		Args: sunrpc.AppendString(nil, []byte(text)),
	})
	if err == nil {
		defer x.close()
		err = x.send()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	}
	reply, err := x.receive(time.Now().Add(t.answer))
	switch {
	case err == nil:
		return errorOf(reply.Status)
	case errors.Is(err, errNobody):
		return fmt.Errorf("%w: %w", messngr.ErrUnavailable, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", messngr.ErrUncertain, ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: no answer within %v", messngr.ErrUncertain, t.answer)
	default:
		return fmt.Errorf("%w: %w", messngr.ErrUncertain, err)
	}
}

// exchange is one call to one port, and the wait for its answer.
type exchange struct {
	ctx  context.Context
	conn *net.UDPConn
	call []byte
	xid  uint32
	stop func() bool
}

func open(ctx context.Context, to netip.AddrPort, c sunrpc.Call) (*exchange, error) {
	c.XID = rand.Uint32()
	b, err := c.Append(nil)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	x := &exchange{ctx: ctx, conn: conn, call: b, xid: c.XID}
	x.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return x, nil
}

func (x *exchange) close() {
	x.stop()
	_ = x.conn.Close()
}

func (x *exchange) send() error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	_, err := x.conn.Write(x.call)
	if err != nil && x.ctx.Err() != nil {
		return x.ctx.Err() // which closed the socket
	}
	return refused(err)
}

// receive waits for the answer. Nothing but the machine's own counts, since the socket
// takes nothing else, and nothing but the call's own.
func (x *exchange) receive(until time.Time) (sunrpc.Reply, error) {
	if err := x.conn.SetReadDeadline(until); err != nil {
		return sunrpc.Reply{}, err
	}
	buf := make([]byte, 2048)
	for {
		n, err := x.conn.Read(buf)
		if err != nil {
			return sunrpc.Reply{}, refused(err)
		}
		if reply, err := sunrpc.ParseReply(buf[:n]); err == nil && reply.XID == x.xid {
			return reply, nil
		}
	}
}

// refused tells an ICMP message, port unreachable, from other failures.
func refused(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: %w", errNobody, err)
	}
	return err
}
