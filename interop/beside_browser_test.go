//go:build linux

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
)

// listed is one line of `who --json`.
type listed struct {
	Name, Workgroup, Address, System, Comment string
	Users, Takes, Sources                     []string
	Master                                    bool
}

// who asks our program who is on the network, and returns the machines by name, with the notes.
func who(ctx context.Context, t *testing.T, p *program.Program) (map[string]listed, string) {
	t.Helper()
	out, notes, err := p.Host().Output(ctx, p.Path(), "who", "--json")
	if err != nil {
		t.Fatalf("who: %v: %s", err, notes)
	}
	found := make(map[string]listed)
	for line := range strings.Lines(out) {
		var m listed
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("who: %v: %s", err, line)
		}
		found[m.Name] = m
	}
	return found, notes
}

// master is a Samba that is, or becomes, the master browser of TESTGRP.
func master(ctx context.Context, t *testing.T, h *lab.Host, protocol string) *samba.Samba {
	t.Helper()
	return peer(ctx, t, h, samba.Options{MinProtocol: protocol, Lines: []string{
		"os level = 255", "preferred master = yes", "domain master = no", "server string = The master",
	}}, smbd, nmbd)
}

// browseList is what the nmbd of a host wrote down.
func browseList(t *testing.T, h *lab.Host) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(h.Dir(), "run/samba/cache/browse.dat"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// nmbd, as master browser, lists our machine as long as it is there, and its smbd tells ours who is there.
func TestSeen(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 3*time.Minute)
	hosts := lan(t, "master", "alpha", "beta")
	frames := watch(ctx, t, hosts[1])
	master(ctx, t, hosts[0], "NT1")
	user := peer(ctx, t, hosts[2], samba.Options{})
	waitUntil(ctx, t, "nmbd becomes the master browser", func() error {
		if list := browseList(t, hosts[0]); !strings.Contains(list, `c0001000 "MASTER"`) {
			return fmt.Errorf("nmbd's list is:\n%s", list)
		}
		return nil
	})
	const config = "workgroup = \"TESTGRP\"\n[browser]\ncomment = \"Büro\"\n"
	alpha, service := serve(ctx, t, hosts[1], config)
	beta, _ := serve(ctx, t, hosts[2], "workgroup = \"TESTGRP\"\n[nbt]\nshow_users = true\n")
	if out, err := says(ctx, beta, "name", "add", "BACKUP"); err != nil {
		t.Fatalf("name add: %v: %s", err, out)
	}
	waitUntil(ctx, t, "our machines are listed", func() error {
		list := browseList(t, hosts[0])
		for _, want := range []string{`"ALPHA"`, `"Büro"`, `"BETA"`, `"messngr"`, "803"} {
			if !strings.Contains(list, want) {
				return fmt.Errorf("nmbd's list has no %s:\n%s", want, list)
			}
		}
		return nil
	})
	// Samba's own client sees us, as Network Neighborhood does.
	waitUntil(ctx, t, "smbclient sees us", func() error {
		out, stderr, err := hosts[2].Output(ctx, "smbclient", "-s", user.Config(), "-N", "-L", "MASTER", "-I", hosts[0].Addr().String(),
			"-m", "NT1", "--option=client min protocol=NT1", "--option=client ipc min protocol=NT1", "--option=client ipc max protocol=NT1",
			"--option=client use spnego=no") // with it this smbclient shows no machines, not even its own
		if err != nil || !strings.Contains(out, "ALPHA                Büro") {
			return fmt.Errorf("%v: %s%s", err, out, stderr)
		}
		return nil
	})

	got, notes := who(ctx, t, alpha)
	m := got["MASTER"]
	if !m.Master || m.Address != hosts[0].Addr().String() || m.Comment != "The master" || m.System != "Unix" ||
		!slices.Contains(m.Sources, "list") || !slices.Contains(m.Sources, "answered") || !slices.Contains(m.Takes, "smb") {
		t.Errorf("the master is %+v; notes: %s", m, notes)
	}
	b := got["BETA"]
	if b.Address != hosts[2].Addr().String() || b.Workgroup != "TESTGRP" || !slices.Equal(b.Users, []string{"BACKUP"}) ||
		!slices.Equal(b.Takes, []string{"smb", "mailslot"}) {
		t.Errorf("BETA is %+v; notes: %s", b, notes)
	}
	if a := got["ALPHA"]; !slices.Contains(a.Sources, "self") || len(got) != 3 || notes != "" {
		t.Errorf("who says %+v; notes: %q", got, notes)
	}

	if err := service.Stop(); err != nil {
		t.Error(err)
	}
	if n, err := frames.Sent(ctx, "browser.command == 1"); err == nil && n == 0 {
		t.Error("the recording has no announcement")
	}
	goodbye, err := frames.Frames(ctx, "browser.command == 1 && browser.server_type == 0", "browser.server", "browser.period")
	if err != nil || len(goodbye) != 1 || goodbye[0][0] != "ALPHA" {
		t.Errorf("good-byes: %v, %v, want one of ALPHA", goodbye, err)
	}
}

