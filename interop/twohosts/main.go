//go:build linux

// Twohosts puts two hosts with messngr on a network of their own and lets one play with them: `make lab`.
//
// It runs as root on Linux. The commands alpha and beta, which it adds to the PATH, run a command on one of the hosts.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"messngr/interop/lab"
	"messngr/interop/program"
)

const welcome = `Two hosts, %s, with messngr on both. Nothing that you do here leaves them.

Try:
  alpha messngr send BETA "Hello from here"
  beta messngr inbox
  beta messngr watch                            shows what arrives (^C ends it)
  alpha messngr net send beta "The old way"
  beta messngr reply "Heard you"
  alpha messngr status
  alpha tcpdump -n -i eth0                      what passes on the wire
  alpha                                         a shell on that host

exit (or ^D) takes the hosts down.
`

func main() {
	binary := flag.String("messngr", "bin/messngr", "the program")
	command := flag.String("c", "", "run this shell command, and nothing interactive")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	code, err := play(ctx, *binary, *command)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		code = 1
	}
	os.Exit(code)
}

// play returns the exit code of the shell.
func play(ctx context.Context, binary, command string) (int, error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("namespaces need root: sudo make lab")
	}
	dir, err := os.MkdirTemp("", "messngr-lab-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	l, err := lab.New(filepath.Join(dir, "hosts"))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	lan, err := l.Subnet(netip.MustParsePrefix("10.77.0.0/24"))
	if err != nil {
		return 0, err
	}
	programs, err := filepath.Abs(filepath.Dir(binary))
	if err != nil {
		return 0, err
	}
	entries := filepath.Join(dir, "bin")
	if err := os.Mkdir(entries, 0o755); err != nil {
		return 0, err
	}
	var who []string
	for _, name := range []string{"alpha", "beta"} {
		h, err := add(ctx, lan, name, binary, entries)
		if err != nil {
			return 0, err
		}
		who = append(who, fmt.Sprintf("%s (%v)", strings.ToUpper(name), h.Addr()))
	}
	if command == "" {
		fmt.Printf(welcome, strings.Join(who, " and "))
	}
	return shell(ctx, strings.Join([]string{entries, programs, os.Getenv("PATH")}, ":"), command)
}

// add puts a host on the network, with the service running, and a command of its name that enters it.
func add(ctx context.Context, lan *lab.Subnet, name, binary, entries string) (*lab.Host, error) {
	h, err := lan.Host(name)
	if err != nil {
		return nil, err
	}
	p, err := program.New(h, binary)
	if err != nil {
		return nil, err
	}
	if _, err := p.Serve(ctx, ""); err != nil {
		return nil, err
	}
	if err := p.Registered(ctx); err != nil {
		return nil, err
	}
	const enter = "#!/bin/sh\n[ $# -gt 0 ] || set -- \"${SHELL:-/bin/sh}\"\n" +
		"exec nsenter --target %d --net --uts --ipc --pid --mount -- \"$@\"\n"
	return h, os.WriteFile(filepath.Join(entries, name), fmt.Appendf(nil, enter, h.PID()), 0o755)
}

// shell runs the command, or else what the person types.
func shell(ctx context.Context, path, command string) (int, error) {
	args := []string{"-i"}
	if command != "" {
		args = []string{"-c", command}
	}
	cmd := exec.CommandContext(ctx, cmp.Or(os.Getenv("SHELL"), "/bin/sh"), args...)
	cmd.Env = append(os.Environ(), "PATH="+path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// ^C at the terminal is for the shell, and what runs in it, alone.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}
