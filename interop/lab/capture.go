//go:build linux

package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Capture is a recording of what passes a host's eth0.
type Capture struct {
	host   *Host
	file   string
	daemon *Daemon
}

// Capture starts a recording in the host's folder and returns when it records. It must be stopped before it is read.
func (h *Host) Capture(ctx context.Context, name string) (*Capture, error) {
	file := filepath.Join(h.dir, name+".pcap")
	daemon, err := h.Daemon(name+".tcpdump", exec.Command("tcpdump",
		"-i", "eth0", "-n", "-s", "0", "-U", "--immediate-mode", "-B", "8192", "-Z", "root", "-w", file))
	if err != nil {
		return nil, err
	}
	if err := daemon.WaitLog(ctx, "listening on eth0"); err != nil {
		return nil, fmt.Errorf("lab: host %s: tcpdump: %w", h.name, err)
	}
	return &Capture{host: h, file: file, daemon: daemon}, nil
}

// File is the recording's path.
func (c *Capture) File() string { return c.file }

// settle is how long the kernel may take to hand the last frames to tcpdump.
const settle = 200 * time.Millisecond

// Stop ends the recording.
func (c *Capture) Stop() error {
	time.Sleep(settle)
	c.daemon.cmd.Process.Signal(syscall.SIGINT)
	return c.daemon.Stop()
}

// Frames has tshark print the given fields of each frame that matches its display filter, a row per frame. A field that
// occurs several times in a frame has its values separated by commas.
func (c *Capture) Frames(ctx context.Context, filter string, fields ...string) ([][]string, error) {
	args := []string{"-n", "-r", c.file, "-Y", filter, "-T", "fields"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.CommandContext(ctx, "tshark", args...)
	cmd.Env = append(os.Environ(), "HOME="+c.host.dir) // no personal settings, and none written
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w: %s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows, nil
}

// Complaint is what tshark finds wrong with one frame.
type Complaint struct {
	Frame     string // its number
	Protocols string // outside in, separated by colons
	Text      string
}

// Complaints lists the frames sent by the captured host itself that tshark calls malformed, or warns of. Remarks about a
// TCP connection's course (a reset, a retransmission) are left out: they are no fault of any frame's bytes. So are encrypted
// messages of SMB 3, in which tshark guesses at what it cannot read.
func (c *Capture) Complaints(ctx context.Context) ([]Complaint, error) {
	mac, err := c.host.mac()
	if err != nil {
		return nil, err
	}
	const faulty = "(_ws.malformed || (_ws.expert.severity >= warning && !(_ws.expert.group == sequence))) && !smb2.header.transform.flags.encrypted"
	rows, err := c.Frames(ctx, "eth.src == "+mac+" && ("+faulty+")", "frame.number", "frame.protocols", "_ws.expert.message")
	if err != nil {
		return nil, err
	}
	var found []Complaint
	for _, r := range rows {
		found = append(found, Complaint{Frame: r[0], Protocols: r[1], Text: r[2]})
	}
	return found, nil
}

// Sent counts the frames that the captured host itself sent and that match the filter.
func (c *Capture) Sent(ctx context.Context, filter string) (int, error) {
	mac, err := c.host.mac()
	if err != nil {
		return 0, err
	}
	rows, err := c.Frames(ctx, "eth.src == "+mac+" && ("+filter+")", "frame.number")
	return len(rows), err
}

func (h *Host) mac() (mac string, err error) {
	err = h.Do(func() error {
		eth0, err := net.InterfaceByName("eth0")
		if err != nil {
			return fmt.Errorf("lab: host %s: %w", h.name, err)
		}
		mac = eth0.HardwareAddr.String()
		return nil
	})
	return mac, err
}
