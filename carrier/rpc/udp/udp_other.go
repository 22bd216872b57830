//go:build !linux

package udp

import (
	"net/netip"
	"syscall"
)

// reportErrors does nothing where nothing can be known of datagrams that got lost.
func reportErrors(_, _ string, _ syscall.RawConn) error { return nil }

// Lost knows of no lost datagrams: whether one arrived is uncertain.
func Lost(Conn, netip.AddrPort) int { return 0 }
