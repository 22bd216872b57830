package netbios_test

import (
	"strings"
	"testing"

	"messngr/wire/netbios"
)

func TestNew(t *testing.T) {
	tests := []struct {
		name   string
		label  string
		suffix netbios.Suffix
		want   string // the sixteen bytes; empty if New must refuse
	}{
		{"capitals", "pc17", netbios.Messenger, "PC17           \x03"},
		{"fifteen bytes", "ABCDEFGHIJKLMNO", netbios.FileServer, "ABCDEFGHIJKLMNO\x20"},
		{"one byte", "x", netbios.Workstation, "X              \x00"},
		{"OEM bytes stay", "M\x81LLER", netbios.Messenger, "M\x81LLER         \x03"},
		{"punctuation stays", "a`{z", netbios.Messenger, "A`{Z           \x03"},
		{"called name of a file server", "*SMBSERVER", netbios.FileServer, "*SMBSERVER     \x20"},
		{"inner blank", "A B", netbios.Messenger, "A B            \x03"},
		{"padded already", "A  ", netbios.Messenger, "A              \x03"},
		{"sixteen bytes", "ABCDEFGHIJKLMNOP", netbios.Messenger, ""},
		{"empty", "", netbios.Messenger, ""},
		{"blank", "   ", netbios.Messenger, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := netbios.New(tt.label, tt.suffix)
			if (err == nil) != (tt.want != "") {
				t.Fatalf("New(%q) error = %v", tt.label, err)
			}
			if err == nil && string(got[:]) != tt.want {
				t.Errorf("New(%q) = %q, want %q", tt.label, got[:], tt.want)
			}
		})
	}
}

func TestNameParts(t *testing.T) {
	tests := []struct {
		name   netbios.Name
		label  string
		suffix netbios.Suffix
		text   string
	}{
		{netbios.Name([]byte("PC17           \x03")), "PC17", netbios.Messenger, "PC17<03>"},
		{netbios.Name([]byte("ABCDEFGHIJKLMNO\x20")), "ABCDEFGHIJKLMNO", netbios.FileServer, "ABCDEFGHIJKLMNO<20>"},
		{netbios.Name([]byte("M\x81LLER         \xbe")), "M\x81LLER", netbios.NetworkMonitor, `M\x81LLER<be>`},
		{netbios.Name([]byte("A\\x81          \x00")), `A\x81`, netbios.Workstation, `A\x5cx81<00>`},
		{netbios.Wildcard(), "*", netbios.Workstation, "*<00>"},
		{netbios.MSBrowse(), "\x01\x02__MSBROWSE__\x02", netbios.MasterBrowsers, `\x01\x02__MSBROWSE__\x02<01>`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if got := tt.name.Label(); got != tt.label {
				t.Errorf("Label() = %q, want %q", got, tt.label)
			}
			if got := tt.name.Suffix(); got != tt.suffix {
				t.Errorf("Suffix() = %v, want %v", got, tt.suffix)
			}
			if got := tt.name.String(); got != tt.text {
				t.Errorf("String() = %q, want %q", got, tt.text)
			}
		})
	}
}

func TestWithSuffix(t *testing.T) {
	pc, err := netbios.New("pc17", netbios.Workstation)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := pc.WithSuffix(netbios.Messenger).String(), "PC17<03>"; got != want {
		t.Errorf("WithSuffix = %s, want %s", got, want)
	}
	if got, want := pc.String(), "PC17<00>"; got != want {
		t.Errorf("receiver changed to %s, want %s", got, want)
	}
}

func TestWildcardIsNotTheBlankPaddedAsterisk(t *testing.T) {
	asterisk, err := netbios.New("*", netbios.Workstation)
	if err != nil {
		t.Fatal(err)
	}
	if asterisk == netbios.Wildcard() {
		t.Error("New gave the wildcard, want an asterisk padded with blanks")
	}
	if got, want := string(func() []byte { n := netbios.Wildcard(); return n[:] }()), "*"+strings.Repeat("\x00", 15); got != want {
		t.Errorf("Wildcard() = %q, want %q", got, want)
	}
}
