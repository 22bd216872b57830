package command

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"messngr"
)

func TestValues(t *testing.T) {
	m := &messngr.Message{
		ID: messngr.ID{1}, Time: time.Date(2001, 2, 3, 14, 2, 0, 0, time.UTC), To: "PC17", Via: "smb", Audience: "bob",
		From:  messngr.From{Claimed: "-rf\n/", Address: netip.MustParseAddr("10.0.0.7")},
		Level: messngr.LevelUrgent, Drill: true, Title: "$(id)\x1b", Warning: "w",
	}
	want := []string{
		"MESSNGR_ID=01000000-0000-0000-0000-000000000000", "MESSNGR_FROM=-rf /", "MESSNGR_PROVEN=", "MESSNGR_TRUST=unverified",
		"MESSNGR_ADDRESS=10.0.0.7", "MESSNGR_TO=PC17", "MESSNGR_AUDIENCE=bob", "MESSNGR_VIA=smb", "MESSNGR_LEVEL=urgent",
		"MESSNGR_DRILL=true", "MESSNGR_TIME=2001-02-03T14:02:00Z", "MESSNGR_TITLE=$(id)^[", "MESSNGR_WARNING=w",
	}
	if diff := cmp.Diff(want, environment(values(m))); diff != "" {
		t.Errorf("environment: -want +got:\n%s", diff)
	}
	got := arguments([]string{"-x", "{from}", "{title}", "{from }", "{address}"}, values(m))
	if diff := cmp.Diff([]string{"-x", "_rf /", "$(id)^[", "{from }", "10.0.0.7"}, got); diff != "" {
		t.Errorf("arguments: -want +got:\n%s", diff)
	}
}

// Whatever a sender calls itself, it is one argument of one line, is no option,
// and cannot grow.
func TestValuesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringN(0, 5000, -1), rapid.Just("-\x00;`id`")).Draw(t, "text")
		vals := values(&messngr.Message{From: messngr.From{Claimed: text}, Title: text, To: text})
		for _, arg := range arguments([]string{"{from}", "{title}", "{to}"}, vals) {
			if strings.HasPrefix(arg, "-") || len(arg) > maxValue || !utf8.ValidString(arg) || strings.ContainsFunc(arg, unicode.IsControl) {
				t.Fatalf("%q became the argument %q", text, arg)
			}
		}
		for _, v := range environment(vals) {
			if !strings.HasPrefix(v, "MESSNGR_") || strings.ContainsFunc(v, unicode.IsControl) {
				t.Fatalf("%q became %q", text, v)
			}
		}
	})
}
