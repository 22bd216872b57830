//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
)

// unixLAN is a lab with one subnet and hosts that speak the network wall of Unix.
func unixLAN(t *testing.T, names ...string) []*lab.Host {
	t.Helper()
	l := labtest.New(t, "rwall", "rpcbind", "rpc.rwalld", "rpcinfo", "tcpdump", "tshark")
	return labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), names...)
}

// rpcbind starts the program that tells others the ports of a host.
func rpcbind(ctx context.Context, t *testing.T, h *lab.Host) *lab.Daemon {
	t.Helper()
	d, err := h.Daemon("rpcbind", exec.Command("rpcbind", "-f", "-w"))
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Until(ctx, func() error {
		out, stderr, err := h.Output(ctx, "rpcinfo", "-p", h.Addr().String())
		if err != nil {
			err = fmt.Errorf("%w: %s%s", err, out, stderr)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

// walls waits until rpcbind tells of a wall, or of none, and returns what it says of it.
func walls(ctx context.Context, t *testing.T, h *lab.Host, want bool) string {
	t.Helper()
	var line string
	if err := lab.Until(ctx, func() error {
		line = ""
		out, stderr, err := h.Output(ctx, "rpcinfo", h.Addr().String())
		if err != nil {
			return fmt.Errorf("%w: %s%s", err, out, stderr)
		}
		for l := range strings.Lines(out) {
			if strings.Contains(l, "100008 ") {
				line = l
			}
		}
		if (line != "") != want {
			return fmt.Errorf("rpcbind says:\n%s", out)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return line
}

// rwall runs the real one.
func rwall(ctx context.Context, t *testing.T, h *lab.Host, to, text string) {
	t.Helper()
	file := filepath.Join(h.Dir(), "wall.txt")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, stderr, err := h.Output(ctx, "rwall", to, file); err != nil || out+stderr != "" {
		t.Fatalf("rwall: %v: %s%s", err, out, stderr)
	}
}

// listening is a service that takes network walls.
const listening = "[transport.rwall]\nenabled = true\n"

// Debian's rwall reaches us by way of rpcbind, also after that was restarted, which then knows no port any more.
func TestFromRwall(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 2*time.Minute)
	hosts := unixLAN(t, "alpha", "beta")
	watch(ctx, t, hosts[1])
	bind := rpcbind(ctx, t, hosts[1])
	p, d := serve(ctx, t, hosts[1], listening)
	walls(ctx, t, hosts[1], true)
	rwall(ctx, t, hosts[0], hosts[1].Addr().String(), "Reboot at 18:00\nGrüße\n")
	got, err := p.Received(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	// rwall adds bytes of its own memory to a text from a file.
	if m := got[0]; !strings.HasPrefix(m.From, "root@") || !strings.HasPrefix(m.Text, "Reboot at 18:00\nGrüße\n") ||
		m.Via != "rwall" || m.Trust != "unverified" || m.Address != hosts[0].Addr().String() || m.To != "BETA" {
		t.Errorf("got %+v", m)
	}

	bind.Stop()
	rpcbind(ctx, t, hosts[1])
	walls(ctx, t, hosts[1], true)
	rwall(ctx, t, hosts[0], hosts[1].Addr().String(), "again\n")
	if got, err = p.Received(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if m := got[1]; !strings.HasPrefix(m.Text, "again\n") {
		t.Errorf("after the restart of rpcbind: %+v", m)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	walls(ctx, t, hosts[1], false)
}

// A service that is not root, as the packages run it, may bind itself just as well.
func TestRwallWithoutRoot(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := unixLAN(t, "alpha", "beta")
	rpcbind(ctx, t, hosts[1])
	p := install(t, hosts[1])
	dir := filepath.Join(hosts[1].Dir(), "state")
	if out, err := exec.Command("install", "-d", "-o", "nobody", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd, err := p.ServeCommand(ctx, "port_offset = 10000\nstate = '"+dir+"'\nsocket = '"+dir+"/s'\n"+listening)
	if err != nil {
		t.Fatal(err)
	}
	// Its binary lies in a folder of root's: the command enters that before it gives up its rights.
	cmd.Args = append([]string{"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", cmd.Path}, cmd.Args[1:]...)
	if cmd.Path, err = exec.LookPath("setpriv"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(p.Path()), 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := p.Ready(ctx, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if line := walls(ctx, t, hosts[1], true); strings.Contains(line, "superuser") {
		t.Errorf("bound as root: %s", line)
	}
	rwall(ctx, t, hosts[0], hosts[1].Addr().String(), "hello\n")
	if err := lab.Until(ctx, func() error {
		out, stderr, err := hosts[1].Output(ctx, p.Path(), "--socket", dir+"/s", "inbox", "list", "--json")
		if err == nil && !strings.Contains(out, "hello") {
			err = fmt.Errorf("the inbox is %s%s", out, stderr)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	walls(ctx, t, hosts[1], false)
}

// rwalld starts the real one, whose wall writes into the file that is returned.
func rwalld(ctx context.Context, t *testing.T, h *lab.Host) (shown string) {
	t.Helper()
	shown = filepath.Join(h.Dir(), "shown")
	wall := filepath.Join(h.Dir(), "wall")
	if err := os.WriteFile(wall, []byte("#!/bin/sh\nexec cat >>"+shown+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(shown, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shown, 0o666); err != nil { // rwalld works as nobody
		t.Fatal(err)
	}
	real, err := exec.LookPath("wall")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{real, "/usr/bin/wall"} {
		if out, stderr, err := h.Output(ctx, "mount", "--bind", wall, path); err != nil {
			t.Fatalf("mount over %s: %v: %s%s", path, err, out, stderr)
		}
	}
	if _, err := h.Daemon("rwalld", exec.Command("rpc.rwalld")); err != nil {
		t.Fatal(err)
	}
	walls(ctx, t, h, true)
	return shown
}

// We reach Debian's rwalld, and do not take its place.
func TestToRwalld(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 2*time.Minute)
	hosts := unixLAN(t, "alpha", "beta")
	watch(ctx, t, hosts[0])
	rpcbind(ctx, t, hosts[1])
	shown := rwalld(ctx, t, hosts[1])
	bound := walls(ctx, t, hosts[1], true)
	ours, _ := serve(ctx, t, hosts[0], "")
	if err := hosts[0].Knows(hosts[1].Addr(), "beta"); err != nil {
		t.Fatal(err)
	}
	for i, to := range []string{hosts[1].Addr().String(), "beta"} {
		outcomes, code, err := ours.Send(ctx, fmt.Sprintf("number %d\nGrüße", i), "--via", "rwall", to)
		if err != nil || code != 0 || len(outcomes) != 1 || outcomes[0].State != "accepted" || outcomes[0].Via != "rwall" {
			t.Errorf("to %s: %+v, exit code %d, %v", to, outcomes, code, err)
		}
		const want = "Remote Broadcast Message from root@ALPHA\n        (messngr) at "
		if err := lab.Until(ctx, func() error {
			b, err := os.ReadFile(shown)
			if s := string(b); err == nil && (!strings.Contains(s, want) || !strings.Contains(s, fmt.Sprintf("number %d\nGrüße", i))) {
				err = fmt.Errorf("rwalld showed %q", s)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	_, d := serve(ctx, t, hosts[1], listening)
	if err := d.WaitLog(ctx, "another program"); err != nil {
		t.Error(err)
	}
	if now := walls(ctx, t, hosts[1], true); now != bound {
		t.Errorf("rpcbind tells others %q, not %q", now, bound)
	}
}

// Two of ours without any rpcbind: both know the port.
func TestRwallWithoutRPCBind(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := unixLAN(t, "alpha", "beta")
	var programs []*program.Program
	for _, h := range hosts {
		p, _ := serve(ctx, t, h, listening+"port = 900\n")
		programs = append(programs, p)
	}
	outcomes, code, err := programs[0].Send(ctx, "hello", "--via", "rwall", hosts[1].Addr().String())
	if err != nil || code != 0 || len(outcomes) != 1 || outcomes[0].State != "accepted" {
		t.Errorf("%+v, exit code %d, %v", outcomes, code, err)
	}
	got, err := programs[1].Received(ctx, 1)
	if err != nil || got[0].Text != "hello" || got[0].From != "root@ALPHA" {
		t.Errorf("got %+v, %v", got, err)
	}
}
