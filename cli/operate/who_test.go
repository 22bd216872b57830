package operate_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/cli/clitest"
	"messngr/control"
	"messngr/control/server"
)

// who runs messngr who with a service that knows a few machines.
func who(t *testing.T, args ...string) (stdout, stderr string, code int, quick bool) {
	t.Helper()
	seen := time.Date(2020, 3, 1, 14, 5, 0, 0, time.UTC)
	socket := serve(t, &server.Service{Who: func(_ context.Context, q bool) control.WhoList {
		quick = q
		return control.WhoList{
			Machines: []control.Machine{
				{Name: "PC17", Workgroup: "OFFICE", Address: "10.0.0.17", Takes: []string{"smb", "mailslot"}, Sources: []string{"self"}, SeenAt: &seen},
				{Name: "ALPHA", Workgroup: "OFFICE", Address: "10.0.0.1", Users: []string{"BOB", "EVE"}, Takes: []string{"smb"}, System: "Unix", Comment: "evil\x1b[2J", Master: true, SeenAt: &seen},
				{Name: "OLD", Sources: []string{"list"}},
			},
			Notes: []string{"not all\x1b is known"},
		}
	}})
	stdout, stderr, code = clitest.Run(t, append([]string{"--socket", socket, "who"}, args...)...)
	return stdout, stderr, code, quick
}

func TestWho(t *testing.T) {
	out, errs, code, quick := who(t)
	want := []string{
		"NAME WORKGROUP ADDRESS USERS TAKES SEEN WHAT IT SAYS OF ITSELF",
		"PC17 OFFICE 10.0.0.17 - smb mailslot here -",
		"ALPHA OFFICE 10.0.0.1 BOB EVE smb 2020-03-01 Unix, evil, master browser",
		"OLD - - - - - -",
	}
	var got []string
	for line := range strings.Lines(out) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if strings.Contains(out+errs, "\x1b") {
		t.Errorf("what a machine says of itself reaches the terminal: %q %q", out, errs)
	}
	if diff := cmp.Diff(want, clean(got)); code != 0 || quick || diff != "" {
		t.Errorf("exit code %d, quick %v (-want +got):\n%s", code, quick, diff)
	}
	if !strings.Contains(errs, "is known") {
		t.Errorf("stderr %q, want the note", errs)
	}
}

// clean drops what the cleaning of texts left of a command to the terminal.
func clean(lines []string) []string {
	for i, l := range lines {
		before, after, found := strings.Cut(l, "evil")
		if _, rest, ok := strings.Cut(after, ","); found && ok {
			lines[i] = before + "evil," + rest
		}
	}
	return lines
}

func TestWhoInJSON(t *testing.T) {
	out, _, code, quick := who(t, "--json", "--quick")
	if code != 0 || !quick {
		t.Errorf("exit code %d, quick %v", code, quick)
	}
	var names []string
	for line := range strings.Lines(out) {
		var m control.Machine
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"PC17", "ALPHA", "OLD"}, names); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
}
