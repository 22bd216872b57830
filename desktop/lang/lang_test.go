package lang_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/language"

	"messngr/desktop/lang"
)

func load(t *testing.T, tag language.Tag) *lang.Catalogue {
	t.Helper()
	c, err := lang.Load(tag)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// each calls f for every word of a catalogue, by its path.
func each(v reflect.Value, path string, f func(path string, v reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[lang.Plural](), v.Kind() == reflect.String:
		f(path, v)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			each(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	}
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[a-z]`)

// verbs lists the values that a format takes, whatever their order.
func verbs(s string) []string {
	var list []string
	for _, m := range verb.FindAllStringSubmatch(strings.ReplaceAll(s, "%%", ""), -1) {
		list = append(list, m[0][len(m[0])-1:])
	}
	slices.Sort(list)
	return list
}

// Every language has every word, with the values and letters of the source.
func TestCataloguesAreComplete(t *testing.T) {
	tags, err := lang.Tags()
	if err != nil || len(tags) < 2 || !slices.Contains(tags, language.German) {
		t.Fatalf("languages: %v, %v; want English and German at least", tags, err)
	}
	source := load(t, tags[0])
	want := make(map[string]string)
	each(reflect.ValueOf(source.Words), "", func(path string, v reflect.Value) {
		if v.Kind() == reflect.String {
			want[path] = v.String()
		} else {
			want[path] = v.Interface().(lang.Plural).Other
		}
	})
	if len(want) < 100 {
		t.Fatalf("only %d words were found", len(want))
	}
	for _, tag := range tags {
		c := load(t, tag)
		each(reflect.ValueOf(c.Words), "", func(path string, v reflect.Value) {
			forms := []string{}
			if v.Kind() == reflect.String {
				forms = append(forms, v.String())
			} else {
				p := v.Interface().(lang.Plural)
				forms = append(forms, p.Other)
				for _, f := range []string{p.Zero, p.One, p.Two, p.Few, p.Many} {
					if f != "" {
						forms = append(forms, f)
					}
				}
			}
			for _, got := range forms {
				switch {
				case strings.TrimSpace(got) == "":
					t.Errorf("%s%s is empty", tag, path)
				case !slices.Equal(verbs(got), verbs(want[path])):
					t.Errorf("%s%s takes %v, want %v: %q", tag, path, verbs(got), verbs(want[path]), got)
				case strings.Count(got, "_") != strings.Count(want[path], "_"):
					t.Errorf("%s%s: %q has another number of letters to press than %q", tag, path, got, want[path])
				}
			}
		})
	}
}

// In each window every letter presses one thing.
func TestLettersAreUnique(t *testing.T) {
	tags, err := lang.Tags()
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		c := load(t, tag)
		for name, group := range map[string][]string{
			"popup":         {c.Popup.OK, c.Popup.Reply, c.Popup.Next},
			"popup writing": {c.Popup.Send, c.Popup.Cancel},
			"digest":        {c.Digest.Each, c.Digest.Open, c.Digest.Later},
			"emergency":     {c.Emergency.Seen, c.Emergency.Next},
			"window": {
				c.Window.Previous, c.Window.Next, c.Window.Reply, c.Window.Discard, c.Window.Send, c.Window.Undo,
			},
			"menu":        {c.Window.Options, c.Window.About, c.Window.Quit},
			"compose":     {c.Compose.To, c.Compose.Person, c.Compose.Workgroup, c.Compose.Text, c.Compose.Send, c.Compose.Cancel},
			"compose all": {c.Compose.To, c.Compose.Person, c.Compose.Workgroup, c.Compose.Text, c.Compose.SendAll, c.Compose.Cancel},
			"options": {
				c.Options.Sound, c.Options.OnTop, c.Options.PopUp, c.Options.Quote, c.Options.History, c.Options.Forget, c.Options.Close,
			},
		} {
			seen := make(map[rune]string)
			for _, text := range group {
				_, after, ok := strings.Cut(text, "_")
				if !ok || after == "" {
					t.Errorf("%s: %s: %q has no letter", tag, name, text)
					continue
				}
				r := unicode.ToLower([]rune(after)[0])
				if other := seen[r]; other != "" || !unicode.IsLetter(r) {
					t.Errorf("%s: %s: %q and %q have the same letter, or none", tag, name, text, other)
				}
				seen[r] = text
			}
		}
	}
}

func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "English"},
		{map[string]string{"LANG": "C"}, "English"},
		{map[string]string{"LANG": "de_DE.UTF-8"}, "Deutsch"},
		{map[string]string{"LANG": "de_AT.UTF-8@euro"}, "Deutsch"},
		{map[string]string{"LANG": "en_GB.UTF-8", "LC_MESSAGES": "de_CH.UTF-8"}, "Deutsch"},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "en_US.UTF-8"}, "English"},
		{map[string]string{"LANG": "en_US.UTF-8", "LANGUAGE": "xx:de:en"}, "Deutsch"},
		{map[string]string{"LANG": "C.UTF-8", "LANGUAGE": "de"}, "English"},
		{map[string]string{"LANG": "ja_JP.UTF-8"}, "English"},
		{map[string]string{"LANG": "!!"}, "English"},
	} {
		c, err := lang.Choose(func(name string) string { return tt.env[name] })
		if err != nil || c.Name != tt.want {
			t.Errorf("%v: %+v, %v, want %s", tt.env, c, err, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for tag, want := range map[language.Tag][2]string{
		language.English: {"1 message is waiting", "2 messages are waiting"},
		language.German:  {"1 Nachricht wartet", "2 Nachrichten warten"},
	} {
		c := load(t, tag)
		if got := [2]string{c.Count(c.Digest.Waiting, 1), c.Count(c.Digest.Waiting, 2)}; got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
	ar := &lang.Catalogue{Tag: language.Arabic}
	p := lang.Plural{Zero: "zero %d", Two: "two %d", Few: "few %d", Other: "other %d"}
	for n, want := range map[int]string{0: "zero 0", 1: "other 1", 2: "two 2", 3: "few 3", 100: "other 100"} {
		if got := ar.Count(p, n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// The layouts of time are ones.
func TestTimes(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 4, 0, 0, time.UTC)
	for tag, want := range map[language.Tag][4]string{
		language.English: {"09:04", "21 Nov", "21 November 2026", "21 November 2026, 09:04"},
		language.German:  {"09:04", "21.11.", "21.11.2026", "21.11.2026, 09:04"},
	} {
		c := load(t, tag)
		if got := [4]string{at.Format(c.Today), at.Format(c.ThisYear), at.Format(c.Day), at.Format(c.Both)}; got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
}

func TestLoadFails(t *testing.T) {
	if _, err := lang.Load(language.Japanese); err == nil {
		t.Error("a language without a catalogue was loaded")
	}
}
