package rpc

import (
	"log/slog"
	"net/netip"

	"messngr/wire/dcerpc"
)

// mail is what is to be sent when mu is free again.
type mail struct {
	items []item
	first [1]item // most often there is one
}

type item struct {
	socket *socket
	to     netip.AddrPort
	d      dcerpc.Datagram
}

func (m *mail) add(socket *socket, to netip.AddrPort, d dcerpc.Datagram) {
	if m.items == nil {
		m.items = m.first[:0]
	}
	m.items = append(m.items, item{socket, to, d})
}

func (m *mail) send(log *slog.Logger) {
	var b []byte
	for i := range m.items {
		it := &m.items[i]
		var err error
		if b, err = it.d.Append(b[:0]); err == nil {
			_, err = it.socket.conn.WriteToUDPAddrPort(b, it.to)
		}
		if err != nil {
			log.Debug("packet not sent", "type", it.d.Type, "to", it.to, "err", err)
		}
	}
}
