package daemon

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"messngr/control"
)

// greet tells whoever started the service what it is, what it could get, and
// what to try.
func (d *daemon) greet() {
	if d.o.Stdout == nil {
		return
	}
	w := &strings.Builder{}
	fmt.Fprintf(w, "messngr is running as %s in the workgroup %s.\n", d.s.Name, d.s.Workgroup)
	d.greetInterfaces(w)
	d.greetPorts(w)
	here := "go to"
	if d.o.Interactive {
		here = "appear here and in"
	}
	fmt.Fprintf(w, "\nMessages %s the inbox", here)
	if names := d.displayNames(); names != "" {
		fmt.Fprintf(w, "; displays in use: %s", names)
	}
	fmt.Fprintf(w, ".\nState: %s   Socket: %s\n", d.s.State, d.s.Socket)
	d.greetExamples(w)
	_, _ = io.WriteString(d.o.Stdout, w.String())
}

func (d *daemon) greetInterfaces(w io.Writer) {
	chosen, available := d.interfaces()
	if d.moved {
		fmt.Fprintf(w, "The real ports need a privilege that it does not have, so every port number is %d higher.\n", d.s.PortOffset)
	}
	if d.s.isLoopback {
		fmt.Fprintf(w, "It listens on loopback only, because no interface was named.")
		if len(available) > 0 {
			fmt.Fprintf(w, " Others could be reached with --interface:\n")
			for _, i := range available {
				fmt.Fprintf(w, "  --interface %s   (%s)\n", i.Name, i.Prefix)
			}
			fmt.Fprintf(w, "  --interface lan   (all that have a private address)\n")
		} else {
			fmt.Fprintln(w)
		}
		return
	}
	fmt.Fprintf(w, "Interfaces: %s\n", listOf(chosen))
}

func (d *daemon) greetPorts(w io.Writer) {
	fmt.Fprintln(w, "\nPorts:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	hints := make(map[string]bool)
	ports := d.ports()
	for _, p := range ports {
		verdict := "ok"
		if !p.OK {
			verdict = p.Error
			hints[p.Hint] = hints[p.Hint] || p.Hint != ""
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s%s\n", p.Network, p.Address, p.Purpose, verdict, d.grantFor(p))
	}
	_ = table.Flush()
	for hint, say := range hints {
		if say {
			fmt.Fprintf(w, "  %s\n", hint)
		}
	}
	if s := d.besideSamba(ports); s != nil {
		fmt.Fprintf(w, "\nBeside Samba:\n  %s\n", strings.Join(s.State, "\n  "))
		if s.Hint != "" {
			fmt.Fprintf(w, "  %s\n", s.Hint)
		}
	}
}

// grantFor says, port by port, how to get the real one.
func (d *daemon) grantFor(p control.Port) string {
	at, err := netip.ParseAddrPort(p.Address)
	if !d.moved || err != nil {
		return ""
	}
	return fmt.Sprintf("\tfor %d: %s", int(at.Port())-d.s.PortOffset, grant())
}

// program is how to call this program: by its name where the shell finds it, and
// by its path elsewhere.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return "messngr"
	}
	if found, err := exec.LookPath("messngr"); err == nil {
		if found, err = filepath.EvalSymlinks(found); err == nil && found == self {
			return "messngr"
		}
	}
	if dir, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(dir, self); err == nil && !strings.HasPrefix(near, "..") {
			return "./" + near
		}
	}
	return self
}

func (d *daemon) displayNames() string {
	var names []string
	for _, k := range d.displays {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

// greetExamples gives one command to try from here, and one from another
// machine.
func (d *daemon) greetExamples(w io.Writer) {
	chosen, _ := d.interfaces()
	if len(chosen) == 0 {
		return
	}
	flags := ""
	if control.FindSocket("", os.Getenv) != d.s.Socket {
		flags = " --socket " + d.s.Socket
	}
	addr := chosen[0].Addr()
	fmt.Fprintf(w, "\nTry from here:\n  %s send%s %s \"Hello\"\n", program(), flags, d.s.Name)
	if d.s.PortOffset == 0 {
		fmt.Fprintf(w, "From a machine with Samba, or a Windows that still has NET SEND:\n")
		fmt.Fprintf(w, "  echo Hello | smbclient -M %s -I %s\n  net send %s Hello\n", d.s.Name, addr, d.s.Name)
		return
	}
	fmt.Fprintf(w, "With Samba's client, as a machine elsewhere would:\n")
	fmt.Fprintf(w, "  echo Hello | smbclient -p %d -M %s -I %s\n", 139+d.s.PortOffset, d.s.Name, addr)
}
