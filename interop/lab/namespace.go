//go:build linux

package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespace is a set of namespaces of all kinds that a host needs, held by the first process in them.
type namespace struct {
	first  *exec.Cmd
	pid    int
	hold   io.Closer // the first process ends when this is closed
	handle map[string]*os.File
}

// entering lists the namespaces in the order in which a thread joins them: the mount namespace last, since its /proc
// shows no process from outside.
var entering = [...]struct {
	name string
	flag int
}{{"net", unix.CLONE_NEWNET}, {"uts", unix.CLONE_NEWUTS}, {"ipc", unix.CLONE_NEWIPC}, {"pid", unix.CLONE_NEWPID}, {"mnt", unix.CLONE_NEWNS}}

// setup runs as the first process: it says "ready" when the host is, then sleeps until its input ends.
const setup = `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind "$1/hosts" /etc/hosts
if [ -e /etc/resolv.conf ]; then # before /run: it may be a link that leads there
	mount --bind "$1/resolv.conf" /etc/resolv.conf
fi
mount --bind "$1/run" /run
mount --bind "$1/lib" /var/lib
mount --bind "$1/spool" /var/spool
echo "$0" >/proc/sys/kernel/hostname
rm -rf /run/mount # notes of the mounts above
ip link set lo up
echo ready
read -r end || true
`

func newNamespace(name, dir string) (*namespace, error) {
	for _, d := range []string{"run", "lib", "spool"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	// Without a name server a resolver asks this host itself and is refused at once.
	for file, text := range map[string]string{"resolv.conf": "", "hosts": "127.0.0.1 localhost\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("/bin/sh", "-c", setup, name, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		Setpgid:    true, // a ^C at the terminal is ours to handle
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ns := &namespace{first: cmd, pid: cmd.Process.Pid, hold: stdin, handle: make(map[string]*os.File)}
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		err := ns.close()
		return nil, fmt.Errorf("namespace: %w: %s", err, stderr.String())
	}
	for _, e := range entering {
		f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", ns.pid, e.name))
		if err != nil {
			ns.close()
			return nil, err
		}
		ns.handle[e.name] = f
	}
	return ns, nil
}

func (ns *namespace) pidString() string { return strconv.Itoa(ns.pid) }

// close ends the first process; the kernel then kills all others of its PID namespace.
func (ns *namespace) close() error {
	for _, f := range ns.handle {
		f.Close()
	}
	ns.hold.Close()
	ns.first.Process.Kill()
	ns.first.Wait() // always "signal: killed"
	return nil
}

// do runs f on a thread whose sockets belong to the namespace; sockets opened by f may be used anywhere afterwards.
func (ns *namespace) do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(ns.handle["net"].Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("setns: %w", err)
		}
		return f()
	})
}

// start starts cmd inside the namespace. The process is this one's child and has its outside number.
func (ns *namespace) start(cmd *exec.Cmd) error {
	return onThread(func() error {
		// The kernel refuses a new mount namespace to a thread that shares its working directory with others.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		for _, e := range entering {
			if err := unix.Setns(int(ns.handle[e.name].Fd()), e.flag); err != nil {
				return fmt.Errorf("setns %s: %w", e.name, err)
			}
		}
		return cmd.Start()
	})
}

// onThread runs f on a thread that is never used again: what f does to it cannot be undone.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and no unlock: the thread ends with the goroutine
		result <- f()
	}()
	return <-result
}

func (ns *namespace) ip(args ...string) error { return ns.run("ip", args...) }

func (ns *namespace) run(name string, args ...string) error {
	return said(exec.Command(name, args...), func(cmd *exec.Cmd) ([]byte, error) {
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := ns.start(cmd); err != nil {
			return nil, err
		}
		err := cmd.Wait()
		return out.Bytes(), err
	})
}
