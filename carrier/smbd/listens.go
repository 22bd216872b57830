package smbd

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// listens reports whether some program takes TCP connections on the port, at whatever
// address (proc(5), /proc/net/tcp). It asks nobody and opens nothing.
func listens(port uint16) bool {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		found := hasListener(bufio.NewScanner(f), port)
		f.Close()
		if found {
			return true
		}
	}
	return false
}

func hasListener(lines *bufio.Scanner, port uint16) bool {
	const stateListen = "0A"
	suffix := fmt.Sprintf(":%04X", port)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) > 3 && strings.HasSuffix(f[1], suffix) && f[3] == stateListen {
			return true
		}
	}
	return false
}
