package nbt

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A linkWatch hears from the kernel about changes of links and IPv4 addresses
// (rtnetlink(7)).
type linkWatch struct {
	conn *netlink.Conn
	// runs says of each link that was heard of, by index, whether it works.
	runs map[uint32]bool
}

func openLinkWatch() (*linkWatch, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR})
	if err != nil {
		return nil, err
	}
	return &linkWatch{conn: conn, runs: make(map[uint32]bool)}, nil
}

// run tells changes until ctx ends. If they come faster than they are read, some are
// lost, which is one more change.
func (w *linkWatch) run(ctx context.Context, changes chan<- linkChange) error {
	stop := context.AfterFunc(ctx, func() { w.conn.Close() })
	defer stop()
	for {
		messages, err := w.conn.Receive()
		change := linkChange{}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			change.back = true
		case err != nil:
			w.conn.Close()
			return err
		}
		for _, m := range messages {
			if m.Header.Type == unix.RTM_NEWLINK && w.back(m.Data) {
				change.back = true
			}
		}
		select {
		case changes <- change:
		case <-ctx.Done():
			return nil
		}
	}
}

// back reports whether the link that an ifinfomsg is about works again.
func (w *linkWatch) back(b []byte) bool {
	if len(b) < unix.SizeofIfInfomsg {
		return false
	}
	index, flags := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:])
	runs := flags&unix.IFF_RUNNING != 0
	before, known := w.runs[index]
	w.runs[index] = runs
	return known && runs && !before
}
