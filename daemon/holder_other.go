//go:build !linux

package daemon

import "net/netip"

// holder would find the process that has a port; this system does not tell.
func holder(string, netip.AddrPort) string { return "" }
