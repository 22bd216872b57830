package command

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"messngr"
	"messngr/wire/oem"
)

// value is what a command is told about a message: as the placeholder {name},
// and in the environment as MESSNGR_NAME.
type value struct{ name, text string }

func (v value) placeholder() string { return "{" + v.name + "}" }

// values returns what a command is told about m. All of it is one line each,
// safe to show, and at most maxValue bytes.
func values(m *messngr.Message) []value {
	address := ""
	if m.From.Address.IsValid() {
		address = m.From.Address.String()
	}
	list := []value{
		{"id", m.ID.String()},
		{"from", m.From.Claimed},
		{"proven", m.From.Proven},
		{"trust", m.From.Trust.String()},
		{"address", address},
		{"to", m.To},
		{"audience", m.Audience},
		{"via", m.Via},
		{"level", m.Level.String()},
		{"drill", strconv.FormatBool(m.Drill)},
		{"time", m.Time.Format(time.RFC3339)},
		{"title", m.Title},
		{"warning", m.Warning},
	}
	for i := range list {
		list[i].text = cut(oem.CleanLine(list[i].text))
	}
	return list
}

// cut shortens s to maxValue bytes, at the end of a character.
func cut(s string) string {
	if len(s) <= maxValue {
		return s
	}
	n := maxValue
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// arguments fills in the placeholders. No value can pass for an option: a "-" in
// front of one becomes "_".
func arguments(args []string, values []value) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = arg
		for _, v := range values {
			if arg == v.placeholder() {
				out[i] = v.text
				if strings.HasPrefix(v.text, "-") {
					out[i] = "_" + v.text[1:]
				}
			}
		}
	}
	return out
}

// environment returns the variables that tell of the message.
func environment(values []value) []string {
	env := make([]string, len(values))
	for i, v := range values {
		env[i] = "MESSNGR_" + strings.ToUpper(v.name) + "=" + v.text
	}
	return env
}
