package daemon

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"messngr/carrier/smbd"
	"messngr/control"
)

// listen has datagrams asked for, in vain, until stop is called.
func listen(s *smbd.Samba) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	asking.Go(func() { s.Datagrams(ctx, func([]byte, netip.AddrPort) {}) })
	for _, err := s.Nmbd(); !errors.Is(err, syscall.ECONNREFUSED); _, err = s.Nmbd() {
		time.Sleep(time.Millisecond)
	}
	return func() { cancel(); asking.Wait() }
}

// TestBesideSamba has the arrangements of doc/samba.md.
func TestBesideSamba(t *testing.T) {
	port := func(network, number, fate string) control.Port {
		return control.Port{Network: network, Address: "10.0.0.1:" + number, OK: fate == "", Error: fate}
	}
	for _, tt := range []struct {
		name        string
		ran         string // which of Samba's sockets are there
		n139, n445  string // what became of the ports
		n137        string
		arrangement int
		state, hint string
	}{
		{"no Samba", "", "", "", "", 0, "", ""},
		{"ports of others", "", "in use", "in use", "in use", 0, "", ""},
		{"Samba that was, and gave way", "nmbd smbd", "", "", "", 0, "", ""},
		{"smbd on 445", "smbd", "", "in use by smbd", "", 1, "messngr has 139", ""},
		{"nmbd too", "nmbd smbd", "", "in use by smbd", "in use by nmbd", 2, "nmbd has the names", "start nmbd"},
		{"nmbd alone", "nmbd", "", "", "in use by nmbd", 2, "nmbd has the names", "start nmbd"},
		{"smbd on 139", "smbd", "in use by smbd", "in use by smbd", "", 3, "only by its message command", "smb ports = 445"},
		{"both", "nmbd smbd", "in use by smbd", "in use by smbd", "in use by nmbd", 3, "nmbd has the names", "smb ports = 445"},
		{"smbd that is down", "smbd", keptText, keptText, "", 3, "do not arrive", "start smbd"},
	} {
		run := t.TempDir()
		for _, program := range strings.Fields(tt.ran) {
			path := map[string]string{"nmbd": "nmbd/unexpected", "smbd": "ncalrpc/np"}[program]
			if err := os.MkdirAll(filepath.Join(run, path), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		d := &daemon{s: defaults()}
		d.s.samba.Run = run
		d.samba = smbd.New(d.s.samba, nil)
		if strings.Contains(tt.hint, "nmbd") {
			defer listen(d.samba)()
		}
		got := d.besideSamba([]control.Port{port("udp", "137", tt.n137), port("tcp", "139", tt.n139), port("tcp", "445", tt.n445)})
		if got == nil {
			got = &control.Samba{}
		}
		said := strings.Join(got.State, "\n")
		if got.Arrangement != tt.arrangement || !strings.Contains(said, tt.state) || !strings.Contains(got.Hint, tt.hint) || tt.hint == "" && got.Hint != "" {
			t.Errorf("%s: %+v, want %d, %q, %q", tt.name, got, tt.arrangement, tt.state, tt.hint)
		}
	}
	// Where no port is Samba's, as with an offset.
	if got := (&daemon{s: defaults()}).besideSamba([]control.Port{port("tcp", "139", "in use")}); got != nil {
		t.Errorf("without Samba: %+v", got)
	}
}
