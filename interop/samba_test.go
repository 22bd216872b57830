//go:build linux

package interop_test

import (
	"testing"
	"time"

	"messngr/interop/labtest"
	"messngr/interop/samba"
)

// Samba to Samba: proves the lab, before anything of ours is judged in it.
func TestSambaAlone(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	l := labtest.New(t, samba.Programs()...)
	hosts := labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), "alpha", "beta")
	version, err := samba.Version(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Samba %s", version)
	alpha, err := samba.New(hosts[0], samba.Options{})
	if err != nil {
		t.Fatal(err)
	}
	beta, err := samba.New(hosts[1], samba.Options{MinProtocol: "NT1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beta.SMBD(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := beta.NMBD(ctx); err != nil {
		t.Fatal(err)
	}
	if err := alpha.Send(ctx, "BETA", "alice", "by address\n", "-I", hosts[1].Addr().String()); err != nil {
		t.Fatal(err)
	}
	if err := alpha.Send(ctx, "BETA", "alice", "by name\nüber zwei Zeilen\n"); err != nil {
		t.Fatal(err)
	}
	got, err := beta.Received(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []samba.Message{
		{From: "alice", Text: "by address\n", Address: "10.77.0.1"},
		{From: "alice", Text: "by name\nüber zwei Zeilen\n", Address: "10.77.0.1"},
	} {
		if got[i] != want {
			t.Errorf("message %d: got %+q, want %+q", i, got[i], want)
		}
	}
}

// A Samba with its default settings refuses messages: the harness must see that through smbclient's exit code 0.
func TestSambaAloneRefuses(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, time.Minute)
	l := labtest.New(t, samba.Programs()...)
	hosts := labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), "alpha", "beta")
	alpha, err := samba.New(hosts[0], samba.Options{})
	if err != nil {
		t.Fatal(err)
	}
	beta, err := samba.New(hosts[1], samba.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beta.SMBD(ctx); err != nil {
		t.Fatal(err)
	}
	if err := alpha.Send(ctx, "BETA", "alice", "hello\n", "-I", hosts[1].Addr().String()); err == nil {
		t.Error("smbclient reported no failure")
	}
	if n, err := beta.Quiet(time.Second); n != 0 || err != nil {
		t.Errorf("%d messages arrived, %v", n, err)
	}
}
