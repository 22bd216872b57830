package greeting_test

import (
	"os"
	"strings"
	"testing"

	"messngr/control"
	"messngr/daemon/greeting"
)

func status() *control.Status {
	return &control.Status{
		Name: "PC17", Workgroup: "OFFICE", StateDir: "/var/lib/messngr", Socket: "/run/messngr/messngr.sock",
		Interfaces: []control.Interface{{Name: "lo", Prefix: "127.0.0.1/8"}},
		Available:  []control.Interface{{Name: "eth0", Prefix: "10.0.0.17/24"}},
		Ports: []control.Port{
			{Network: "udp", Address: "127.0.0.1:137", Purpose: "name service", OK: true},
			{Network: "tcp", Address: "127.0.0.1:139", Purpose: "session service", Error: "in use by smbd (pid 7)", Hint: "see doc/samba.md"},
		},
		Displays: []control.Part{{Name: "terminal"}, {Name: "tty"}},
	}
}

// program is how a greeting calls the program that runs here.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

func TestText(t *testing.T) {
	want := `messngr is running as PC17 in the workgroup OFFICE.
It listens on loopback only, because no interface was named. Others could be reached with --interface:
  --interface eth0   (10.0.0.17/24)
  --interface lan   (all that have a private address)

Ports:
  udp  127.0.0.1:137  name service     ok
  tcp  127.0.0.1:139  session service  in use by smbd (pid 7)
  see doc/samba.md

Messages appear here and in the inbox; displays in use: terminal, tty.
State: /var/lib/messngr   Socket: /run/messngr/messngr.sock

Try from here:
  PROGRAM send PC17 "Hello"
With Samba's client, as a machine elsewhere would:
  echo Hello | smbclient -M PC17 -I 127.0.0.1
`
	got := greeting.Text(status(), greeting.Start{Terminal: true, Loopback: true})
	if got = strings.ReplaceAll(got, program(t), "PROGRAM"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTextWithoutPrivileges(t *testing.T) {
	st := status()
	st.PortOffset, st.Available, st.Ports = 10000, nil, st.Ports[:1]
	st.Ports[0].Address = "127.0.0.1:10137"
	got := greeting.Text(st, greeting.Start{Loopback: true, Moved: true, Socket: "/tmp/s"})
	for _, want := range []string{
		"so every port number is 10000 higher.\n",
		"because no interface was named.\n",
		"ok  for 137: sudo setcap cap_net_bind_service=+ep " + program(t) + "\n",
		"Messages go to the inbox; displays",
		" send --socket /tmp/s PC17 \"Hello\"\n",
		"  echo Hello | smbclient -p 10139 -M PC17 -I 127.0.0.1\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant it to have %q", got, want)
		}
	}
}

func TestTextBesideSamba(t *testing.T) {
	st := status()
	st.Samba = &control.Samba{State: []string{"smbd has TCP port 139"}, Hint: "put 'smb ports = 445' into smb.conf"}
	got := greeting.Text(st, greeting.Start{})
	for _, want := range []string{"Interfaces: lo (127.0.0.1/8)\n", "\n  net send PC17 Hello\n", "\nBeside Samba:\n  smbd has TCP port 139\n  put 'smb ports = 445' into smb.conf\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant it to have %q", got, want)
		}
	}
}
