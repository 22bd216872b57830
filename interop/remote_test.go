//go:build linux

package interop_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
)

// manager manages the names of a server with smbd from another host, by our own client.
type manager struct {
	*pipes
	ours *program.Program // in the client's host, where no service runs
	base []byte           // of the server's configuration
	stop func()           // ends smbd
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{pipes: newPipes(t, samba.Options{MinProtocol: "NT1"}), stop: func() {}}
	m.ours = install(t, m.client)
	var err error
	if m.base, err = os.ReadFile(m.smbd.Config()); err != nil {
		t.Fatal(err)
	}
	return m
}

// direct leaves port 445 to smbd, which comes and goes.
const direct = "[nbt]\ndirect = false\n"

// restart starts smbd again with more lines of its configuration.
func (m *manager) restart(lines ...string) {
	m.t.Helper()
	m.stop()
	conf := slices.Concat(m.base, []byte("\t"+strings.Join(lines, "\n\t")+"\n"))
	if err := os.WriteFile(m.smbd.Config(), conf, 0o644); err != nil {
		m.t.Fatal(err)
	}
	d := m.samba()
	m.stop = func() { d.Stop() }
}

// name runs one of our commands as somebody, or as nobody, and returns what it printed.
func (m *manager) name(who, password string, args ...string) string {
	m.t.Helper()
	if who != "" {
		args = append(args, "--as", who)
	}
	return m.run(password, append([]string{"name"}, args...)...)
}

// run runs one of our commands with a password.
func (m *manager) run(password string, args ...string) string {
	m.t.Helper()
	cmd := m.ours.Command(m.ctx, args...)
	cmd.Env = append(cmd.Env, "MESSNGR_PASSWORD="+password)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := m.client.Run(cmd)
	if failed := strings.Contains(out.String(), "messngr: "); failed != (err != nil) {
		m.t.Errorf("%v: %v, but it printed\n%s", cmd.Args, err, &out)
	}
	return out.String()
}

// at is the option for our server.
func (m *manager) at() string { return "--server=" + m.server.Addr().String() }

// secured are the ways in which smbd may want to be talked with.
var secured = []struct {
	name  string
	lines []string
}{
	{"SMB 2.0.2", []string{"server min protocol = SMB2_02", "server max protocol = SMB2_02"}},
	{"SMB 2.0.2, signed", []string{"server min protocol = SMB2_02", "server max protocol = SMB2_02", "server signing = mandatory"}},
	{"SMB 2.1", []string{"server min protocol = SMB2_10", "server max protocol = SMB2_10"}},
	{"SMB 2.1, signed", []string{"server min protocol = SMB2_10", "server max protocol = SMB2_10", "server signing = mandatory"}},
	{"SMB 3.0", []string{"server min protocol = SMB3_00", "server max protocol = SMB3_00"}},
	{"SMB 3.0, signed", []string{"server min protocol = SMB3_00", "server max protocol = SMB3_00", "server signing = mandatory"}},
	{"SMB 3.0.2, signed", []string{"server min protocol = SMB3_02", "server max protocol = SMB3_02", "server signing = mandatory"}},
	{"SMB 3.1.1", []string{"server min protocol = SMB3_11"}},
	{"SMB 3.1.1, signed", []string{"server min protocol = SMB3_11", "server signing = mandatory"}},
	{"SMB 3.1.1, encrypted", []string{"server min protocol = SMB3_11", "server smb encrypt = required"}},
	{"SMB 3.1.1, encrypted by CCM", []string{"server min protocol = SMB3_11", "server smb encrypt = required", "server smb3 encryption algorithms = AES-128-CCM"}},
	{"SMB 3.0, encrypted", []string{"server min protocol = SMB3_00", "server max protocol = SMB3_00", "server smb encrypt = desired"}},
}

