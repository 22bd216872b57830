package namecache

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/netbios"
)

// writeHosts writes an LMHOSTS file and returns its path.
func writeHosts(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lmhosts")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLMHosts(t *testing.T) {
	path := writeHosts(t, "10.9.0.1 SERVER #DOM:SALES\n"+
		"10.9.0.9 SERVER\n"+
		"10.9.0.2 \"ALICE          \\0x03\"\n"+
		"10.9.0.3 ROUTER #MH\n10.9.0.4 ROUTER #MH\n"+
		"10.9.0.5 BACKUP #DOM:SALES\n"+
		"nonsense\n"+
		"#INCLUDE more\n"+
		"#BEGIN_ALTERNATE\n#INCLUDE missing\n#INCLUDE second\n#INCLUDE third\n#END_ALTERNATE\n")
	for name, text := range map[string]string{"more": "10.9.0.6 MORE\n#INCLUDE more\n", "second": "10.9.0.7 SECOND\n", "third": "10.9.0.8 THIRD\n"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := mustNew(t, path)
	for _, tt := range []struct {
		label  string
		suffix netbios.Suffix
		want   []netip.Addr
	}{
		{"SERVER", netbios.Messenger, []netip.Addr{addr("10.9.0.1")}},
		{"ALICE", netbios.Messenger, []netip.Addr{addr("10.9.0.2")}},
		{"ALICE", netbios.Workstation, nil},
		{"ROUTER", netbios.FileServer, []netip.Addr{addr("10.9.0.3"), addr("10.9.0.4")}},
		{"SALES", netbios.DomainControllers, []netip.Addr{addr("10.9.0.1"), addr("10.9.0.5")}},
		{"MORE", netbios.Messenger, []netip.Addr{addr("10.9.0.6")}},
		{"SECOND", netbios.Messenger, []netip.Addr{addr("10.9.0.7")}},
		{"THIRD", netbios.Messenger, nil},
	} {
		name := mustName(tt.label, tt.suffix)
		if diff := cmp.Diff(tt.want, c.Hosts(name), compareAddr); diff != "" {
			t.Errorf("Hosts(%v) (-want +got):\n%s", name, diff)
		}
		if got := c.Get(name); got != nil {
			t.Errorf("Get(%v) = %v, want nothing that is not preloaded", name, got)
		}
	}
}

func TestLMHostsRefused(t *testing.T) {
	long := strings.Repeat("# comment\n", maxHostsFile/10+1)
	many := strings.Repeat("10.9.0.1 A\n", maxHosts+1)
	for name, path := range map[string]string{
		"missing":          filepath.Join(t.TempDir(), "none"),
		"too long":         writeHosts(t, long),
		"too many entries": writeHosts(t, many),
	} {
		if _, err := New(path, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
