package operate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/cli"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/server"
)

// who runs messngr who with a service that knows a few machines.
func who(t *testing.T, args ...string) (stdout, stderr string, code int, quick bool) {
	t.Helper()
	folder, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := net.Listen("unix", folder+"/s")
	if err != nil {
		t.Fatal(err)
	}
	seen := time.Date(2020, 3, 1, 14, 5, 0, 0, time.UTC)
	srv := &http.Server{Handler: (&server.Service{Who: func(_ context.Context, q bool) control.WhoList {
		quick = q
		return control.WhoList{
			Machines: []control.Machine{
				{Name: "PC17", Workgroup: "OFFICE", Address: "10.0.0.17", Takes: []string{"smb", "mailslot"}, Sources: []string{"self"}, SeenAt: &seen},
				{Name: "ALPHA", Workgroup: "OFFICE", Address: "10.0.0.1", Users: []string{"BOB", "EVE"}, Takes: []string{"smb"}, System: "Unix", Comment: "evil\x1b[2J", Master: true, SeenAt: &seen},
				{Name: "OLD", Sources: []string{"list"}},
			},
			Notes: []string{"not all\x1b is known"},
		}
	}}).Handler(func(*http.Request) (messngr.Principal, bool) { return messngr.Principal{UID: 1000}, true })}
	done := make(chan struct{})
	go func() { srv.Serve(l); close(done) }()
	t.Cleanup(func() { srv.Close(); <-done })
	var out, errs bytes.Buffer
	code = cli.Main(t.Context(), program.Env{
		Args: append([]string{"messngr", "--socket", folder + "/s", "who"}, args...), Stdin: strings.NewReader(""),
		Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" },
	})
	return out.String(), errs.String(), code, quick
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
