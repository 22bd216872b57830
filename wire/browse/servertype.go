package browse

// A ServerType says what a machine is and does, as it announces itself (MS-BRWS 2.2.3,
// MS-RAP 2.5.5.2.1).
type ServerType uint32

// The types that matter here. A machine is of several at once.
const (
	Workstation      ServerType = 0x00000001 // uses servers
	Server           ServerType = 0x00000002 // is one
	DomainController ServerType = 0x00000008
	BackupController ServerType = 0x00000010
	PrintServer      ServerType = 0x00000200
	Unix             ServerType = 0x00000800 // Xenix at first; Samba
	WindowsNT        ServerType = 0x00001000
	WindowsForWG     ServerType = 0x00002000
	WindowsNTServer  ServerType = 0x00008000
	PotentialBrowser ServerType = 0x00010000
	BackupBrowser    ServerType = 0x00020000
	MasterBrowser    ServerType = 0x00040000
	DomainMaster     ServerType = 0x00080000
	Windows95        ServerType = 0x00400000 // and later ones of its family
	Workgroups       ServerType = 0x80000000 // in a request: list workgroups instead of machines
	All              ServerType = 0xFFFFFFFF // in a request: whatever there is
)

// System returns the family of the operating system in words; "" if the type does not
// tell. Samba says that it is a Windows NT too, so the order counts.
func (t ServerType) System() string {
	for _, row := range []struct {
		bit    ServerType
		system string
	}{
		{Unix, "Unix"},
		{WindowsNTServer, "Windows NT Server"},
		{WindowsNT, "Windows NT"},
		{Windows95, "Windows 95"},
		{WindowsForWG, "Windows for Workgroups"},
	} {
		if t&row.bit != 0 {
			return row.system
		}
	}
	return ""
}
