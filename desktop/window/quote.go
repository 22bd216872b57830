package window

import (
	"fmt"
	"strings"

	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/lang"
)

// quote is the beginning of a reply that repeats the message, as LinPopUp did.
func quote(words *lang.Catalogue, m *control.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, words.Compose.Quote, describe.Clean(m.From))
	b.WriteByte('\n')
	for line := range strings.SplitSeq(describe.Text(m), "\n") {
		b.WriteString(strings.TrimRight("| "+line, " ") + "\n")
	}
	b.WriteByte('\n')
	return b.String()
}
