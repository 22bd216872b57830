package nbt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"messngr/carrier"
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
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{LMHosts: path}, "10.0.0.1/24")
		other := l.start(t, Config{}, "10.0.0.2/24")
		mustClaim(t, other.Carrier, mustName("BACKUP", netbios.Messenger))
		wantAddrs(t, h.Carrier, mustName("SERVER", netbios.Messenger), "10.9.0.1")
		wantAddrs(t, h.Carrier, mustName("ALICE", netbios.Messenger), "10.9.0.2")
		wantAddrs(t, h.Carrier, mustName("ROUTER", netbios.FileServer), "10.9.0.3", "10.9.0.4")
		wantAddrs(t, h.Carrier, mustName("SALES", netbios.DomainControllers), "10.9.0.1", "10.9.0.5")
		wantAddrs(t, h.Carrier, mustName("MORE", netbios.Messenger), "10.9.0.6")
		wantAddrs(t, h.Carrier, mustName("SECOND", netbios.Messenger), "10.9.0.7")
		wantAddrs(t, h.Carrier, mustName("BACKUP", netbios.Messenger), "10.0.0.2") // the network goes first
		for _, n := range []netbios.Name{mustName("THIRD", netbios.Messenger), mustName("ALICE", netbios.Workstation)} {
			if got, err := h.Resolve(t.Context(), n); !errors.Is(err, carrier.ErrNoName) {
				t.Errorf("Resolve(%v) = %v, %v, want ErrNoName", n, got, err)
			}
		}
	})
}

func TestLMHostsRefused(t *testing.T) {
	long := strings.Repeat("# comment\n", maxHostsFile/10+1)
	many := strings.Repeat("10.9.0.1 A\n", maxHosts+1)
	for name, path := range map[string]string{
		"missing":          filepath.Join(t.TempDir(), "none"),
		"too long":         writeHosts(t, long),
		"too many entries": writeHosts(t, many),
	} {
		if _, err := New(Config{LMHosts: path}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
