package messngr_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path that our own imports begin with.
const module = "messngr"

// arrows says, for every package, what of ours it may import. A pattern ends in
// "/*" for all packages below a folder; the first pattern that matches a package
// counts. "self" means packages below the importing one. A package that no
// pattern matches may not exist. The plan behind it is doc/design.md.
var arrows = []struct {
	pkg   string
	allow []string
}{
	{".", nil},
	{"wire/*", []string{"wire/*"}},
	{"session", []string{"."}},
	{"carrier", []string{"wire/*"}},
	{"carrier/nbt/nameservice", []string{"carrier", "carrier/nbt/link", "carrier/nbt/namecache", "wire/*"}},
	{"carrier/nbt/linktest", []string{"carrier/nbt/link", "wire/*"}},
	{"carrier/nbt/*", []string{"wire/*"}},
	{"carrier/smbd", []string{"peercred", "wire/*"}},
	{"carrier/*", []string{"carrier", "wire/*", "identity"}},
	{"transport", []string{".", "carrier", "wire/*"}},
	{"transport/transporttest", []string{".", "transport", "carrier", "carrier/memlan", "wire/*"}},
	{"transport/*", []string{".", "transport", "carrier", "wire/*", "identity"}},
	{"display", []string{".", "session", "wire/oem"}},
	{"display/*", []string{".", "display", "session", "wire/oem"}},
	{"names", []string{".", "wire/*"}},
	{"policy", []string{".", "wire/*"}},
	{"account", nil},
	{"lockfile", nil},
	{"peercred", nil},
	{"store", []string{".", "wire/*"}},
	{"store/*", []string{".", "store", "lockfile", "wire/*"}},
	{"router/copies", nil},
	{"router/plain", []string{"."}},
	{"router/recipients", []string{".", "store"}},
	{"router", []string{".", "names", "policy", "store", "identity"}},
	{"config", nil},
	{"control", []string{"."}},
	{"control/server", []string{".", "account", "control", "lockfile", "names", "peercred", "policy", "router", "store", "wire/netbios", "wire/oem"}},
	{"control/*", []string{".", "control"}},
	{"daemon", []string{"*"}},
	{"daemon/greeting", []string{"control"}},
	{"daemon/neighbours", []string{"carrier", "carrier/browser", "control", "wire/*"}},
	{"tray", []string{".", "config", "control", "wire/oem"}},
	{"tray/card", []string{".", "control", "tray/notification", "wire/oem"}},
	{"tray/feed", []string{".", "control"}},
	{"tray/*", []string{".", "wire/oem"}},
	{"remote", []string{"carrier/binding", "carrier/ipc", "wire/*"}},
	{"cli", nil},
	{"cli/send", []string{".", "account", "cli/complete", "cli/find", "cli/phrase", "cli/program", "cli/words", "control", "wire/oem"}},
	{"cli/read", []string{".", "cli/complete", "cli/console", "cli/find", "cli/phrase", "cli/program", "control", "tray", "wire/linpopup", "wire/oem"}},
	{"cli/operate", []string{".", "cli/complete", "cli/console", "cli/install", "cli/login", "cli/phrase", "cli/program", "control", "control/spool", "remote", "wire/oem"}},
	{"cli/netcmd", []string{"cli/complete", "cli/install", "cli/login", "cli/program", "cli/words", "control", "remote", "wire/oem"}},
	{"cli/docs", []string{"cli/complete", "cli/program"}},
	{"cli/words", []string{".", "cli/program"}},
	{"cli/find", []string{".", "cli/program", "control"}},
	{"cli/login", []string{"cli/complete", "cli/program", "remote", "wire/oem"}},
	{"cli/phrase", []string{".", "control", "wire/oem"}},
	{"cli/complete", []string{"cli/phrase", "cli/program", "control"}},
	{"cli/program", []string{"cli/console", "cli/install", "cli/phrase", "control", "remote", "wire/oem"}},
	{"cli/console", []string{"wire/oem"}},
	{"cli/install", nil},
	{"cli/clitest", []string{"cli", "cli/program", "control", "control/controltest"}},
	{"cmd/messngr", []string{"cli", "cli/program", "daemon"}},
	{"interop/*", []string{"interop/*", "control", "wire/*"}},
	{"interop", []string{"interop/*", "control", "wire/*"}},
	{"bench", []string{"*"}},
	{"bench/*", []string{"*"}},
	{"tools/*", nil},
	{"packaging", nil},
}

// noSystem are the packages that neither know the network nor the operating
// system.
var noSystem = []string{".", "wire/*", "names", "policy", "router", "router/*"}

func TestArrowsPointDown(t *testing.T) {
	packages := imports(t)
	if len(packages) < 10 {
		t.Fatalf("found only %d packages, so this test looks in the wrong place", len(packages))
	}
	for pkg, imported := range packages {
		i := slices.IndexFunc(arrows, func(a struct {
			pkg   string
			allow []string
		},
		) bool {
			return matches(a.pkg, pkg)
		})
		if i < 0 {
			t.Errorf("package %s has no place in the plan: add it to arrows, with an ADR", pkg)
			continue
		}
		for _, imp := range imported {
			own, ours := strings.CutPrefix(imp, module+"/")
			if imp == module {
				own, ours = ".", true
			}
			below := strings.HasPrefix(own, pkg+"/")
			if ours && !below && !slices.ContainsFunc(arrows[i].allow, func(p string) bool { return matches(p, own) }) {
				t.Errorf("%s imports %s, which is not below it", pkg, own)
			}
			if strings.HasSuffix(pkg, "test") {
				continue // serves tests, which read files
			}
			if (imp == "net" || imp == "os" || strings.HasPrefix(imp, "os/")) &&
				slices.ContainsFunc(noSystem, func(p string) bool { return matches(p, pkg) }) {
				t.Errorf("%s imports %s, but is to know neither the network nor the system", pkg, imp)
			}
			if matches("wire/*", pkg) && slices.Contains([]string{"context", "log/slog", "log"}, imp) {
				t.Errorf("%s imports %s, but a codec has neither context nor log", pkg, imp)
			}
		}
	}
}

// matches reports whether pkg is the package, or one below the folder, that the
// pattern names.
func matches(pattern, pkg string) bool {
	if pattern == "*" {
		return true
	}
	if folder, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(pkg, folder+"/")
	}
	return pattern == pkg
}

// imports reads the imports of every package of the module from its files (not
// its tests). It reads the files itself, because the go tool's cache would hide
// a change from a cached test.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "desktop" || base == "dist") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(name))
		found[pkg] = append(found[pkg], []string{}...)
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[pkg] = append(found[pkg], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
