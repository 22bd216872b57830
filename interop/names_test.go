//go:build linux

package interop_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
)

// says runs our program in its host and returns everything that it printed.
func says(ctx context.Context, p *program.Program, args ...string) (string, error) {
	out, stderr, err := p.Host().Output(ctx, p.Path(), args...)
	return out + stderr, err
}

// owners waits until a question by broadcast has the answer wanted, none for nobody.
func owners(ctx context.Context, t *testing.T, asker *samba.Samba, name string, want ...netip.Addr) {
	t.Helper()
	var got []netip.Addr
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	lab.Until(ctx, func() error {
		var err error
		got, err = asker.Lookup(ctx, name)
		if slices.Equal(got, want) {
			return nil
		}
		if err == nil {
			err = context.DeadlineExceeded
		}
		return err
	})
	if !slices.Equal(got, want) {
		t.Errorf("%s is at %v, want %v", name, got, want)
	}
}

// Names are claimed, answered for, kept and given back so that Samba's tools and daemons see it.
func TestNamesBesideSamba(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 2*time.Minute)
	hosts := lan(t, "alpha", "beta")
	watch(ctx, t, hosts[0])
	here, there := hosts[0].Addr(), hosts[1].Addr()
	theirs := peer(ctx, t, hosts[1], samba.Options{Workgroup: "OFFICE"}, nmbd)
	ours, service := serve(ctx, t, hosts[0], "", "--workgroup", "OFFICE")
	owners(ctx, t, theirs, "ALPHA#03", here)

	status, stderr, err := hosts[1].Output(ctx, "nmblookup", "-s", theirs.Config(), "-A", here.String())
	if err != nil {
		t.Fatalf("node status: %v: %s", err, stderr)
	}
	for _, want := range []string{"ALPHA           <03> -", "OFFICE          <00> - <GROUP>"} {
		if !strings.Contains(status, want) {
			t.Errorf("node status has no %q:\n%s", want, status)
		}
	}

	if out, err := says(ctx, ours, "name", "add", "BETA"); err == nil || !strings.Contains(out, there.String()) {
		t.Errorf("name add BETA: %v: got %q, want who owns it", err, out)
	}
	owners(ctx, t, theirs, "BETA#03", there)
	if out, err := says(ctx, ours, "name", "add", "BACKUP"); err != nil {
		t.Errorf("name add BACKUP: %v: %s", err, out)
	}
	owners(ctx, t, theirs, "BACKUP#03", here)
	if out, err := says(ctx, ours, "name", "remove", "BACKUP"); err != nil {
		t.Errorf("name remove BACKUP: %v: %s", err, out)
	}
	owners(ctx, t, theirs, "BACKUP#03")
	if out, err := says(ctx, ours, "name", "remove", "ALPHA"); err == nil {
		t.Errorf("the computer's own name was removed: %s", out)
	}
	owners(ctx, t, theirs, "ALPHA#03", here)
	if err := service.Stop(); err != nil {
		t.Error(err)
	}
	owners(ctx, t, theirs, "ALPHA#03")
}

// A Samba that comes later and wants our name does not get it.
func TestNameDefended(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta", "gamma")
	watch(ctx, t, hosts[0])
	ours, _ := serve(ctx, t, hosts[0], "")
	asker := peer(ctx, t, hosts[1], samba.Options{})
	owners(ctx, t, asker, "ALPHA#03", hosts[0].Addr())
	rival := peer(ctx, t, hosts[2], samba.Options{Lines: []string{"netbios aliases = ALPHA"}}, nmbd)
	time.Sleep(3 * time.Second) // nmbd claims its aliases with its names
	owners(ctx, t, asker, "ALPHA#03", hosts[0].Addr())
	if err := rival.Send(ctx, "ALPHA", "alice", "still there?\n"); err != nil {
		t.Error(err)
	}
	if _, err := ours.Received(ctx, 1); err != nil {
		t.Error(err)
	}
}

// A message to everyone reaches every host of the workgroup once, and no other.
func TestEveryone(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	hosts := lan(t, "alpha", "beta", "gamma", "delta")
	frames := watch(ctx, t, hosts[0])
	workgroup := map[string]string{"alpha": "OFFICE", "beta": "OFFICE", "gamma": "OFFICE", "delta": "LAB"}
	all := make(map[string]*program.Program)
	for _, h := range hosts {
		all[h.Name()], _ = serve(ctx, t, h, "", "--workgroup", workgroup[h.Name()])
	}
	asker, err := samba.New(hosts[1], samba.Options{})
	if err != nil {
		t.Fatal(err)
	}
	owners(ctx, t, asker, "GAMMA#03", hosts[2].Addr())
	const text = "Die Kantine öffnet um 12"
	outcomes, code, err := all["alpha"].Send(ctx, text, "--yes", "everyone")
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 || len(outcomes) != 1 || outcomes[0].State != "sent" || outcomes[0].Via != "mailslot" {
		t.Errorf("got %+v, exit code %d", outcomes, code)
	}
	outcomes, code, err = all["alpha"].Send(ctx, "only you", "--via", "mailslot", "GAMMA")
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 || len(outcomes) != 1 || outcomes[0].State != "sent" {
		t.Errorf("got %+v, exit code %d", outcomes, code)
	}
	if _, err := all["gamma"].Received(ctx, 2); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second) // for what must not come
	for name, want := range map[string][]string{"beta": {text}, "gamma": {text, "only you"}, "delta": nil} {
		inbox, err := all[name].Inbox(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range inbox {
			got = append(got, m.Text)
			if m.Via != "mailslot" || m.Trust != "unverified" || m.Address != hosts[0].Addr().String() {
				t.Errorf("%s got %+v", name, m)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s got %q, want %q", name, got, want)
		}
	}
	if err := frames.Stop(); err != nil {
		t.Fatal(err)
	}
	if n, err := frames.Sent(ctx, `mailslot.name == "\\MAILSLOT\\MESSNGR"`); err != nil || n < 2 {
		t.Errorf("tshark sees %d of 2 mailslot messages, %v", n, err)
	}
}
