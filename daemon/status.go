package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"messngr/carrier"
	"messngr/control"
	"messngr/control/server"
	"messngr/daemon/greeting"
	"messngr/policy"
)

// status describes the service for the API.
func (d *daemon) status(context.Context) control.Status {
	chosen, available := d.interfaces()
	st := control.Status{
		Name: d.s.Name, Workgroup: d.s.Workgroup, Version: Version(), PID: os.Getpid(), Started: d.started,
		State: "running", StateDir: d.s.State, Socket: d.s.Socket,
		NodeType: d.node.String(), CodePage: d.s.page.String(), PortOffset: d.s.PortOffset,
		Interfaces: describe(chosen), Available: describe(available), WINS: d.s.servers(),
		Ports: d.ports(), Transports: []control.Part{}, Displays: []control.Part{},
		Names: server.NamesOf(d.names), Counters: d.router.Counters(), Refused: []control.Refusal{},
	}
	st.Samba = d.besideSamba(st.Ports)
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
		refusal := control.Refusal{From: r.From, Reason: r.Reason, Count: r.Count, Last: r.Last, Allow: d.remedy(r)}
		if r.Address.IsValid() { // what Samba handed over may have none
			refusal.Address = r.Address.String()
		}
		st.Refused = append(st.Refused, refusal)
	}
	return st
}

// remedy is the command that would let a refused source in, or, where no command
// can, what to change.
func (d *daemon) remedy(r policy.Refusal) string {
	match := r.Address.String()
	switch r.Reason {
	case policy.ReasonOffLink:
		if slices.ContainsFunc(d.policy.Allowed(), func(p netip.Prefix) bool { return p.Contains(r.Address) }) {
			return "" // it is let in by now
		}
		return "messngr policy allow " + match
	case policy.ReasonRate:
		return "[policy.take_per_source] in the configuration"
	case policy.ReasonBlocked:
	case policy.ReasonName:
		match = "name:" + strings.ToUpper(r.From)
	default: // a carrier's own reason, which no rule can change
		return ""
	}
	for _, rule := range d.policy.Rules() {
		prefix, err := netip.ParsePrefix(rule.Match)
		if rule.Verdict != policy.Block || rule.Match != match && (err != nil || !prefix.Contains(r.Address)) {
			continue
		}
		if rule.Source == policy.FromSet {
			return "messngr policy remove block " + rule.Match
		}
		return fmt.Sprintf("take %q out of block in [policy] of the configuration", rule.Match)
	}
	return "" // the block is gone already
}

// ports says of every port whose it is, and what to do if it is not ours.
func (d *daemon) ports() []control.Port {
	list := []control.Port{}
	all := slices.Clone(d.ported)
	for _, c := range d.networks() {
		all = append(all, c)
	}
	for _, c := range all {
		for _, p := range c.Ports() {
			described := describePort(p)
			if d.isSambas(p) {
				described.Hint = ""
			}
			list = append(list, described)
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
		if p.Address.Port() != directPort { // that one is a file server's
			out.Hint = "stop that program, or see doc/samba.md for how to live beside it"
		}
	case leftToSamba(p):
		out.Error = keptText
		if out.Holder = holder(p.Network, p.Address); out.Holder != "" {
			out.Error = "in use by " + out.Holder
		}
	case errors.Is(p.Err, syscall.EACCES):
		out.Error = "not permitted"
		out.Hint = greeting.Grant()
	}
	return out
}

// Version says which version of the program this is, with its commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := strings.Trim(info.Main.Version, "()") // (devel), for one
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			version = fmt.Sprintf("%s (%s)", version, s.Value[:12])
		}
	}
	return version
}
