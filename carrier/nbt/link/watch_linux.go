package link

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Watch hears from the kernel about changes of links and IPv4 addresses
// (rtnetlink(7)).
type Watch struct {
	conn *netlink.Conn
	// runs says of each link that was heard of, by index, whether it works.
	runs map[uint32]bool
}

// OpenWatch begins to listen to the kernel.
func OpenWatch() (*Watch, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR})
	if err != nil {
		return nil, err
	}
	return &Watch{conn: conn, runs: make(map[uint32]bool)}, nil
}

// Run tells changes until ctx ends. If they come faster than they are read, some are
// lost, which is one more change.
func (w *Watch) Run(ctx context.Context, changes chan<- Change) error {
	stop := context.AfterFunc(ctx, func() { w.conn.Close() })
	defer stop()
	for {
		messages, err := w.conn.Receive()
		change := Change{}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			change.Back = true
		case err != nil:
			w.conn.Close()
			return err
		}
		for _, m := range messages {
			switch m.Header.Type {
			case unix.RTM_NEWLINK:
				change.Back = change.Back || w.back(m.Data)
			case unix.RTM_DELLINK:
				w.forget(m.Data)
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
func (w *Watch) back(b []byte) bool {
	if len(b) < unix.SizeofIfInfomsg {
		return false
	}
	index, flags := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:])
	runs := flags&unix.IFF_RUNNING != 0
	before, known := w.runs[index]
	w.runs[index] = runs
	return known && runs && !before
}

// forget drops what is known of the link that an ifinfomsg is about: where containers come
// and go, there is a new index every time. A port that only leaves its bridge is a link still.
func (w *Watch) forget(b []byte) {
	if len(b) >= unix.SizeofIfInfomsg && b[0] == unix.AF_UNSPEC {
		delete(w.runs, binary.NativeEndian.Uint32(b[4:]))
	}
}
