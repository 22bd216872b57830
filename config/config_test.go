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
	err := config.Parse([]byte(`
interfaces = ["lan"]
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
		"unknown key":        {"name = \"A\"\ncolour = 1\n", "2| colour = 1"},
		"unknown table":      {"[transport.sbm]\nx = 1\n", "transport.sbm"},
		"unknown key inside": {"[transport.smb]\ntake = { bursts = 1 }\n", "bursts"},
		"wrong type":         {"name = 5\n", "line 1"},
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
