package rwall

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr"
	"messngr/carrier"
	"messngr/wire/oem"
	"messngr/wire/sunrpc"
)

// maxAtOnce is how many messages are being stored at once. More are passed over; their
// senders repeat them.
const maxAtOnce = 64

// A door is the socket on one address of this host.
type door struct {
	conn *net.UDPConn
	at   netip.AddrPort
}

// reception is one run of Receive.
type reception struct {
	*Transport
	accept messngr.Accept
	doors  []door
	port   uint16
	jobs   sync.WaitGroup // loops and messages; ended before the doors are closed
}

// Receive implements messngr.Receiver. A message that is being stored when ctx ends is
// still answered.
func (t *Transport) Receive(ctx context.Context, accept messngr.Accept) error {
	if !t.cfg.Enabled {
		<-ctx.Done()
		return nil
	}
	r := &reception{Transport: t, accept: accept, port: t.wallAt}
	var binder sync.WaitGroup
	defer binder.Wait()
	defer r.close()
	tick := time.NewTicker(t.timing.follow)
	defer tick.Stop()
	for told := false; ; {
		r.follow(ctx)
		if !told && len(r.doors) > 0 {
			told = true
			port := r.port
			binder.Go(func() { t.keepBound(ctx, port) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follow opens a door at each address that this host has now, and closes the others.
func (r *reception) follow(ctx context.Context) {
	var addrs []netip.Addr
	if r.env.Addresses != nil {
		addrs = r.env.Addresses()
	}
	r.doors = slices.DeleteFunc(r.doors, func(d door) bool {
		gone := !slices.Contains(addrs, d.at.Addr())
		if gone {
			_ = d.conn.Close()
		}
		return gone
	})
	var ports []carrier.Port
	for _, addr := range addrs {
		at := netip.AddrPortFrom(addr, r.port)
		var err error
		if !slices.ContainsFunc(r.doors, func(d door) bool { return d.at.Addr() == addr }) {
			at, err = r.open(ctx, at)
		}
		ports = append(ports, carrier.Port{Network: "udp", Address: at, Purpose: "network wall (rwall)", Err: err})
	}
	r.mu.Lock()
	r.ports = ports
	r.mu.Unlock()
}

// open opens one more door and serves it. All doors have the same port.
func (r *reception) open(ctx context.Context, at netip.AddrPort) (netip.AddrPort, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return at, err
	}
	at = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r.port = at.Port()
	r.doors = append(r.doors, door{conn, at})
	r.jobs.Go(func() { r.serve(ctx, conn) })
	return at, nil
}

func (r *reception) close() {
	for _, d := range r.doors {
		_ = d.conn.SetReadDeadline(time.Unix(1, 0))
	}
	r.jobs.Wait()
	for _, d := range r.doors {
		_ = d.conn.Close()
	}
	r.mu.Lock()
	r.ports = nil
	r.mu.Unlock()
}

// serve answers what arrives at one door until that is closed.
func (r *reception) serve(ctx context.Context, conn *net.UDPConn) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		switch {
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			r.log.Debug("datagram not received", "err", err)
			time.Sleep(10 * time.Millisecond) // an error that stays must not keep a processor busy
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if r.env.Permit != nil && r.env.Permit(from.Addr()) != nil {
			continue
		}
		c, err := sunrpc.ParseCall(buf[:n])
		reply, wall := greet(c, err)
		if !wall {
			r.reply(conn, from, reply, n)
			continue
		}
		c.Args = slices.Clone(c.Args)
		c.Credential.Body = slices.Clone(c.Credential.Body)
		select {
		case r.slots <- struct{}{}:
		default:
			continue
		}
		r.jobs.Go(func() {
			defer func() { <-r.slots }()
			r.reply(conn, from, r.take(context.WithoutCancel(ctx), from, c), n)
		})
	}
}

// greet says whether a call is one for a wall, and what to answer if it is not; a nil
// answer is none.
func greet(c sunrpc.Call, err error) (answer *sunrpc.Reply, wall bool) {
	answer = &sunrpc.Reply{XID: c.XID}
	switch {
	case errors.Is(err, sunrpc.ErrVersion):
		answer.Status, answer.Low, answer.High = sunrpc.RPCMismatch, sunrpc.Version, sunrpc.Version
	case err != nil:
		return nil, false
	case c.Program != sunrpc.WallProgram:
		answer.Status = sunrpc.ProgramUnavailable
	case c.Version != sunrpc.WallVersion:
		answer.Status, answer.Low, answer.High = sunrpc.ProgramMismatch, sunrpc.WallVersion, sunrpc.WallVersion
	case c.Procedure == sunrpc.NullProcedure:
		answer.Status = sunrpc.Success
	case c.Procedure == sunrpc.WallProcedure:
		return nil, true
	default:
		answer.Status = sunrpc.ProcedureUnavailable
	}
	return answer, false
}

// reply answers a call of size bytes. An answer that is longer would help a forger.
func (r *reception) reply(conn *net.UDPConn, to netip.AddrPort, answer *sunrpc.Reply, size int) {
	if answer == nil {
		return
	}
	b, err := answer.Append(nil)
	if err == nil && len(b) <= size {
		_, err = conn.WriteToUDPAddrPort(b, to)
	}
	if err != nil {
		r.log.Debug("call not answered", "remote", to, "err", err)
	}
}

// take hands a wall to the middle of the service, and returns what to answer.
func (r *reception) take(ctx context.Context, from netip.AddrPort, c sunrpc.Call) *sunrpc.Reply {
	text, err := sunrpc.ParseString(c.Args, r.cfg.MaxText)
	if err != nil {
		r.log.Debug("malformed message", "remote", from, "err", err)
		return &sunrpc.Reply{XID: c.XID, Status: sunrpc.GarbageArguments}
	}
	in := r.inbound(from, c, text)
	if _, err = r.accept(ctx, in); err != nil {
		r.log.Debug("message not taken", "from", in.Message.From.Claimed, "remote", from, "err", err)
	}
	answer := statusOf(err)
	answer.XID = c.XID
	return &answer
}

// inbound returns the message as the middle of the service knows it: one for everybody on
// this machine.
func (t *Transport) inbound(from netip.AddrPort, c sunrpc.Call, whole []byte) messngr.Inbound {
	claimed, text := split(oem.Normalize(t.env.Page.Decode(whole)))
	credential, title := claim(c.Credential), ""
	switch {
	case claimed == "" && credential == "":
		claimed = from.Addr().String()
	case claimed == "":
		claimed = credential
	case credential != "" && credential != claimed:
		title = "the call claims to come from " + credential
	}
	return messngr.Inbound{
		Message: messngr.Message{
			From:  messngr.From{Claimed: claimed, Trust: messngr.Unverified, Address: from.Addr()},
			To:    t.env.Host,
			Via:   Name,
			Title: title,
			Text:  oem.Clean(text),
		},
		Origin: t.history.origin(from, c, time.Now()),
		To:     []string{t.env.Host},
	}
}
