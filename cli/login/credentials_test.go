package login

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/remote"
)

func TestReadCredentials(t *testing.T) {
	for text, want := range map[string]remote.Credentials{
		"username=alice\npassword=s=cret\n":                       {User: "alice", Password: "s=cret"},
		"username = alice\npassword = x\ndomain = OFFICE\n":       {User: "alice", Password: "x", Domain: "OFFICE"},
		"USER=OFFICE\\alice\r\npass=x\r\n":                        {User: "alice", Password: "x", Domain: "OFFICE"},
		"username=OFFICE/alice\ndom=LAB\n":                        {User: "OFFICE/alice", Domain: "LAB"},
		"# a comment\nusername=alice\n" + strings.Repeat("\n", 9): {User: "alice"},
	} {
		file := filepath.Join(t.TempDir(), "who")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readCredentials(file)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
	file := filepath.Join(t.TempDir(), "nobody")
	if err := os.WriteFile(file, []byte("password=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCredentials(file); err == nil {
		t.Error("a file without a user is taken")
	}
}

func TestGiven(t *testing.T) {
	for _, o := range []Options{{Server: "FS01"}, {User: "x"}, {Credentials: "file"}} {
		if !o.Given() {
			t.Errorf("%+v is taken for this machine", o)
		}
	}
	if (&Options{}).Given() {
		t.Error("no option is taken for another machine")
	}
}
