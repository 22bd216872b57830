package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Samba lists who has a session open with the Samba server on this host, by
// asking smbstatus(1). Samba lets only root ask.
type Samba struct {
	// Command is the program and its first arguments, such as
	// {"smbstatus", "-s", "/etc/samba/other.conf"}; nil for {"smbstatus"}.
	// No shell sees it.
	Command []string
}

const (
	sambaTimeout   = 10 * time.Second
	maxSambaOutput = 16 << 20
)

// Sessions implements Lister. Remote is the client's IP address.
func (s Samba) Sessions(ctx context.Context) ([]Session, error) {
	out, err := s.run(ctx, "--json", "-p")
	if err == nil {
		return parseSambaJSON(out)
	}
	if out, oldErr := s.run(ctx, "-p"); oldErr == nil { // Samba before 4.17 has no --json
		return parseSambaText(out), nil
	}
	return nil, err
}

func (s Samba) run(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, sambaTimeout)
	defer cancel()
	argv := append(slices.Clone(s.Command), args...)
	if len(s.Command) == 0 {
		argv = append([]string{"smbstatus"}, args...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	var out, complaint limited
	cmd.Stdout, cmd.Stderr = &out, &complaint
	switch err := cmd.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("session: %s: %w", argv[0], fs.ErrNotExist)
	case err != nil:
		line, _, _ := strings.Cut(complaint.kept.String(), "\n")
		return nil, fmt.Errorf("session: %s: %w: %q", argv[0], err, line)
	case out.overflown:
		return nil, fmt.Errorf("session: %s: output is longer than %d bytes", argv[0], maxSambaOutput)
	}
	return out.kept.Bytes(), nil
}

// limited is a buffer that takes no more than maxSambaOutput bytes. It does not
// embed the buffer, whose ReadFrom would know no limit.
type limited struct {
	kept      bytes.Buffer
	overflown bool
}

func (l *limited) Write(b []byte) (int, error) {
	if l.kept.Len()+len(b) > maxSambaOutput {
		l.overflown = true
		return len(b), nil
	}
	return l.kept.Write(b)
}

func parseSambaJSON(b []byte) ([]Session, error) {
	var status struct {
		Sessions map[string]struct {
			UID      *int   `json:"uid"`
			Username string `json:"username"`
			Hostname string `json:"hostname"`
		} `json:"sessions"`
	}
	if err := json.Unmarshal(b, &status); err != nil {
		return nil, fmt.Errorf("session: smbstatus: %w", err)
	}
	var sessions []Session
	for _, id := range slices.Sorted(maps.Keys(status.Sessions)) {
		s := status.Sessions[id]
		remote, ok := sambaAddress(s.Hostname)
		if user := printable(s.Username); ok && user != "" {
			uid := -1
			if s.UID != nil {
				uid = *s.UID
			}
			sessions = append(sessions, Session{ID: printable(id), User: user, UID: uid, Remote: remote})
		}
	}
	return sessions, nil
}

// parseSambaText reads the table of an older smbstatus, whose columns are
// PID, user, group, machine and the address in brackets.
func parseSambaText(b []byte) []Session {
	row := regexp.MustCompile(`^(\d+)\s+(\S+)\s.*\((ipv[46]:\S+)\)`)
	var sessions []Session
	for line := range bytes.Lines(b) {
		m := row.FindSubmatch(line)
		if m == nil {
			continue
		}
		remote, ok := sambaAddress(string(m[3]))
		if user := printable(string(m[2])); ok && user != "" {
			sessions = append(sessions, Session{ID: string(m[1]), User: user, UID: -1, Remote: remote})
		}
	}
	return sessions
}

// sambaAddress reads "ipv4:10.0.0.7:59644" and "ipv6:fe80::1:59644".
func sambaAddress(s string) (string, bool) {
	_, s, _ = strings.Cut(s, ":")
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		s = s[:i]
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return "", false
	}
	return addr.Unmap().String(), true
}
