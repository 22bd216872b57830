//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/hammer"
	"messngr/interop/lab"
	"messngr/interop/labtest"
)

// machine is a host with a root of its own: this machine's files, on which changes are laid in memory.
type machine struct {
	*lab.Host
	changes string // the folder that holds what differs from this machine
}

// overlay mounts the root. The kernel takes it apart with the host.
const overlay = `set -e
mount -t tmpfs none "$1"
mkdir "$1/changes" "$1/work" "$1/root"
mount -t overlay none -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs none "$1/root/run"
# Of what was ever tried on this machine, nothing.
rm -rf "$1/root/var/lib/messngr" "$1/root/var/spool/messngr" "$1/root/etc/messngr"
`

// triedBefore is what a person leaves behind who has run the program as root: README's first command.
const triedBefore = `mkdir -m 700 /var/lib/messngr && : >/var/lib/messngr/messngr.db && : >/var/lib/messngr/messngr.db.lock &&
chmod 600 /var/lib/messngr/*`

func newMachine(ctx context.Context, t *testing.T, h *lab.Host) *machine {
	t.Helper()
	dir := filepath.Join(h.Dir(), "overlay")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err := h.Output(ctx, "sh", "-c", overlay, "sh", dir); err != nil {
		t.Fatalf("overlay: %v: %s", err, stderr)
	}
	return &machine{h, filepath.Join("/proc", fmt.Sprint(h.PID()), "root", dir, "changes")}
}

// in runs a command in the machine, which must succeed, and returns what it printed.
func (m *machine) in(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	out, stderr, err := m.Output(ctx, "chroot", append([]string{filepath.Join(m.Dir(), "overlay/root")}, args...)...)
	if err != nil {
		t.Fatalf("%s: %v: %s%s", strings.Join(args, " "), err, out, stderr)
	}
	return out + stderr
}

