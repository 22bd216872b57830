package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"

	"messngr/carrier"
	"messngr/control"
)

// status describes the service for the API.
func (d *daemon) status(context.Context) control.Status {
	chosen, available := d.interfaces()
	st := control.Status{
		Name: d.s.Name, Workgroup: d.s.Workgroup, Version: Version(), PID: os.Getpid(), Started: d.started,
		State: "running", StateDir: d.s.State, Socket: d.s.Socket,
		NodeType: d.node.String(), CodePage: d.s.page.String(), PortOffset: d.s.PortOffset,
		Interfaces: describe(chosen), Available: describe(available), WINS: d.s.WINS,
		Ports: d.ports(), Transports: []control.Part{}, Displays: []control.Part{},
		Names: control.NamesOf(d.names), Counters: d.router.Counters(), Refused: []control.Refusal{},
	}
	if d.router.Paused() {
		st.State = "paused"
	}
	for _, k := range d.transports {
		st.Transports = append(st.Transports, control.Part{Name: k.Name, Summary: k.Summary})
	}
	for _, k := range d.displays {
		st.Displays = append(st.Displays, control.Part{Name: k.Name, Summary: k.Summary})
	}
	for _, r := range d.policy.Refusals() {
		refusal := control.Refusal{From: r.From, Reason: r.Reason, Count: r.Count, Last: r.Last}
		if r.Address.IsValid() { // what Samba handed over may have none
			refusal.Address = r.Address.String()
			refusal.Allow = "messngr policy allow " + refusal.Address
		}
		st.Refused = append(st.Refused, refusal)
	}
	return st
}

// ports says of every port whose it is, and what to do if it is not ours.
func (d *daemon) ports() []control.Port {
	list := []control.Port{}
	for _, c := range d.carriers {
		for _, p := range c.Ports() {
			list = append(list, describePort(p))
		}
	}
	return list
}

func describePort(p carrier.Port) control.Port {
	out := control.Port{
		Network: p.Network, Address: p.Address.String(), Interface: p.Interface, Purpose: p.Purpose, OK: p.Err == nil,
	}
	if p.Err == nil {
		return out
	}
	out.Error = p.Err.Error()
	switch {
	case errors.Is(p.Err, syscall.EADDRINUSE):
		out.Error = "in use by somebody else"
		if out.Holder = holder(p.Network, p.Address); out.Holder != "" {
			out.Error = "in use by " + out.Holder
		}
		out.Hint = "stop that program, or see doc/samba.md for how to live beside it"
	case errors.Is(p.Err, syscall.EACCES):
		out.Error = "not permitted"
		out.Hint = grant
	}
	return out
}

// grant is how to get the right to open the real ports.
const grant = "run as root, or: sudo setcap cap_net_bind_service=+ep $(command -v messngr)"

// Version says which version of the program this is, with its commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			version = fmt.Sprintf("%s (%s)", version, s.Value[:12])
		}
	}
	return version
}
