//go:build linux

package samba

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"messngr/interop/lab"
)

// OtherPrograms are the commands that the other name server needs besides [Programs], and those of Samba's own tests.
func OtherPrograms() []string { return []string{"samba", "/usr/bin/python3", "smbtorture"} }

// OtherLines are the lines of the [global] section that turn the program samba, which otherwise is a whole domain
// controller, into Samba's other name server alone.
func OtherLines() []string {
	return []string{"server services = nbt wrepl", "server role = standalone server", "server role check:inhibit = yes"}
}

// anEmptyDomain is what samba wants to see before it starts anything, and does not look into.
const anEmptyDomain = `import ldb, sys; ldb.Ldb("tdb://" + sys.argv[1]).add({"dn": "@INDEXLIST", "@IDXATTR": "cn"})`

// OtherCommand is Samba's other name server in the foreground. The configuration needs [OtherLines].
func (s *Samba) OtherCommand(ctx context.Context) (*exec.Cmd, error) {
	out, stderr, err := s.host.Output(ctx, "/usr/bin/python3", "-c", anEmptyDomain, "/run/samba/private/sam.ldb")
	if err != nil {
		return nil, fmt.Errorf("samba: sam.ldb: %w: %s%s", err, out, stderr)
	}
	return exec.Command("samba", "-F", "-M", "single", "-s", s.conf), nil
}

// Other starts Samba's other name server and returns when it answers for its own name.
func (s *Samba) Other(ctx context.Context) (*lab.Daemon, error) {
	cmd, err := s.OtherCommand(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.host.Daemon("samba", cmd)
	if err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	err = s.until(ctx, d, func() error {
		// Broadcast nodes alone; one with a name server needs no such proof.
		_, err := s.Lookup(ctx, s.name+"#20", "-U", s.host.Addr().String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("samba: %w: %s", err, d.Log())
	}
	return d, nil
}

// Torture runs tests of smbtorture from this host against another, and returns what it printed. The error is nil when
// all of them passed.
func (s *Samba) Torture(ctx context.Context, target string, tests ...string) (string, error) {
	args := append([]string{"-s", s.conf, "--option=torture:progress=no", "--basedir=" + filepath.Join(s.host.Dir(), "run"),
		"//" + target + "/none"}, tests...)
	out, stderr, err := s.host.Output(ctx, "smbtorture", args...)
	return out + stderr, err
}
