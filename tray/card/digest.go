package card

import (
	"fmt"
	"strings"

	"messngr"
	"messngr/tray/notification"
)

// digestNames is how many senders a digest names.
const digestNames = 3

// Digest is what is told of many messages at once.
type Digest struct {
	Count int
	// Senders are their names, and Lines what is shown of the latest messages; both
	// are fit to be shown.
	Senders, Lines []string
	// Level is that of the most urgent one.
	Level messngr.Level
	// Waited says that they came while nobody was there.
	Waited bool
}

// Digest makes the card of many messages. Hidden leaves how many they are.
func (w *Words) Digest(d Digest, hidden bool) notification.Note {
	forms := w.digest
	if d.Waited {
		forms = w.waited
	}
	n := notification.Note{
		Summary: plural(forms[0], forms[1], d.Count), Icon: "messngr", Urgency: notification.Normal,
		Actions: []notification.Action{
			{Key: notification.ActionDefault, Label: w.open},
			{Key: KeyRead, Label: w.markRead},
		},
	}
	if d.Level >= messngr.LevelUrgent {
		n.Urgency, n.Stays = notification.Critical, true
	}
	if hidden {
		n.Body = w.hiddenDigest
		n.Actions = n.Actions[:1]
		return n
	}
	names := w.senders + " " + strings.Join(d.Senders[:min(len(d.Senders), digestNames)], ", ")
	if more := len(d.Senders) - digestNames; more > 0 {
		names += " " + plural(w.others[0], w.others[1], more)
	}
	n.Body = strings.Join(append([]string{names}, d.Lines...), "\n")
	return n
}

// plural chooses the form for a number.
func plural(one, several string, n int) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(several, n)
}
