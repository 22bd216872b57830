//go:build linux

package interop_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"messngr/interop/program"
	"messngr/interop/samba"
)

// Beside nmbd further names are registered at a WINS server, or are nmbd's aliases; what nmbd has registered stays when we
// stop.
func TestNamesBesideNameServer(t *testing.T) {
	t.Parallel()
	wins := netip.MustParseAddr("10.77.0.4")
	b := newBeside(t, samba.Options{Ports: "445", WINS: wins, Lines: []string{"netbios aliases = SALES"}}, "wins")
	b.smbd(445)
	peer(b.ctx, t, b.more[0], samba.Options{WINSSupport: true}, nmbd)
	if _, err := b.samba.StartNMBD(b.ctx); err != nil {
		t.Fatal(err)
	}
	at := func(name string) ([]netip.Addr, error) {
		return b.user.Lookup(b.ctx, name, "--recursion", "-U", wins.String())
	}
	registered := func(names ...string) {
		t.Helper()
		for _, name := range names {
			b.until(name+" is registered", func() error {
				found, err := at(name)
				if err == nil && !slices.Equal(found, []netip.Addr{b.server.Addr()}) {
					err = fmt.Errorf("it is at %v", found)
				}
				return err
			})
		}
	}
	theirs := []string{"SERVER#20", "SERVER#00", "SERVER#03", "SALES#03"}
	registered(theirs...)
	b.config += fmt.Sprintf("[wins]\nservers = [%q]\n", wins)
	d := b.serve()
	b.in(2, "messngr has 139")
	for _, name := range []string{"HELPDESK", "SALES"} {
		if out, err := says(b.ctx, b.ours, "name", "add", name); err != nil {
			t.Fatalf("name add %s: %v: %s", name, err, out)
		}
	}
	registered("HELPDESK#03")
	for i, to := range []string{"HELPDESK", "SALES", "SERVER"} {
		if err := b.user.Send(b.ctx, to, "bob", "to "+to+"\n", "--option=wins server="+wins.String()); err != nil {
			t.Fatal(err)
		}
		b.received(i+1, program.Message{From: "bob", To: to, Text: "to " + to + "\n", Via: "smb", Address: b.client.Addr().String()})
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	registered(theirs...)
	if found, err := at("HELPDESK#03"); err == nil {
		t.Errorf("HELPDESK is still registered at %v", found)
	}
}

// smbd that comes, or comes back, while we run finds its port free; the port that it does without becomes ours.
func TestFileServerComesBack(t *testing.T) {
	t.Parallel()
	b := newBeside(t, samba.Options{Ports: "445"})
	file := b.smbd(445)
	if err := file.Stop(); err != nil {
		t.Logf("smbd: %v", err)
	}
	b.serve()
	if n, said := b.arrangement(); n != 3 {
		t.Errorf("while smbd is down the arrangement is %d, %s", n, said)
	}
	b.smbd(445)
	w := b.work()
	waitUntil(b.ctx, t, "port 139 becomes ours", func() error {
		if err := b.user.Send(b.ctx, "SERVER", "bob", "after smbd\n", "-I", b.server.Addr().String()); err != nil {
			return err
		}
		return nil
	})
	b.received(1, program.Message{From: "bob", To: "SERVER", Text: "after smbd\n", Via: "smb", Address: b.client.Addr().String()})
	b.in(1, "messngr has 139")
	w.round(b)
	w.check(t, 3)
}
