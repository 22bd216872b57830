package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnit holds the unit to that of the packages: there is one way to run the
// service.
func TestUnit(t *testing.T) {
	packaged, err := os.ReadFile("../../packaging/messngr.service")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.TrimPrefix(unitText, "# Written by: messngr service install\n")
	want := regexp.MustCompile(`(?m)^ExecStart=.*$`).ReplaceAllString(string(packaged), "ExecStart=%s")
	want = strings.Replace(want, "ExecStartPost=-+/usr/bin/messngr ", "ExecStartPost=-+%s ", 1)
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(own, "\n")); diff != "" {
		t.Errorf("unit -packages +own:\n%s", diff)
	}
}

// fake returns an installer for an empty system that runs systemd.
func fake(t *testing.T) (i installer, ran *[]string, out *strings.Builder) {
	t.Helper()
	ran, out = new([]string), new(strings.Builder)
	i = installer{root: t.TempDir(), out: out, run: func(_ context.Context, name string, args ...string) error {
		line := strings.Join(append([]string{name}, args...), " ")
		*ran = append(*ran, strings.ReplaceAll(line, i.root, ""))
		return nil
	}}
	if err := os.MkdirAll(i.root+"/run/systemd/system", 0o755); err != nil {
		t.Fatal(err)
	}
	return i, ran, out
}

func TestInstallAndUninstall(t *testing.T) {
	i, ran, out := fake(t)
	o := Options{Interfaces: []string{"lan", `we"ird%`}, Config: "/etc/m.toml"}
	if err := i.install(t.Context(), "/usr/local/bin/messngr", o); err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile(i.unit())
	want := `ExecStart="/usr/local/bin/messngr" "serve" "--config" "/etc/m.toml" "--interface" "lan" "--interface" "we\"ird%%"` + "\n"
	if err != nil || !strings.Contains(string(unit), want) {
		t.Errorf("the unit lacks %s (%v):\n%s", want, err, unit)
	}
	for _, line := range []string{"User=messngr", "NoNewPrivileges=yes", "AmbientCapabilities=CAP_NET_BIND_SERVICE", "StateDirectoryMode=0700"} {
		if !strings.Contains(string(unit), "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
	if !strings.Contains(out.String(), "installed and started") || strings.Contains(out.String(), "loopback") {
		t.Errorf("install said %q", out)
	}
	if !i.installed() || i.packaged() {
		t.Errorf("installed() = %v, packaged() = %v, want true and false", i.installed(), i.packaged())
	}

	state := filepath.Join(i.root, "var/lib/messngr")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := i.uninstall(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "the messages in") {
		t.Errorf("uninstall does not say that the messages stay: %q", out)
	}
	if err := i.install(t.Context(), "/usr/local/bin/messngr", Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "it listens on loopback only") {
		t.Errorf("install without interfaces said %q", out)
	}
	if err := i.uninstall(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	var left []string
	filepath.WalkDir(i.root, func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() || path == state {
			left = append(left, path)
		}
		return nil
	})
	if len(left) > 0 {
		t.Errorf("uninstall --purge left %q", left)
	}
	installed := []string{"systemd-sysusers /etc/sysusers.d/messngr.conf", "systemctl daemon-reload", "systemctl enable --now messngr.service"}
	removed := []string{"systemctl disable --now messngr.service", "systemctl daemon-reload"}
	all := append(append(append(append([]string{}, installed...), removed...), installed...), append(removed, "userdel messngr")...)
	if diff := cmp.Diff(all, *ran); diff != "" {
		t.Errorf("commands -want +got:\n%s", diff)
	}
}

func TestInstallRefuses(t *testing.T) {
	i, ran, _ := fake(t)
	if err := i.install(t.Context(), "/home/alice/messngr", Options{}); err == nil || !strings.Contains(err.Error(), "sudo install /home/alice/messngr /usr/local/bin/messngr") {
		t.Errorf("install of a program in /home = %v, want what to do first", err)
	}
	if err := i.uninstall(t.Context(), false); err == nil {
		t.Error("uninstall of nothing = nil, want an error")
	}
	packaged := i.root + "/lib/systemd/system"
	os.MkdirAll(packaged, 0o755)
	os.WriteFile(packaged+"/messngr.service", nil, 0o644)
	if err := i.install(t.Context(), "/usr/bin/messngr", Options{}); err == nil || !strings.Contains(err.Error(), "package") {
		t.Errorf("install beside a package = %v, want an error", err)
	}
	bare := installer{root: t.TempDir()}
	if err := bare.install(t.Context(), "/usr/bin/messngr", Options{}); err == nil || !strings.Contains(err.Error(), "systemd") {
		t.Errorf("install without systemd = %v, want an error", err)
	}
	if len(*ran) > 0 {
		t.Errorf("commands were run: %q", *ran)
	}
}

func TestUninstallGoesOn(t *testing.T) {
	i, _, _ := fake(t)
	if err := i.install(t.Context(), "/usr/bin/messngr", Options{}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	i.run = func(context.Context, string, ...string) error { return broken }
	if err := i.uninstall(t.Context(), false); !errors.Is(err, broken) {
		t.Errorf("uninstall = %v, want the failure of the command", err)
	}
	if i.installed() {
		t.Error("uninstall left the unit after a failure")
	}
}
