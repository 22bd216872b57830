package session

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSambaRecorded(t *testing.T) {
	b, err := os.ReadFile("testdata/smbstatus-4.17.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseSambaJSON(b)
	want := []Session{
		{ID: "2912854184", User: "nobody", UID: 65534, Remote: "127.0.0.1"},
		{ID: "705543202", User: "games", UID: 5, Remote: "127.0.0.1"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("JSON: %v, -want +got:\n%s", err, diff)
	}
	if b, err = os.ReadFile("testdata/smbstatus-4.17.txt"); err != nil {
		t.Fatal(err)
	}
	want = []Session{
		{ID: "1897", User: "games", UID: -1, Remote: "127.0.0.1"},
		{ID: "1896", User: "nobody", UID: -1, Remote: "127.0.0.1"},
	}
	if diff := cmp.Diff(want, parseSambaText(b)); diff != "" {
		t.Errorf("text: -want +got:\n%s", diff)
	}
}

func TestSambaAddress(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"ipv4:10.0.0.7:59644", "10.0.0.7"}, {"ipv6:fe80::1:59644", "fe80::1"}, {"ipv6:::ffff:10.0.0.7:445", "10.0.0.7"},
		{"", ""}, {"ipv4:", ""}, {"unix:/run/x", ""},
	} {
		if got, ok := sambaAddress(tt.in); got != tt.want || ok != (tt.want != "") {
			t.Errorf("sambaAddress(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
		}
	}
}

func TestSambaHostile(t *testing.T) {
	got, err := parseSambaJSON([]byte(`{"sessions": {"1": {"username": "a\u001bb", "hostname": "ipv4:10.0.0.7:1"}, "2": {"username": "ok", "hostname": "evil"}}}`))
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v, want nothing", got, err)
	}
	if got, err := parseSambaJSON([]byte(`smbstatus only works as root!`)); err == nil {
		t.Errorf("got %v, want an error", got)
	}
}

// program writes a stand-in for smbstatus.
func program(t *testing.T, script string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "smbstatus")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

func TestSambaRun(t *testing.T) {
	text, err := filepath.Abs("testdata/smbstatus-4.17.txt")
	if err != nil {
		t.Fatal(err)
	}
	old := program(t, `case "$1" in --json) echo "Invalid option" >&2; exit 1;; esac; cat `+text)
	if got, err := (Samba{Command: old}).Sessions(t.Context()); err != nil || len(got) != 2 {
		t.Errorf("old smbstatus: %v, %v, want two sessions", got, err)
	}
	if got, err := (Samba{Command: program(t, "echo no >&2; exit 1")}).Sessions(t.Context()); err == nil {
		t.Errorf("failing smbstatus: %v, want an error", got)
	}
	if got, err := (Samba{Command: program(t, "yes | head -c 17000000")}).Sessions(t.Context()); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("endless smbstatus: %v, %v, want an error about the length", got, err)
	}
	if _, err := (Samba{Command: []string{"no-such-smbstatus"}}).Sessions(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no smbstatus: %v, want fs.ErrNotExist", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Samba{Command: program(t, "exec sleep 60")}).Sessions(ctx); err == nil {
		t.Error("cancelled: no error")
	}
}
