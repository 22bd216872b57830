//go:build unix

package account

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// inDomain returns a book of a host in a domain that has one user, and the file in
// which the questions to that domain are noted.
func inDomain(t *testing.T) (b *Book, asked string) {
	t.Helper()
	dir := t.TempDir()
	asked = filepath.Join(dir, "asked")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return &Book{directory: directory{
		config: write("nsswitch.conf", "# comment\npasswd:\tfiles winbind # and more\ngroup: files\n"),
		getent: write("getent", `#!/bin/sh
echo "$*" >>`+asked+`
case $3 in
4010001 | "WARD\\alice" | "ward\\Alice") printf '%s\n' 'WARD\alice:*:4010001:4010000:Alice:/home/WARD/alice:/bin/bash' ;;
odd) echo 'odd:x' ;;
*) exit 2 ;;
esac
`),
		id: write("id", "#!/bin/sh\n[ \"$3\" = 'WARD\\alice' ] && echo 4010000 0\n"),
	}}, asked
}

func TestDirectory(t *testing.T) {
	b, asked := inDomain(t)
	a, err := b.ByUID(4010001)
	if err != nil || a.Login != `WARD\alice` || a.UID != 4010001 {
		t.Fatalf("ByUID = %+v, %v", a, err)
	}
	for _, login := range []string{`WARD\alice`, `ward\Alice`} {
		if byName, err := b.ByName(login); err != nil || byName.UID != a.UID {
			t.Errorf("ByName(%q) = %+v, %v", login, byName, err)
		}
	}
	root, err := b.ByUID(0)
	if err != nil {
		t.Fatal(err)
	}
	if rootGroup := "root"; b.InGroup(root, rootGroup) && !b.InGroup(a, rootGroup) {
		t.Error("id says that alice is in the group 0, InGroup does not")
	}
	for range 3 {
		if a, err := b.ByName("bob"); !errors.Is(err, ErrUnknown) {
			t.Errorf("bob is %+v, %v", a, err)
		}
	}
	if a, err := b.ByName("odd"); err == nil {
		t.Errorf("half a line is %+v", a)
	}
	if a, err := b.ByName("4010001"); err == nil {
		t.Errorf("a number names %+v", a)
	}
	lines, err := os.ReadFile(asked)
	if n := strings.Count(string(lines), "bob"); err != nil || n != 1 {
		t.Errorf("the domain was asked for bob %d times, %v; want once:\n%s", n, err, lines)
	}
}

// What does not use a directory runs no program.
func TestNoDirectory(t *testing.T) {
	for _, config := range []string{"", "passwd: files systemd\n", "passwd: compat [NOTFOUND=return]", "group: winbind\n"} {
		b, asked := inDomain(t)
		if err := os.WriteFile(b.directory.config, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		if a, err := b.ByUID(4010001); !errors.Is(err, ErrUnknown) {
			t.Errorf("with %q: %+v, %v", config, a, err)
		}
		if _, err := os.Stat(asked); err == nil {
			t.Errorf("with %q a program ran", config)
		}
	}
}

func TestDirectoryIsForgotten(t *testing.T) {
	b, _ := inDomain(t)
	b.kept = make(map[string]answer)
	for i := range maxKept {
		b.kept[strings.Repeat("x", i+1)] = answer{}
	}
	if _, err := b.ByUID(4010001); err != nil || len(b.kept) != 1 {
		t.Errorf("%d answers are kept, %v; want 1", len(b.kept), err)
	}
}
