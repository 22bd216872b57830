package daemon_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"messngr/daemon"
)

var update = flag.Bool("update", false, "write the generated files anew")

// referenceFile is the reference configuration that people read.
const referenceFile = "../doc/messngr.toml"

func TestReferenceConfigIsTheFileThatPeopleRead(t *testing.T) {
	want, err := daemon.ReferenceConfig()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(referenceFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not what the program knows; run: go test ./daemon -update", referenceFile)
	}
}

// TestReferenceConfigLoads takes the comment signs away from the keys, so that
// every key of the reference is read by the part that it belongs to.
func TestReferenceConfigLoads(t *testing.T) {
	reference, err := daemon.ReferenceConfig()
	if err != nil {
		t.Fatal(err)
	}
	live := regexp.MustCompile(`(?m)^#([a-z_]+ = )`).ReplaceAll(reference, []byte("$1"))
	if string(live) == string(reference) {
		t.Fatal("the reference has no keys")
	}
	if err := daemon.CheckConfig(live); err != nil {
		t.Error(err)
	}
	if err := daemon.CheckConfig([]byte("interfaces = [\"lan\"]\ncolour = \"red\"\n")); err == nil {
		t.Error("an unknown key was taken")
	}
}

// What is wrong with a configuration is said in its own words.
func TestConfigMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"code_page = \"999\"":            `code_page "999" is none; use one such as 437, 850, 866 or 932`,
		"[store]\nkeep_days = -1":        "[store] keep_days -1: want 0 to 36500",
		"[store]\nkeep_days = 213504":    "[store] keep_days 213504: want 0 to 36500", // 23 minutes as a time.Duration
		"[store]\nkeep_count = -1":       "[store] keep_count -1: want 0 or more",
		"port_offset = -5":               "port_offset -5: want 0 to 65090",
		"name = 5":                       `line 1: name is a number, but has to be text in quotes, such as "x"`,
		"[policy]\ntake_per_source = 5":  "line 2: policy.take_per_source is a number, but has to be a table",
		"[transport.smb]\ncolour = true": "line 2: unknown key transport.smb.colour",
	} {
		if err := daemon.CheckConfig([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// A value that cannot be is told with the file in which it stands.
func TestConfigMistakeNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messngr.toml")
	if err := os.WriteFile(path, []byte("[store]\nkeep_days = -1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := daemon.Run(t.Context(), daemon.Options{Config: path, State: t.TempDir()})
	if want := path + ": [store] keep_days -1: want 0 to 36500"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