// waitUntil waits long enough for a master browser to become one, which takes some twenty seconds, and for the answers to
// its question who is there, which may take thirty (MS-BRWS 3.2.5.1).
func waitUntil(ctx context.Context, t *testing.T, what string, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if err := lab.Until(ctx, f); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// A Samba of today hands out no list. What announces itself is known all the same, and we say what is missing.
func TestWhoWithoutList(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 3*time.Minute)
	hosts := lan(t, "master", "alpha", "beta")
	watch(ctx, t, hosts[1])
	alpha, _ := serve(ctx, t, hosts[1], "", "--workgroup", "TESTGRP")
	if _, notes := who(ctx, t, alpha); !strings.Contains(notes, "no master browser was found") {
		t.Errorf("without a master the note is %q", notes)
	}
	master(ctx, t, hosts[0], "")
	serve(ctx, t, hosts[2], "", "--workgroup", "TESTGRP")
	waitUntil(ctx, t, "who", func() error {
		got, notes := who(ctx, t, alpha)
		if m := got["MASTER"]; !m.Master || !slices.Contains(m.Sources, "announced") || !strings.Contains(notes, "does not hand out its list") {
			return fmt.Errorf("the master is %+v; notes: %s", m, notes)
		}
		if b := got["BETA"]; !slices.Contains(b.Sources, "announced") || !slices.Contains(b.Sources, "answered") {
			return fmt.Errorf("BETA is %+v", b)
		}
		return nil
	})
}

// Beside nmbd its list is ours, and it announces the machine, not we.
func TestWhoBesideNMBD(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 3*time.Minute)
	hosts := lan(t, "alpha", "beta")
	frames := watch(ctx, t, hosts[0])
	master(ctx, t, hosts[0], "")
	alpha := install(t, hosts[0]) // whose own name is nmbd's
	if _, err := alpha.Serve(ctx, "workgroup = \"TESTGRP\"\n[samba]\ncache = \"/run/samba/cache\"\n"); err != nil {
		t.Fatal(err)
	}
	beta, _ := serve(ctx, t, hosts[1], "", "--workgroup", "TESTGRP")
	waitUntil(ctx, t, "who", func() error {
		got, notes := who(ctx, t, alpha)
		if b := got["BETA"]; !slices.Contains(b.Sources, "nmbd") || !slices.Contains(b.Sources, "answered") || b.Comment != "messngr" {
			return fmt.Errorf("BETA is %+v; notes: %s", b, notes)
		}
		return nil
	})
	if got, _ := who(ctx, t, beta); !slices.Contains(got["ALPHA"].Sources, "announced") || got["ALPHA"].Comment != "The master" {
		t.Errorf("to BETA, ALPHA is %+v", got["ALPHA"])
	}
	if err := frames.Stop(); err != nil {
		t.Error(err)
	}
	if n, err := frames.Sent(ctx, `browser.command == 1 && browser.comment == "messngr"`); err != nil || n != 0 {
		t.Errorf("we announced nmbd's machine %d times, %v", n, err)
	}
}
