package netbios

import "fmt"

// A Suffix is the sixteenth byte of a name. By Microsoft's convention it says which
// service of a machine, or what kind of group, the name stands for.
type Suffix byte

// The suffixes that matter to messages and to browsing (MS-BRWS 2.1.1, MS-NBTE
// 2.2.1, Microsoft Q163409). Workstation is the suffix of the machine itself when
// the name is unique, and of its workgroup when the name is a group.
const (
	Workstation       Suffix = 0x00 // the redirector; with a group name, the workgroup
	MasterBrowsers    Suffix = 0x01 // group of all master browsers, see MSBrowse
	Messenger         Suffix = 0x03 // who takes messages: machines, users, aliases
	Forwarded         Suffix = 0x05 // a user name forwarded by LAN Manager
	RASServer         Suffix = 0x06 // remote access server
	DomainMaster      Suffix = 0x1B // master browser of a whole domain
	DomainControllers Suffix = 0x1C // internet group of a domain's controllers
	MasterBrowser     Suffix = 0x1D // the one master browser of a subnet
	BrowserElection   Suffix = 0x1E // group that elects the master browser
	NetDDE            Suffix = 0x1F // network dynamic data exchange
	FileServer        Suffix = 0x20 // the server of files and printers
	RASClient         Suffix = 0x21 // remote access client
	NetworkMonitor    Suffix = 0xBE // network monitor agent
	MonitorProgram    Suffix = 0xBF // network monitor program
)

// String returns the suffix as tools print it, <03>.
func (s Suffix) String() string {
	return fmt.Sprintf("<%02x>", byte(s))
}
