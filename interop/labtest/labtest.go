//go:build linux

// Package labtest gives a test its own [lab.Lab]: it checks that the machine can run one, and takes it down.
package labtest

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
)

// Need skips the test, with the reason, unless it runs as root and all programs are installed. Where CI is set in the
// environment the test fails instead: there nothing may be missing.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	var missing []string
	if os.Geteuid() != 0 {
		missing = append(missing, "root")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return
	}
	const report = "needs %s (interop/peers.sh installs the programs)"
	if os.Getenv("CI") != "" {
		t.Fatalf(report, strings.Join(missing, ", "))
	}
	t.Skipf(report, strings.Join(missing, ", "))
}

// New makes a lab that is closed when the test ends. Its folder, with all logs, is kept when the test fails.
func New(t testing.TB, programs ...string) *lab.Lab {
	t.Helper()
	Need(t, append(programs, "ip")...)
	dir, err := os.MkdirTemp("", "messngr-"+strings.ReplaceAll(t.Name(), "/", "-")+"-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // daemons of other users work in it
		t.Fatal(err)
	}
	l, err := lab.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("logs are in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Subnet adds a subnet, 10.77.0.0/24 for one.
func Subnet(t testing.TB, l *lab.Lab, prefix string) *lab.Subnet {
	t.Helper()
	s, err := l.Subnet(netip.MustParsePrefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Hosts adds hosts to a subnet.
func Hosts(t testing.TB, s *lab.Subnet, names ...string) []*lab.Host {
	t.Helper()
	var hosts []*lab.Host
	for _, name := range names {
		h, err := s.Host(name)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// Context ends with the test, and after limit in any case.
func Context(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}
