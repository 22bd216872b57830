// Package greeting is what the service says to whoever starts it: what it is, what
// it could get, and what to try.
package greeting

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"messngr/control"
)

// Start is how the service was started.
type Start struct {
	// Terminal says that arriving messages are shown where the greeting is.
	Terminal bool
	// Loopback says that no interface was named.
	Loopback bool
	// Moved says that the port numbers were raised for want of privileges.
	Moved bool
	// Socket is the socket as a command has to name it; "" if it finds it.
	Socket string
}

// Text greets with what the service says of itself.
func Text(st *control.Status, start Start) string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "messngr is running as %s in the workgroup %s.\n", st.Name, st.Workgroup)
	interfaces(w, st, start)
	ports(w, st, start)
	here := "go to"
	if start.Terminal {
		here = "appear here and in"
	}
	fmt.Fprintf(w, "\nMessages %s the inbox", here)
	if len(st.Displays) > 0 {
		var names []string
		for _, p := range st.Displays {
			names = append(names, p.Name)
		}
		fmt.Fprintf(w, "; displays in use: %s", strings.Join(names, ", "))
	}
	fmt.Fprintf(w, ".\nState: %s   Socket: %s\n", st.StateDir, st.Socket)
	examples(w, st, start)
	return w.String()
}

func interfaces(w io.Writer, st *control.Status, start Start) {
	if start.Moved {
		fmt.Fprintf(w, "The real ports need a privilege that it does not have, so every port number is %d higher.\n", st.PortOffset)
	}
	if !start.Loopback {
		var list []string
		for _, i := range st.Interfaces {
			list = append(list, fmt.Sprintf("%s (%s)", i.Name, i.Prefix))
		}
		fmt.Fprintf(w, "Interfaces: %s\n", strings.Join(list, ", "))
		return
	}
	fmt.Fprintf(w, "It listens on loopback only, because no interface was named.")
	if len(st.Available) == 0 {
		fmt.Fprintln(w)
		return
	}
	fmt.Fprintf(w, " Others could be reached with --interface:\n")
	for _, i := range st.Available {
		fmt.Fprintf(w, "  --interface %s   (%s)\n", i.Name, i.Prefix)
	}
	fmt.Fprintf(w, "  --interface lan   (all that have a private address)\n")
}

func ports(w io.Writer, st *control.Status, start Start) {
	fmt.Fprintln(w, "\nPorts:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var hints []string
	for _, p := range st.Ports {
		verdict := "ok"
		if !p.OK {
			verdict = p.Error
		}
		if p.Hint != "" && !slices.Contains(hints, p.Hint) {
			hints = append(hints, p.Hint)
		}
		at, err := netip.ParseAddrPort(p.Address)
		if start.Moved && err == nil {
			verdict += fmt.Sprintf("\tfor %d: %s", int(at.Port())-st.PortOffset, Grant())
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", p.Network, p.Address, p.Purpose, verdict)
	}
	_ = table.Flush()
	for _, hint := range hints {
		fmt.Fprintf(w, "  %s\n", hint)
	}
	if s := st.Samba; s != nil {
		fmt.Fprintf(w, "\nBeside Samba:\n  %s\n", strings.Join(s.State, "\n  "))
		if s.Hint != "" {
			fmt.Fprintf(w, "  %s\n", s.Hint)
		}
	}
}

// examples gives one command to try from here, and one from another machine.
func examples(w io.Writer, st *control.Status, start Start) {
	if len(st.Interfaces) == 0 {
		return
	}
	flags := ""
	if start.Socket != "" {
		flags = " --socket " + start.Socket
	}
	addr, _, _ := strings.Cut(st.Interfaces[0].Prefix, "/")
	fmt.Fprintf(w, "\nTry from here:\n  %s send%s %s \"Hello\"\n", program(), flags, st.Name)
	port := ""
	if st.PortOffset != 0 {
		port = fmt.Sprintf("-p %d ", 139+st.PortOffset)
	}
	// No machine elsewhere reaches loopback, and no Windows another port.
	elsewhere := !start.Loopback && st.PortOffset == 0
	if elsewhere {
		fmt.Fprintf(w, "From a machine with Samba, or a Windows that still has NET SEND:\n")
	} else {
		fmt.Fprintf(w, "With Samba's client, as a machine elsewhere would:\n")
	}
	fmt.Fprintf(w, "  echo Hello | smbclient %s-M %s -I %s\n", port, st.Name, addr)
	if elsewhere {
		fmt.Fprintf(w, "  net send %s Hello\n", st.Name)
	}
}

// Grant is the command that gives this program the right to open the real ports. It
// names the file, which setcap does not look for.
func Grant() string {
	self, err := os.Executable()
	if err != nil {
		self = "/path/to/messngr"
	}
	return "sudo setcap cap_net_bind_service=+ep " + self
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
