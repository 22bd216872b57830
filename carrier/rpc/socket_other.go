//go:build !linux

package rpc

import (
	"net/netip"
	"syscall"
)

// reportErrors does nothing where nothing can be known of datagrams that got lost.
func reportErrors(_, _ string, _ syscall.RawConn) error { return nil }

// lostOn knows of no lost datagrams: whether one arrived is uncertain.
func lostOn(packetConn, netip.AddrPort) int { return 0 }
