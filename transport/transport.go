// Package transport is the family of ways to carry a message: what a transport
// tells about itself, and what it is given when it is made.
package transport

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"messngr/carrier"
	"messngr/wire/oem"
)

// Kind describes one transport. What New returns is a messngr.Receiver, a
// messngr.Sender, or both.
type Kind struct {
	// Name is what `via` and --via say, such as "smb".
	Name string
	// Summary is one line for people.
	Summary string
	// Config returns a pointer to the transport's own section of the
	// configuration with the defaults filled in; nil if it has none.
	Config func() any
	// New makes the transport; config is what Config returned, after the file
	// was read into it.
	New func(env Env, config any) (any, error)
}

// Env is what a transport is given.
type Env struct {
	Log *slog.Logger
	// NetBIOS are the NetBIOS networks of this host.
	NetBIOS []carrier.NetBIOS
	// Host and Workgroup are this machine's own names in UTF-8 upper case.
	Host, Workgroup string
	// Page is the site's OEM code page.
	Page oem.Page
	// Local reports whether name is a message name of this host just now. It
	// decides which called names of sessions are present; nil: all are.
	Local func(name string) bool
	// Permit reports, before anything is read, why nothing is taken from addr;
	// nil: it may go on. It is a first gate that saves work, not the policy.
	Permit func(addr netip.Addr) error
	// Addresses returns this host's own addresses on the chosen interfaces, as they are
	// now, for transports that open ports of their own; nil: there are none.
	Addresses func() []netip.Addr
	// PortOffset is added to every port number, this host's and all others'.
	PortOffset int
}

// maxWait is the most that a transport can be told to wait for anything, in seconds: a day.
const maxWait = 24 * 60 * 60

// Wait reads a time that the key of a transport's configuration gives in seconds, of which
// there must be 1 to 86,400.
func Wait(key string, seconds int) (time.Duration, error) {
	if seconds < 1 || seconds > maxWait {
		return 0, fmt.Errorf("%s is %d, want 1 to %d", key, seconds, maxWait)
	}
	return time.Duration(seconds) * time.Second, nil
}
