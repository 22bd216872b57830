package phrase

import (
	"regexp"
	"slices"
	"strings"

	"messngr"
)

// Reason is what an error says to people: without the words for its kind, the system
// calls that failed, and the addresses in known, which the reader has been told.
func Reason(err string, known ...string) string {
	why, at := withoutKind(err), ""
	// "call PC17<03> at 10.0.0.17:139: ", or the address alone.
	if m := regexp.MustCompile(`^(?:call .{1,20} at )?(\S+):\d+: `).FindStringSubmatch(why); m != nil {
		why = withoutKind(why[len(m[0]):])
		if !slices.Contains(known, m[1]) {
			at = m[1] + ": "
		}
	}
	why = regexp.MustCompile(`(?:dial|listen|read|write) (?:tcp|udp)[46]? \S+: (?:\w+: )?`).ReplaceAllString(why, "")
	if _, refusal, ok := strings.Cut(why, "session refused: "); ok {
		why = refusal
	}
	return at + why
}

// withoutKind drops our own words for the kinds of failures, as far as others follow.
func withoutKind(why string) string {
	for _, kind := range []error{messngr.ErrUnavailable, messngr.ErrRefused, messngr.ErrUnknownName, messngr.ErrUncertain} {
		if rest, ok := strings.CutPrefix(why, kind.Error()+": "); ok && rest != "" {
			return withoutKind(rest)
		}
	}
	return why
}
