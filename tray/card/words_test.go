package card

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"messngr/control"
)

func TestLanguages(t *testing.T) {
	for env, want := range map[string]string{
		"": "Reply", "LANG=C": "Reply", "LANG=de_DE.UTF-8": "Antworten", "LC_ALL=C LANG=de_DE.UTF-8": "Reply", "LC_MESSAGES=de_AT LANG=en_GB": "Antworten",
		"LANGUAGE=de:en LANG=en_US.UTF-8": "Antworten", "LANGUAGE=de LANG=C": "Reply", "LANG=fr_FR": "Reply",
	} {
		values := map[string]string{}
		for _, pair := range strings.Fields(env) {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = value
		}
		if got := Choose(func(key string) string { return values[key] }).reply; got != want {
			t.Errorf("%s: %q, want %q", env, got, want)
		}
	}
}

// Every word has a translation with the same gaps to fill in.
func TestWordsAreComplete(t *testing.T) {
	var flat func(prefix string, v reflect.Value, into map[string]string)
	flat = func(prefix string, v reflect.Value, into map[string]string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				flat(prefix+"."+v.Type().Field(i).Name, v.Field(i), into)
			}
		case reflect.Array:
			for i := range v.Len() {
				flat(fmt.Sprint(prefix, i), v.Index(i), into)
			}
		default:
			into[prefix] = v.String()
		}
	}
	all := [2]map[string]string{{}, {}}
	for i, w := range []*Words{english(), german()} {
		flat("", reflect.ValueOf(*w), all[i])
	}
	gaps := func(s string) string {
		var list []string
		for i := range len(s) - 1 {
			if s[i] == '%' {
				list = append(list, s[i:i+2])
			}
		}
		return strings.Join(list, "")
	}
	for name, en := range all[0] {
		if de := all[1][name]; en == "" || de == "" || gaps(en) != gaps(de) {
			t.Errorf("%s: %q, %q", name, en, de)
		}
	}
}

func TestTrouble(t *testing.T) {
	w := english()
	for err, want := range map[error]string{
		control.ErrNoService:                           w.away,
		fmt.Errorf("%w at x", control.ErrNoAccess):     w.noAccess,
		&control.Error{Code: "internal", Message: "x"}: w.away,
	} {
		if got := w.Trouble(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
