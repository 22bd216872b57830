// Package lmhosts reads LMHOSTS files, the table of NetBIOS names that an
// administrator keeps by hand where no name server knows them (Microsoft Q101927
// and Q150800). A line is an address and a name:
//
//	10.0.0.17  PC17                                     # a comment
//	10.0.0.18  SERVER       #PRE #DOM:SALES             # preloaded, domain controller
//	10.0.0.19  "ALICE          \0x03"                   # one name with its suffix
//	#INCLUDE /etc/lmhosts.site
//	#BEGIN_ALTERNATE
//	#INCLUDE /srv/a/lmhosts
//	#INCLUDE /srv/b/lmhosts
//	#END_ALTERNATE
package lmhosts

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"messngr/wire/netbios"
)

// An Item is one thing that a file says: an entry, or, if Include is not empty,
// files of which the first one that can be read stands in this place.
type Item struct {
	Entry   Entry
	Include []string
}

// An Entry gives a name an address.
type Entry struct {
	Addr netip.Addr
	// Name is the name. Without Exact its suffix is Workstation, and it stands
	// for the names with the suffixes Workstation, Messenger and FileServer.
	Name  netbios.Name
	Exact bool
	// Preload puts the entry into the cache for good (#PRE).
	Preload bool
	// Domain is the domain that the machine controls (#DOM:); zero for none. Its
	// suffix is DomainControllers.
	Domain netbios.Name
	// Multihomed says that further entries give the machine further addresses (#MH).
	Multihomed bool
}

// Covers reports whether the entry is about name.
func (e Entry) Covers(name netbios.Name) bool {
	if e.Exact {
		return e.Name == name
	}
	switch name.Suffix() {
	case netbios.Workstation, netbios.Messenger, netbios.FileServer:
		return e.Name == name.WithSuffix(netbios.Workstation)
	default:
		return false
	}
}

// Parse reads a file. Lines that make no sense are left out, as Windows does, and
// reported by number in problems; the items are good all the same. Bytes outside
// ASCII are taken as they are: the file is in the OEM code page.
func Parse(b []byte) (items []Item, problems []error) {
	var alternate []string
	inside := false
	number := 0
	for line := range strings.Lines(string(b)) {
		number++
		line = strings.TrimSpace(line)
		keyword, path := cutBlank(line)
		switch {
		case strings.EqualFold(keyword, "#BEGIN_ALTERNATE"):
			inside, alternate = true, nil
		case strings.EqualFold(keyword, "#END_ALTERNATE"):
			if len(alternate) > 0 {
				items = append(items, Item{Include: alternate})
			}
			inside, alternate = false, nil
		case strings.EqualFold(keyword, "#INCLUDE"):
			switch {
			case path == "":
				problems = append(problems, fmt.Errorf("line %d: #INCLUDE without a file", number))
			case inside:
				alternate = append(alternate, path)
			default:
				items = append(items, Item{Include: []string{path}})
			}
		case line == "" || line[0] == '#':
		default:
			e, err := parseEntry(line)
			if err != nil {
				problems = append(problems, fmt.Errorf("line %d: %w", number, err))
				continue
			}
			items = append(items, Item{Entry: e})
		}
	}
	return items, problems
}

func parseEntry(line string) (Entry, error) {
	word, rest := cutBlank(line)
	addr, err := netip.ParseAddr(word)
	if err != nil || !addr.Is4() {
		return Entry{}, fmt.Errorf("%q is not an IPv4 address", word)
	}
	e := Entry{Addr: addr}
	if rest, err = e.parseName(rest); err != nil {
		return Entry{}, err
	}
	for rest != "" {
		word, rest = cutBlank(rest)
		tag, value, _ := strings.Cut(word, ":")
		switch {
		case strings.EqualFold(tag, "#PRE"):
			e.Preload = true
		case strings.EqualFold(tag, "#MH"):
			e.Multihomed = true
		case strings.EqualFold(tag, "#DOM"):
			if e.Domain, err = netbios.New(value, netbios.DomainControllers); err != nil {
				return Entry{}, err
			}
		default:
			return e, nil // the rest of the line is a comment
		}
	}
	return e, nil
}

// parseName reads the name, which may be in quotes, with bytes written as \0xHH,
// and returns what follows it.
func (e *Entry) parseName(s string) (rest string, err error) {
	var label string
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		if label, rest, ok = strings.Cut(quoted, `"`); !ok {
			return "", fmt.Errorf("%q has no closing quote", s)
		}
		rest = strings.TrimSpace(rest)
		if label, err = unescape(label); err != nil {
			return "", err
		}
	} else {
		label, rest = cutBlank(s)
	}
	suffix := netbios.Workstation
	if len(label) == len(netbios.Name{}) {
		e.Exact = true
		suffix = netbios.Suffix(label[netbios.MaxLabel])
		label = label[:netbios.MaxLabel]
	}
	e.Name, err = netbios.New(label, suffix)
	return rest, err
}

// unescape turns each \0xHH into one byte.
func unescape(s string) (string, error) {
	const escape, digits = `\0x`, 2
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, escape)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if len(after) < digits {
			return "", fmt.Errorf("%q ends within an escape", s)
		}
		c, err := strconv.ParseUint(after[:digits], 16, 8)
		if err != nil {
			return "", fmt.Errorf("%q is no hexadecimal number", after[:digits])
		}
		b.WriteByte(byte(c))
		s = after[digits:]
	}
}

// cutBlank returns the first word of s and what follows it.
func cutBlank(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}
