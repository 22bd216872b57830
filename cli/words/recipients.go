package words

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"messngr/cli/program"
)

// Recipients splits the list of recipients, spells the special ones in lower
// case, and drops those that are named twice.
func Recipients(list string) ([]string, error) {
	var to []string
	for name := range strings.SplitSeq(list, ",") {
		name = normalRecipient(strings.TrimSpace(name))
		if name == "" {
			return nil, program.Misuse("write NAME or NAME,NAME", "a recipient in %q is empty", list)
		}
		if strings.HasPrefix(name, "/") && name != "/users" && !IsBroadcast(name) {
			return nil, program.Misuse("the words with a slash are /users, /domain and /domain:NAME", "%q is no recipient", name)
		}
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if !slices.ContainsFunc(to, same) {
			to = append(to, name)
		}
	}
	return to, nil
}

// normalRecipient spells /USERS, /Domain:X and Everyone as the service does.
func normalRecipient(name string) string {
	word, workgroup, named := strings.Cut(name, ":")
	switch lower := strings.ToLower(word); lower {
	case "/domain":
		if named {
			return lower + ":" + workgroup
		}
		return lower
	case "/users", "everyone":
		if !named {
			return lower
		}
	}
	return name
}

// IsBroadcast reports whether a normal recipient is more than one machine.
func IsBroadcast(name string) bool {
	return name == "*" || name == "everyone" || name == "/domain" || strings.HasPrefix(name, "/domain:")
}

// Broadcast says to a person whom a broadcast reaches.
func Broadcast(name string) string {
	if _, workgroup, named := strings.Cut(name, ":"); named {
		return "everybody in " + workgroup
	}
	return "everybody in this machine's workgroup"
}

// RefuseGlob recognises a * that the shell has turned into the names of the
// files in the current folder. The shell's order depends on its language, so
// that the names count and not their order.
func RefuseGlob(args []string, command string) error {
	entries, err := os.ReadDir(".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 || len(args) < len(names) {
		return nil
	}
	first := slices.Clone(args[:len(names)])
	slices.Sort(first)
	if !slices.Equal(first, names) {
		return nil
	}
	hint := "put it in quotes: " + command + " '*' TEXT"
	if len(names) == 1 {
		hint += "; if you mean a machine of that name, write it in other letters: " + otherCase(names[0])
	}
	return program.Misuse(hint, "the shell has turned * into the names of the files here: %s ...", names[0])
}

func otherCase(name string) string {
	if upper := strings.ToUpper(name); upper != name {
		return upper
	}
	return strings.ToLower(name)
}

// IsTTY tells a terminal's name from the first word of a text.
func IsTTY(word string) bool {
	name, device := strings.CutPrefix(word, "/dev/")
	if regexp.MustCompile(`^(pts/[0-9]+|tty[A-Za-z]*[0-9]+)$`).MatchString(name) {
		return true
	}
	if !device {
		return false
	}
	info, err := os.Stat(word)
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
