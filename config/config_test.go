package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/config"
)

type general struct {
	Name       string   `toml:"name"`
	Interfaces []string `toml:"interfaces"`
}

type limit struct {
	Rate  float64 `toml:"rate"`
	Burst int     `toml:"burst"`
}

type part struct {
	Enabled bool  `toml:"enabled"`
	Take    limit `toml:"take"`
}

func defaults() (general, part, part) {
	return general{Name: "PC17"}, part{Enabled: true, Take: limit{Rate: 5, Burst: 7}}, part{}
}

func TestParseFillsTheSections(t *testing.T) {
	g, smb, tty := defaults()
	err := config.Parse([]byte("\ufeff"+`interfaces = ["lan"]
[transport.smb]
take = { burst = 9 }
[display.tty]
enabled = true
`), []config.Section{{"", &g}, {"transport.smb", &smb}, {"display.tty", &tty}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(general{Name: "PC17", Interfaces: []string{"lan"}}, g); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(part{Enabled: true, Take: limit{Rate: 5, Burst: 9}}, smb); diff != "" {
		t.Error(diff)
	}
	if !tty.Enabled {
		t.Error("display.tty was not filled in")
	}
}

func TestParseShowsWhereTheMistakeIs(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"unknown key":        {"name = \"A\"\ncolour = 1\n", "line 2: unknown key colour"},
		"unknown table":      {"[transport.sbm]\nx = 1\n", "unknown key transport.sbm"},
		"unknown key inside": {"[transport.smb]\ntake = { bursts = 1 }\n", "bursts"},
		"wrong type":         {"name = 5\n", `line 1: name is a number, but has to be text in quotes, such as "x"`},
		"text for a list":    {"interfaces = \"lan\"\n", `line 1: interfaces is text in quotes, such as "x", but has to be a list, such as ["x", "y"]`},
		"text for a truth":   {"[display.tty]\nenabled = \"yes\"\n", `line 2: display.tty.enabled is text in quotes, such as "x", but has to be true or false`},
		"number for a table": {"[transport.smb]\ntake = 5\n", "transport.smb.take is a number, but has to be a table"},
		"several":            {"one = 1\ntwo = 2\n", "line 1: unknown key one; line 2: unknown key two"},
		"not TOML":           {"name = \n", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			g, smb, tty := defaults()
			err := config.Parse([]byte(tc.text), []config.Section{{"", &g}, {"transport.smb", &smb}, {"display.tty", &tty}})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want it to contain %q", err, tc.want)
			}
		})
	}
}

func TestReferenceNamesTables(t *testing.T) {
	type table struct {
		Take limit `toml:"take"`
	}
	for name, want := range map[string]string{"": "[take]", "policy": "[policy.take]"} {
		text, err := config.Reference([]config.Section{{name, &table{}}})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("section %q: %s\nwant the table %s", name, text, want)
		}
	}
}
