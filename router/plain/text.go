// Package plain brings messages over wires that carry nothing but a short text.
package plain

import (
	"fmt"
	"strings"

	"messngr"
)

// Text writes what a legacy wire has no field for into the text: level,
// drill, title and the answers asked for. The local route stores them as they
// are and is not flattened.
func Text(m *messngr.Message) string {
	var head []string
	if m.Drill {
		head = append(head, "DRILL - THIS IS AN EXERCISE")
	}
	if m.Level >= messngr.LevelUrgent {
		head = append(head, strings.ToUpper(m.Level.String()))
	}
	if m.Title != "" {
		head = append(head, m.Title)
	}
	text := m.Text
	if len(head) > 0 && text != "" {
		text = "\n" + text
	}
	text = strings.Join(head, ": ") + text
	if len(m.Answers) > 0 {
		text += fmt.Sprintf("\nPlease answer with one of: %s", strings.Join(m.Answers, ", "))
	}
	if m.Drill {
		text += "\nDRILL - THIS IS AN EXERCISE"
	}
	return text
}
