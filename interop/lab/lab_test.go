//go:build linux

package lab_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
)

func TestHostsHearEachOther(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 30*time.Second)
	l := labtest.New(t, "tcpdump", "tshark")
	lan := labtest.Subnet(t, l, "10.77.0.0/24")
	hosts := labtest.Hosts(t, lan, "alpha", "beta")
	alpha, beta := hosts[0], hosts[1]

	capture, err := beta.Capture(ctx, "eth0")
	if err != nil {
		t.Fatal(err)
	}
	var conn net.PacketConn
	if err := beta.Do(func() error {
		conn, err = net.ListenPacket("udp4", ":9")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	for _, to := range []string{beta.Addr().String(), lan.Broadcast().String(), "255.255.255.255"} {
		out, err := alpha.Dial(ctx, "udp4", to+":9")
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if _, err := out.Write([]byte(to)); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 64)
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			t.Fatalf("sent to %s: %v", to, err)
		}
		if got := string(buf[:n]); got != to || !strings.HasPrefix(from.String(), "10.77.0.1:") {
			t.Errorf("got %q from %v, want %q from 10.77.0.1", got, from, to)
		}
	}

	if err := capture.Stop(); err != nil {
		t.Fatal(err)
	}
	rows, err := capture.Frames(ctx, "udp.dstport == 9", "ip.dst")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Errorf("captured %v, want 3 datagrams", rows)
	}
}

// A capture must call a broken frame broken, and name only those of the host that sent it.
func TestComplaints(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 30*time.Second)
	l := labtest.New(t, "tcpdump", "tshark")
	hosts := labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), "alpha", "beta")
	var captures []*lab.Capture
	for _, h := range hosts {
		c, err := h.Capture(ctx, "eth0")
		if err != nil {
			t.Fatal(err)
		}
		captures = append(captures, c)
	}
	conn, err := hosts[0].Dial(ctx, "udp4", "10.77.0.2:137")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A name query that announces a question and holds none.
	if _, err := conn.Write([]byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 0} {
		if err := captures[i].Stop(); err != nil {
			t.Fatal(err)
		}
		got, err := captures[i].Complaints(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != want {
			t.Errorf("host %s: complaints %v, want %d", hosts[i].Name(), got, want)
		}
	}
}

func TestRouter(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 30*time.Second)
	l := labtest.New(t, "ping")
	near, far := labtest.Subnet(t, l, "10.77.0.0/24"), labtest.Subnet(t, l, "10.78.0.0/24")
	alpha := labtest.Hosts(t, near, "alpha")[0]
	labtest.Hosts(t, far, "omega")
	if _, _, err := alpha.Output(ctx, "ping", "-c1", "-W1", "10.78.0.1"); err == nil {
		t.Error("the subnets are connected without a router")
	}
	if _, err := l.Router(near, far); err != nil {
		t.Fatal(err)
	}
	if out, _, err := alpha.Output(ctx, "ping", "-c1", "-W5", "10.78.0.1"); err != nil {
		t.Errorf("through the router: %v: %s", err, out)
	}
}

func TestHostIsItsOwn(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 30*time.Second)
	l := labtest.New(t)
	alpha := labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), "alpha")[0]
	for _, test := range []struct{ script, want string }{
		{"cat /proc/sys/kernel/hostname", "alpha\n"},
		{"ls /run /var/lib /var/spool", "/run:\n\n/var/lib:\n\n/var/spool:\n"},
		{"cat /proc/1/comm", "sh\n"},
		{"ip -o link | wc -l", "2\n"},
	} {
		out, stderr, err := alpha.Output(ctx, "sh", "-c", test.script)
		if err != nil || out != test.want {
			t.Errorf("%s: got %q, %v, %q, want %q", test.script, out, err, stderr, test.want)
		}
	}
	if err := alpha.Knows(alpha.Addr(), "alpha.example"); err != nil {
		t.Fatal(err)
	}
	if out, _, err := alpha.Output(ctx, "getent", "hosts", "alpha.example"); err != nil || !strings.HasPrefix(out, "10.77.0.1") {
		t.Errorf("alpha.example: got %q, %v", out, err)
	}
}

// Whatever runs in a lab ends with it, daemons that left their parent included.
func TestCloseEndsAll(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "setsid")
	l, err := lab.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx := labtest.Context(t, 30*time.Second)
	alpha := labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), "alpha")[0]
	if _, _, err := alpha.Output(ctx, "sh", "-c", "setsid -f sleep 4711 >/dev/null 2>&1"); err != nil {
		t.Fatal(err)
	}
	stuck, err := alpha.Daemon("stuck", exec.Command("sh", "-c", "trap '' TERM; echo up; sleep 4712; sleep 4712"))
	if err != nil {
		t.Fatal(err)
	}
	if err := stuck.WaitLog(ctx, "up"); err != nil {
		t.Fatal(err)
	}
	within := namespaceOf(t, alpha.PID())
	if got := processesIn(t, within); got < 3 {
		t.Fatalf("%d processes in the host, want the first, the sleeper and the stuck one", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := lab.Until(ctx, func() error {
		if n := processesIn(t, within); n > 0 {
			return fmt.Errorf("%d processes are left", n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func namespaceOf(t *testing.T, pid int) string {
	t.Helper()
	ns, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns/net"))
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func processesIn(t *testing.T, namespace string) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if ns, err := os.Readlink(path); err == nil && ns == namespace {
			n++
		}
	}
	return n
}
