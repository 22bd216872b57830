package smbd_test

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier/smbd"
	"messngr/wire/browse"
)

// TestKeeps: ports are left to who has run since the machine was started.
func TestKeeps(t *testing.T) {
	at := func(port string) netip.AddrPort { return netip.MustParseAddrPort("10.77.0.1:" + port) }
	for _, tt := range []struct {
		name, folder string
		kept         []string
	}{
		{"no Samba", "", nil},
		{"nmbd has run", "nmbd/unexpected", []string{"udp 137", "udp 138"}},
		{"smbd has run", "ncalrpc/np", []string{"tcp 139", "tcp 445"}},
	} {
		run := t.TempDir()
		if tt.folder != "" {
			if err := os.MkdirAll(filepath.Join(run, tt.folder), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		s := smbd.New(smbd.Config{Run: run}, nil)
		s.SetListens(func(uint16) bool { return false })
		var kept []string
		for _, port := range []string{"137", "138", "139", "445", "10137", "10138", "10139", "10445", "80"} {
			for _, network := range []string{"tcp", "udp"} {
				if err := s.Keeps(network, at(port)); errors.Is(err, smbd.ErrKept) {
					kept = append(kept, network+" "+port)
				} else if err != nil {
					t.Errorf("%s: Keeps(%s %s) = %v", tt.name, network, port, err)
				}
			}
		}
		if diff := cmp.Diff(tt.kept, kept); diff != "" {
			t.Errorf("%s: kept (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestKeepsWhileSMBDRuns: smbd that runs without port 139 does not want it.
func TestKeepsWhileSMBDRuns(t *testing.T) {
	run := t.TempDir()
	if err := os.MkdirAll(filepath.Join(run, "ncalrpc/np"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := smbd.New(smbd.Config{Run: run}, nil)
	s.SetListens(func(port uint16) bool { return port == 445 })
	if err := s.Keeps("tcp", netip.MustParseAddrPort("10.77.0.1:139")); err != nil {
		t.Errorf("port 139 beside an smbd that runs without it: %v", err)
	}
	if err := s.Keeps("tcp", netip.MustParseAddrPort("10.77.0.1:445")); !errors.Is(err, smbd.ErrKept) {
		t.Errorf("port 445 beside smbd: %v, want it kept", err)
	}
}

func TestMachines(t *testing.T) {
	cache := t.TempDir()
	s := smbd.New(smbd.Config{Cache: cache}, nil)
	if list, _, err := s.Machines(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Machines without a list = %v, %v", list, err)
	}
	const line = `"ALPHA"                   40819a03 "The master"                  "TESTGRP"` + "\n"
	path := filepath.Join(cache, "browse.dat")
	if err := os.WriteFile(path, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	list, at, err := s.Machines()
	want := []browse.Record{{Name: "ALPHA", Type: 0x40819a03, Comment: "The master", Workgroup: "TESTGRP"}}
	if diff := cmp.Diff(want, list); err != nil || diff != "" || !at.Equal(info.ModTime()) {
		t.Errorf("Machines at %v, %v (-want +got):\n%s", at, err, diff)
	}
}

// A port that somebody listens on is found, without a connection to it.
func TestListens(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := netip.MustParseAddrPort(l.Addr().String()).Port()
	if !smbd.Listens(port) {
		t.Errorf("nobody listens on port %d, but we do", port)
	}
	l.Close()
	if smbd.Listens(port) {
		t.Errorf("somebody listens on port %d, which is closed", port)
	}
}
