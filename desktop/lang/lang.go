// Package lang has the words of the desktop program in each language, and
// chooses the language.
//
// A language is one file in catalogues/, named by its tag, with a translation
// of every one of the Words; a test holds each file to that.
package lang

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed catalogues/*.json
var catalogues embed.FS

// Source is the language that every other one is translated from.
const Source = "en"

// A Catalogue is the words of one language.
type Catalogue struct {
	Words
	Tag language.Tag
}

// Tags lists the languages that there are.
func Tags() ([]language.Tag, error) {
	files, err := fs.Glob(catalogues, "catalogues/*.json")
	if err != nil {
		return nil, err
	}
	tags := []language.Tag{language.MustParse(Source)}
	for _, f := range files {
		tag, err := language.Parse(strings.TrimSuffix(path.Base(f), ".json"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if tag != tags[0] {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

// Load returns the words of one of the languages of Tags.
func Load(tag language.Tag) (*Catalogue, error) {
	b, err := catalogues.ReadFile("catalogues/" + tag.String() + ".json")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{Tag: tag}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.Words); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", tag, err)
	}
	return c, nil
}

// Choose returns the words of the language that the environment asks for, by
// LANGUAGE, LC_ALL, LC_MESSAGES and LANG as gettext reads them.
func Choose(getenv func(string) string) (*Catalogue, error) {
	tags, err := Tags()
	if err != nil {
		return nil, err
	}
	var wanted []language.Tag
	for _, name := range asked(getenv) {
		if tag, err := language.Parse(name); err == nil {
			wanted = append(wanted, tag)
		}
	}
	_, i, _ := language.NewMatcher(tags).Match(wanted...)
	return Load(tags[i])
}

// asked lists the languages that the environment asks for, best first.
func asked(getenv func(string) string) []string {
	locale := ""
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale = getenv(name); locale != "" {
			break
		}
	}
	list := []string{locale}
	// The C locale switches translation off, whatever LANGUAGE says.
	if plain := bare(locale); plain != "" && plain != "C" && plain != "POSIX" {
		list = append(strings.Split(getenv("LANGUAGE"), ":"), locale)
	}
	for i, name := range list {
		list[i] = bare(name)
	}
	return list
}

// bare takes encoding and variant away from de_AT.UTF-8@euro.
func bare(locale string) string {
	locale, _, _ = strings.Cut(locale, ".")
	locale, _, _ = strings.Cut(locale, "@")
	return locale
}

// Plural is a format with a number in the forms that a language has for it.
type Plural struct {
	Zero  string `json:"zero,omitempty"`
	One   string `json:"one,omitempty"`
	Two   string `json:"two,omitempty"`
	Few   string `json:"few,omitempty"`
	Many  string `json:"many,omitempty"`
	Other string `json:"other"`
}

// Count fills n into the form that the language has for it.
func (c *Catalogue) Count(p Plural, n int) string {
	form := p.Other
	switch plural.Cardinal.MatchPlural(c.Tag, n, 0, 0, 0, 0) {
	case plural.Zero:
		form = p.Zero
	case plural.One:
		form = p.One
	case plural.Two:
		form = p.Two
	case plural.Few:
		form = p.Few
	case plural.Many:
		form = p.Many
	}
	if form == "" {
		form = p.Other
	}
	return fmt.Sprintf(form, n)
}
