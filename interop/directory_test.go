//go:build linux

package interop_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr/interop/labtest"
	"messngr/interop/program"
)

// domain makes two people of a domain known to the C library, as winbind does: not in the host's own files.
const domain = `set -e
sed -i 's/^passwd:.*/passwd: files extrausers/; s/^group:.*/group: files extrausers/' /etc/nsswitch.conf
mkdir -p /var/lib/extrausers
printf 'WARD\\carol:x:4010001:4010000:Carol:/:/bin/sh\nWARD\\dora:x:4010002:4010000:Dora:/:/bin/sh\n' >/var/lib/extrausers/passwd
printf 'WARD\\domain users:x:4010000:\n' >/var/lib/extrausers/group
printf 'messngr:x:4242:WARD\\dora\n' >>/etc/group
`

// People whose accounts are kept elsewhere see what is for them, go by their own names, and have the rights of their groups.
func TestPeopleOfADomain(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "setpriv", "chroot", "getent")
	ctx := labtest.Context(t, time.Minute)
	m := newMachine(ctx, t, lan(t, "alpha")[0])
	m.in(ctx, t, "sh", "-c", domain)
	ours := install(t, m.Host)
	serveIn(ctx, t, m, ours)
	as := func(uid string, args ...string) (string, error) {
		all := append([]string{filepath.Join(m.Dir(), "overlay/root"), "setpriv", "--reuid", uid, "--regid", "4010000", "--clear-groups", ours.Path()}, args...)
		out, stderr, err := m.Output(ctx, "chroot", all...)
		return out + stderr, err
	}
	const carol, dora = "4010001", "4010002"

	if out := m.in(ctx, t, ours.Path(), "write", `WARD\carol`, "for Carol"); !strings.Contains(out, "delivered") {
		t.Errorf("send says %q", out)
	}
	if out, err := as(carol, "inbox"); err != nil || !strings.Contains(out, "for Carol") {
		t.Errorf("Carol's inbox: %v\n%s", err, out)
	}
	if out, err := as(carol, "write", `WARD\dora`, "hello"); err != nil {
		t.Errorf("Carol sends: %v: %s", err, out)
	}
	if out, err := as(dora, "inbox", "--json"); err != nil || !strings.Contains(out, `"from":"carol"`) || !strings.Contains(out, `WARD\\carol`) {
		t.Errorf("Dora's inbox: %v\n%s", err, out)
	}
	if out, err := as(carol, "net", "pause", "messenger"); err == nil {
		t.Errorf("Carol pauses the service: %s", out)
	}
	if out, err := as(dora, "net", "pause", "messenger"); err != nil {
		t.Errorf("Dora, of the group messngr, does not pause the service: %v: %s", err, out)
	}
}

// serveIn runs our service inside a machine.
func serveIn(ctx context.Context, t *testing.T, m *machine, ours *program.Program) {
	t.Helper()
	cmd, err := ours.ServeCommand(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	inside := exec.CommandContext(ctx, "chroot", append([]string{filepath.Join(m.Dir(), "overlay/root")}, cmd.Args...)...)
	inside.Env, inside.Cancel = cmd.Env, cmd.Cancel
	if _, err := ours.Ready(ctx, inside); err != nil {
		t.Fatal(err)
	}
}
