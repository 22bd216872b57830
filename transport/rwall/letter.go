package rwall

import (
	"fmt"
	"strings"
	"time"

	"messngr/wire/oem"
	"messngr/wire/sunrpc"
)

// greeting begins the first line of what rwall(1) sends. The whole of it is
//
//	Remote Broadcast Message from root@vm
//	        (pts/3) at 19:35 ...
//
// with an empty line behind it (netkit, and the BSDs).
const greeting = "Remote Broadcast Message from "

// compose returns a text as rwall(1) would send it, since the receiver shows nothing else:
// no sender, no machine, no time.
func compose(from string, at time.Time, text string) string {
	return fmt.Sprintf("%s%s\n        (messngr) at %s ...\n\n%s", greeting, from, at.Format("15:04"), text)
}

// split parts what rwall(1) wrote before a text from the text. Without that it returns the
// whole, and no sender.
func split(whole string) (from, text string) {
	first, rest, _ := strings.Cut(whole, "\n")
	from, ok := strings.CutPrefix(first, greeting)
	from = oem.CleanLine(from)
	second, text, _ := strings.Cut(rest, "\n")
	second = strings.TrimSpace(second)
	if !ok || from == "" || !strings.HasPrefix(second, "(") || !strings.Contains(second, ") at ") || !strings.HasSuffix(second, "...") {
		return "", whole
	}
	return from, strings.TrimPrefix(text, "\n")
}

// claim returns who a caller says that he is, if the call has AUTH_UNIX credentials.
// Anybody can write any into a call.
func claim(credential sunrpc.Auth) string {
	if credential.Flavor != sunrpc.AuthSys {
		return ""
	}
	sys, err := sunrpc.ParseSys(credential.Body)
	machine := oem.CleanLine(sys.Machine)
	if err != nil || machine == "" {
		return ""
	}
	if sys.UID == 0 {
		return "root@" + machine
	}
	return fmt.Sprintf("uid %d@%s", sys.UID, machine)
}
