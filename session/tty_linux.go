package session

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lastInput is when something was last typed on a terminal: reading sets its
// access time, as write(1) and w(1) know.
func lastInput(tty string) time.Time {
	var st unix.Stat_t
	if tty == "" || unix.Stat("/dev/"+tty, &st) != nil {
		return time.Time{}
	}
	return time.Unix(st.Atim.Unix())
}

// maxFamily is how many processes of a session are asked for their terminal.
const maxFamily = 64

// terminalOf returns the terminal of a session by its first process, or that
// of the nearest descendant that has one: sshd opens the session before it
// opens the terminal, so that logind does not always know it.
func terminalOf(proc string, leader int) string {
	family := []int{leader}
	for i := 0; i < len(family) && i < maxFamily; i++ {
		dir := proc + "/" + strconv.Itoa(family[i])
		if stat, err := os.ReadFile(dir + "/stat"); err == nil {
			if tty := terminalInStat(stat); tty != "" {
				return tty
			}
		}
		children, _ := os.ReadFile(dir + "/task/" + strconv.Itoa(family[i]) + "/children")
		for child := range strings.FieldsSeq(string(children)) {
			if pid, err := strconv.Atoi(child); err == nil {
				family = append(family, pid)
			}
		}
	}
	return ""
}

// terminalInStat reads the field tty_nr of /proc/PID/stat: proc_pid_stat(5).
func terminalInStat(stat []byte) string {
	// The name of the command may contain anything, also blanks and brackets.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 5 {
		return ""
	}
	device, err := strconv.ParseInt(string(fields[4]), 10, 32)
	if err != nil {
		return ""
	}
	major, minor := unix.Major(uint64(uint32(device))), unix.Minor(uint64(uint32(device)))
	switch {
	case major == 4 && minor >= 64:
		return fmt.Sprintf("ttyS%d", minor-64)
	case major == 4 && minor > 0:
		return fmt.Sprintf("tty%d", minor)
	case 136 <= major && major <= 143:
		return fmt.Sprintf("pts/%d", (major-136)<<8|minor)
	}
	return ""
}
