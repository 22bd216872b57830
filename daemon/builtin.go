package daemon

import (
	"messngr"
	"messngr/display"
	"messngr/display/command"
	"messngr/display/terminal"
	"messngr/display/tty"
	"messngr/transport"
	"messngr/transport/mailslot"
	"messngr/transport/msgsvc"
	"messngr/transport/samba"
	"messngr/transport/smbmessage"
)

// transports is the list of ways to carry a message, in the order in which they
// are tried. calls is the network of remote procedure calls; nil where only their
// names and configurations are asked for.
func transports(calls msgsvc.Network) []transport.Kind {
	return []transport.Kind{smbmessage.Kind(), msgsvc.Kind(calls), mailslot.Kind(), samba.Kind()}
}

// displays is the list of ways to show a message.
func displays() []display.Kind {
	return []display.Kind{terminal.Kind(), tty.Kind(), command.Kind()}
}

// powers says what the router may expect of a transport, by its name.
func powers(via string) (group, directed, rich bool, best messngr.State) {
	switch via {
	case "mailslot":
		return true, true, false, messngr.Sent
	default:
		return false, false, false, messngr.Accepted
	}
}