// files lists everything that differs from this machine. What dpkg, rpm, passwd and the desktop keep for themselves,
// their own lists, logs, caches and backups, is not the package's.
func (m *machine) files(t *testing.T) (list []string) {
	t.Helper()
	err := filepath.WalkDir(m.changes, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, m.changes)
		for _, own := range []string{"/var/lib/dpkg/", "/var/log/", "/var/lib/rpm", "/var/cache/", "/etc/passwd", "/etc/group", "/etc/shadow",
			"/etc/gshadow", "/etc/subuid", "/etc/subgid", "/etc/.pwd.lock", "/tmp/", "/root/",
			"/usr/share/applications/mimeinfo.cache", "/usr/share/icons/hicolor/icon-theme.cache"} {
			if strings.HasPrefix(rel, own) {
				return nil
			}
		}
		if d.IsDir() {
			// A folder that exists below is here only because something in it changed.
			if _, err := os.Lstat(rel); err == nil {
				return nil
			}
		}
		list = append(list, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// accounts are the lines of the account files, whatever their order.
func (m *machine) accounts(ctx context.Context, t *testing.T) []string {
	t.Helper()
	lines := strings.Split(m.in(ctx, t, "cat", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"), "\n")
	slices.Sort(lines)
	return lines
}

// dist builds the packages for this machine, once.
func dist(ctx context.Context, t *testing.T) (deb, rpm string) {
	t.Helper()
	arch, err := exec.CommandContext(ctx, "go", "env", "GOHOSTARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	cmd := exec.CommandContext(ctx, "../packaging/dist.sh", "1.2.3", "linux/"+strings.TrimSpace(string(arch)))
	cmd.Env = append(os.Environ(), "DIST="+out)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("dist: %v: %s", err, said)
	}
	one := func(pattern string) string {
		found, err := filepath.Glob(filepath.Join(out, pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		return found[0]
	}
	if said, err := command(ctx, out, "sha256sum", "--check", "SHA256SUMS"); err != nil {
		t.Errorf("SHA256SUMS: %v: %s", err, said)
	}
	one("messngr-desktop_*.deb")
	one("messngr-desktop-1*.rpm")
	return one("messngr_*.deb"), one("messngr-1*.rpm")
}

func command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// installed is what a person finds after an installation.
var installed = []string{
	"/usr/bin/messngr",
	"/usr/lib/systemd/system/messngr.service",
	"/usr/lib/systemd/system/messngr-smbd.path",
	"/usr/lib/systemd/system/messngr-smbd.service",
	"/etc/messngr/messngr.toml",
	"/usr/share/man/man1/messngr.1.gz",
	"/usr/share/man/man1/messngr-send.1.gz",
	"/usr/share/bash-completion/completions/messngr",
	"/usr/share/doc/messngr/LICENSE",
	"/etc/xdg/autostart/messngr-tray.desktop",
	"/usr/lib/systemd/user/messngr-tray.service",
	"/usr/share/applications/messngr.desktop",
	"/usr/share/icons/hicolor/scalable/apps/messngr.svg",
	"/usr/share/icons/hicolor/48x48/apps/messngr.png",
	"/usr/share/metainfo/org.messngr.Messngr.metainfo.xml",
}

// A Debian package: installed without a question, run as its unit runs it, removed, purged, and nothing is left.
func TestDebianPackage(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "dpkg", "setpriv", "chroot")
	ctx := labtest.Context(t, 5*time.Minute)
	deb, _ := dist(ctx, t)
	hosts := lan(t, "alpha", "beta")
	m := newMachine(ctx, t, hosts[0])
	before := m.files(t)
	accounts := m.accounts(ctx, t)

	m.in(ctx, t, "sh", "-c", triedBefore)
	m.in(ctx, t, "dpkg", "--install", deb)
	have := m.files(t)
	for _, want := range installed {
		if !slices.Contains(have, want) {
			t.Errorf("%s is missing", want)
		}
	}
	m.runs(ctx, t, hosts[1])

	m.in(ctx, t, "dpkg", "--remove", "messngr")
	for _, f := range m.files(t) {
		kept := strings.HasPrefix(f, "/etc/messngr") || strings.HasPrefix(f, "/etc/xdg/autostart/messngr") || strings.HasPrefix(f, "/var/lib/messngr")
		if !slices.Contains(before, f) && !kept {
			t.Errorf("removing leaves %s", f)
		}
	}
	m.in(ctx, t, "dpkg", "--install", deb)
	m.in(ctx, t, "dpkg", "--purge", "messngr")
	if after := m.files(t); !slices.Equal(after, before) {
		t.Errorf("purging leaves\n%s\nand there was\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	if after := m.accounts(ctx, t); !slices.Equal(after, accounts) {
		t.Errorf("purging changes the accounts:\n%s\nbefore\n%s", strings.Join(after, "\n"), strings.Join(accounts, "\n"))
	}
}

// The same as an RPM, which knows no purge: removing leaves the messages and their owner alone.
func TestRPMPackage(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rpm", "setpriv", "chroot")
	ctx := labtest.Context(t, 5*time.Minute)
	_, rpm := dist(ctx, t)
	hosts := lan(t, "alpha", "beta")
	m := newMachine(ctx, t, hosts[0])
	before := m.files(t)

	// What it needs is there, but Debian's rpm does not know it.
	m.in(ctx, t, "sh", "-c", triedBefore)
	m.in(ctx, t, "rpm", "--install", "--nodeps", rpm)
	have := m.files(t)
	for _, want := range installed {
		if !slices.Contains(have, want) {
			t.Errorf("%s is missing", want)
		}
	}
	m.runs(ctx, t, hosts[1])
	m.in(ctx, t, "rpm", "--erase", "messngr")
	for _, f := range m.files(t) {
		if !slices.Contains(before, f) && !strings.HasPrefix(f, "/var/lib/messngr") {
			t.Errorf("removing leaves %s", f)
		}
	}
}

// runs starts the installed service with the rights that its unit gives it, and sends it a message from another host.
func (m *machine) runs(ctx context.Context, t *testing.T, from *lab.Host) {
	t.Helper()
	root := filepath.Join(m.Dir(), "overlay/root")
	m.in(ctx, t, "install", "-d", "-o", "messngr", "-g", "messngr", "/run/messngr")
	d, err := m.Daemon("messngr", exec.Command("chroot", root,
		"setpriv", "--reuid", "messngr", "--regid", "messngr", "--groups", "messngr,tty", "--no-new-privs",
		"--bounding-set", "-all,+net_bind_service", "--inh-caps", "-all,+net_bind_service", "--ambient-caps", "-all,+net_bind_service",
		"env", "RUNTIME_DIRECTORY=/run/messngr", "STATE_DIRECTORY=/var/lib/messngr",
		"/usr/bin/messngr", "serve", "--config", "/etc/messngr/messngr.toml"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	err = lab.Until(ctx, func() error {
		select {
		case <-d.Ended():
			return lab.Stop{Err: fmt.Errorf("it ended: %s", d.Log())}
		default:
			return from.Do(func() error { return hammer.New("bob", "ALPHA", "installed?").Deliver(messages(m.Host)) })
		}
	})
	if err != nil {
		t.Fatalf("the installed service: %v\n%s", err, d.Log())
	}
	if out := m.in(ctx, t, "messngr", "inbox"); !strings.Contains(out, "installed?") {
		t.Errorf("the inbox shows %q", out)
	}
	if out := m.in(ctx, t, "stat", "-c", "%a %U", "/var/lib/messngr/messngr.db"); out != "600 messngr\n" {
		t.Errorf("the messages are kept as %q", out)
	}
}

// The same commit gives the same packages, byte for byte.
func TestDistIsReproducible(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rpm")
	ctx := labtest.Context(t, 5*time.Minute)
	var sums [2]string
	for i := range sums {
		deb, _ := dist(ctx, t)
		all, err := os.ReadFile(filepath.Join(filepath.Dir(deb), "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(all)
		time.Sleep(time.Second) // of which a time stamp would tell
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") < 6 {
		t.Errorf("got\n%sand\n%s", sums[0], sums[1])
	}
}
