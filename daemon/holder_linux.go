package daemon

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// holder finds the process that has a port, such as "nmbd (pid 812)"; "" if it
// cannot be found out (proc(5), /proc/net/tcp).
func holder(network string, addr netip.AddrPort) string {
	inode := socketInode("/proc/net/"+network, addr)
	if inode == "" {
		return ""
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == "socket:["+inode+"]" {
			dir := filepath.Dir(filepath.Dir(link))
			comm, err := os.ReadFile(filepath.Join(dir, "comm"))
			if err != nil {
				continue
			}
			return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(comm)), filepath.Base(dir))
		}
	}
	return ""
}

// socketInode finds the socket that is bound to the address, or to its port on
// all addresses.
func socketInode(table string, addr netip.AddrPort) string {
	file, err := os.Open(table)
	if err != nil {
		return ""
	}
	defer file.Close()
	ip := addr.Addr().As4()
	want := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], addr.Port())
	any := fmt.Sprintf("00000000:%04X", addr.Port())
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && (fields[1] == want || fields[1] == any) {
			return fields[9]
		}
	}
	return ""
}