// Message names are managed by our own client through smbd, with everything that smbd may demand of its clients.
func TestRemoteNames(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	m.serve(direct)
	watch(m.ctx, t, m.client)
	for i, s := range secured {
		m.restart(s.lines...)
		m.until("the pipe, "+s.name, func() error {
			if out := m.name("root", password, "list", m.at()); !strings.Contains(out, "BETA") {
				return fmt.Errorf("it printed\n%s", out)
			}
			return nil
		})
		name := fmt.Sprintf("VIA%d", i)
		for _, step := range []struct {
			who  string
			args []string
			want string
		}{
			{"root", []string{"add", m.at(), strings.ToLower(name)}, name + " is registered at " + m.server.Addr().String()},
			{"root", []string{"add", m.at(), name}, "has that message name already"},
			{user, []string{"list", m.at()}, "NAME\nBETA\n" + name + "\n"},
			{user, []string{"list", m.at(), "--json"}, `{"name":"` + name + `"}`},
			{user, []string{"remove", m.at(), name}, "members of BUILTIN\\Administrators"},
			{"root", []string{"remove", m.at(), "BETA"}, "the computer's own name cannot be removed"},
			{"root", []string{"remove", m.at(), name}, name + " is given up by"},
			{"root", []string{"remove", m.at(), name}, "not a message name of that computer"},
			{"", []string{"list", m.at()}, "say who you are there"},
		} {
			if out := m.name(step.who, password, step.args...); !strings.Contains(out, step.want) {
				t.Errorf("%s: %q, %q: it printed\n%s, want %q", s.name, step.who, step.args, out, step.want)
			}
		}
	}
}

// What goes wrong with another machine is told in words that help.
func TestRemoteNamesFail(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	check := func(what, who, secret string, args []string, want ...string) {
		t.Helper()
		out := m.name(who, secret, append([]string{"list"}, args...)...)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: it printed\n%s, want %q", what, out, w)
			}
		}
	}
	here := []string{m.at()}
	check("no smbd", "root", password, here, "connection refused", "no file server")
	check("no machine", "root", password, []string{"--server", "10.77.0.99"}, "no connection to 10.77.0.99:445", "firewall")
	check("no network", "root", password, []string{"--server", "192.0.2.1"}, "no connection to 192.0.2.1:445", "firewall")
	check("no such name", "root", password, []string{"--server", "nowhere"}, "nowhere cannot be found", "by NetBIOS")

	m.restart()
	check("no service", "root", password, here, `no such pipe: \PIPE\msgsvc`, "no Messenger service runs there")
	check("wrong password", "root", "wrong", here, "login refused: user or password are wrong")
	check("no such user", "who", password, here, "lets in everybody as a guest", "smbpasswd")
	check("wrong domain", `NOWHERE\root`, "wrong", here, "messngr: ")

	m.serve(direct)
	m.until("the pipe", func() error {
		if out := m.name("root", password, "list", m.at()); !strings.Contains(out, "BETA") {
			return fmt.Errorf("it printed\n%s", out)
		}
		return nil
	})
	if out := m.run(password, "net", "name", `\\`+m.server.Addr().String(), "/user:root"); !strings.Contains(out, "\nBETA\nThe command completed successfully.") {
		t.Errorf("net name prints\n%s", out)
	}
	check("a domain", `BETA\root`, password, here, "BETA")
	check("a domain", `TESTGRP/root`, password, here, "BETA")
	file := filepath.Join(m.client.Dir(), "credentials")
	if err := os.WriteFile(file, []byte("username = root\npassword="+password+"\ndomain = BETA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("a file", "", "", append(here, "--credentials", file), "BETA")
	check("a port", "root", password, []string{"--server", m.server.Addr().String() + ":445"}, "BETA")
	check("another server", "root", password, []string{"--server", m.server.Addr().String() + ":139"}, "messngr: ")
	if err := m.client.Knows(m.server.Addr(), "fs01"); err != nil {
		t.Fatal(err)
	}
	check("a name", "root", password, []string{"--server", "fs01"}, "BETA")

	m.restart("server max protocol = NT1")
	check("SMB 1", "root", password, here, "no file server that speaks SMB 2 or 3", "NET NAME")
	m.restart("server max protocol = SMB2_10", "server smb encrypt = required")
	check("encryption, without SMB 3", "root", password, here, "login refused: access denied", "server max protocol = SMB3_11")
	m.restart("server smb encrypt = required", "server smb3 encryption algorithms = AES-256-GCM")
	check("another cipher", "root", password, here, "encryption")
	m.restart("restrict anonymous = 2")
	check("nobody is let in", "", "", here, "say who you are there")
	m.restart("map to guest = never")
	check("no guests", "who", password, here, "user or password are wrong")
}

// A service finds the server by its NetBIOS name, for who asks it.
func TestRemoteNamesByNetBIOS(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	m.restart()
	m.serve(direct)
	other := labtest.Hosts(t, m.server.Subnet(), "gamma")[0]
	gamma, _ := serve(m.ctx, t, other, "")
	m.ours, m.client = gamma, other
	m.until("the pipe", func() error {
		if out := m.name("root", password, "list", "--server", "beta"); !strings.Contains(out, "BETA") {
			return fmt.Errorf("it printed\n%s", out)
		}
		return nil
	})
}
