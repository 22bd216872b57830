package daemon

import (
	"messngr"
	"messngr/display"
	"messngr/display/command"
	"messngr/display/terminal"
	"messngr/display/tty"
	"messngr/router"
	"messngr/transport"
	"messngr/transport/mailslot"
	"messngr/transport/msgsvc"
	"messngr/transport/pipe"
	"messngr/transport/rwall"
	"messngr/transport/samba"
	"messngr/transport/smbmessage"
)

// transports is the list of ways to carry a message, in the order in which they
// are tried. calls is the network of remote procedure calls, pipes the server of
// pipes that manage host; all are nil where only names and configurations are
// asked for.
func transports(calls msgsvc.Network, pipes pipe.Server, host pipe.Host) []transport.Kind {
	return []transport.Kind{
		smbmessage.Kind(), msgsvc.Kind(calls), mailslot.Kind(), samba.Kind(), pipe.Kind(pipes, host), rwall.Kind(),
	}
}

// displays is the list of ways to show a message.
func displays() []display.Kind {
	return []display.Kind{terminal.Kind(), tty.Kind(), command.Kind()}
}

// powers says what the router may expect of a transport, by its name.
func powers(via string) router.Route {
	switch via {
	case mailslot.Name:
		return router.Route{Via: via, Group: true, Directed: true, Best: messngr.Sent}
	case rwall.Name:
		return router.Route{Via: via, Asked: true, Best: messngr.Accepted}
	default:
		return router.Route{Via: via, Best: messngr.Accepted}
	}
}
