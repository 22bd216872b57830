package operate_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/cli/clitest"
	"messngr/control"
	"messngr/control/controltest"
	"messngr/control/server"
)

// network is a name service that knows one machine.
type network struct{ purged bool }

func (n *network) Cache() []control.CachedName {
	if n.purged {
		return nil
	}
	return []control.CachedName{
		{Name: "PC18", Suffix: 0x03, Addresses: []string{"10.0.0.18", "10.1.0.18"}, LifeSeconds: 392},
		{Name: "FS01", Suffix: 0x20, Addresses: []string{"10.0.0.2"}},
	}
}

func (n *network) Purge() error { n.purged = true; return nil }

func (*network) Adapter(_ context.Context, addr netip.Addr) (control.Adapter, error) {
	if addr.String() != "10.0.0.18" {
		return control.Adapter{}, fmt.Errorf("%w: %v does not answer", messngr.ErrUnknownName, addr)
	}
	return control.Adapter{Address: "10.0.0.18", Hardware: "00-50-56-01-02-03", Names: []control.AdapterName{
		{Name: "PC18"}, {Name: "OFFICE", Group: true}, {Name: "EVE\x1b[2J", Suffix: 3, Conflict: true},
	}}, nil
}

func (*network) Find(_ context.Context, name string) (netip.Addr, error) {
	if name != "PC18" {
		return netip.Addr{}, fmt.Errorf("%s: %w", name, messngr.ErrUnknownName)
	}
	return netip.MustParseAddr("10.0.0.18"), nil
}

const adapter = `
           NetBIOS Remote Machine Name Table of 10.0.0.18

       Name               Type         Status
    ------------------------------------------------------------
    PC18           <00>  UNIQUE       Registered
    OFFICE         <00>  GROUP        Registered
    EVE^[[2J       <03>  UNIQUE       Conflict

    MAC Address = 00-50-56-01-02-03

`

// The layout is that of Windows, which scripts read.
func TestNbtstat(t *testing.T) {
	socket := serve(t, &server.Service{NetBIOS: &network{}})
	for _, tt := range []struct{ args, want, complaint string }{
		{"-A 10.0.0.18", adapter, ""},
		{"-a PC18", adapter, ""},
		{"-A 10.0.0.9", "", "messngr: 10.0.0.9 does not answer"},
		{"-a NOSUCH", "", "messngr: NOSUCH: name not found"},
		{"-A PC18", "", `messngr: "PC18" is not an address`},
		{"", "", "messngr: say what to show"},
		{"-c", `
                NetBIOS Remote Cache Name Table

       Name           Host Address     Life [sec]
    ------------------------------------------------------------
    PC18           <03>   10.0.0.18        392
    PC18           <03>   10.1.0.18        392
    FS01           <20>   10.0.0.2         -1

`, ""},
		{"-R", "    Successful purge and preload of the NBT Remote Cache Name Table.\n", ""},
		{"-c", "\n    No names in cache\n\n", ""},
	} {
		out, complaint, code := clitest.Run(t, append([]string{"--socket", socket, "nbtstat"}, strings.Fields(tt.args)...)...)
		if diff := cmp.Diff(tt.want, out); diff != "" || !strings.HasPrefix(complaint, tt.complaint) || (code == 0) != (tt.complaint == "") {
			t.Errorf("nbtstat %s: exit code %d, %q (-want +got):\n%s", tt.args, code, complaint, diff)
		}
	}
}

func TestNbtstatOfOwnNames(t *testing.T) {
	out, _, code := clitest.Run(t, "--socket", controltest.Start(t, controltest.New()), "nbtstat", "-n")
	for _, line := range []string{
		"                NetBIOS Local Name Table\n",
		"    ALICE          <03>  UNIQUE       Registered\n",
		"    BACKUP         <03>  UNIQUE       Conflict\n",
		"    WORKGROUP      <00>  GROUP        Registered\n",
	} {
		if code != 0 || !strings.Contains(out, line) {
			t.Errorf("exit code %d, no line %q in\n%s", code, line, out)
		}
	}
}
