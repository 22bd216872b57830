package card

import (
	"errors"
	"strings"

	"messngr/control"
)

// Words are what a person reads, in one language. The words for trust are those
// of the desktop program's catalogues.
type Words struct {
	// App is the name of the whole.
	App string
	// HowToReply and HowToOpen say what to type to answer a message or to see it
	// whole, with a gap for its number; HowToList the same for all of them.
	HowToReply, HowToOpen, HowToList string
	// CannotReply says that there is nobody to answer, NotSent that an answer did
	// not leave, before the reason, and Owed that the service does not know yet
	// what was acknowledged.
	CannotReply, NotSent, Owed string
	// Unread is how many messages are unread: none, one, or several, with a gap
	// for the number.
	Unread [3]string
	// Muted says that nobody is to be disturbed.
	Muted string
	// The lines of the menu.
	MenuShow, MenuRead, MenuMuted, MenuQuit, MenuWindow string

	away, noAccess string // why the service cannot be asked

	// trust by messngr.Trust.
	trust [5]string
	// somebody is a sender without a name; local is the way of a message that
	// never left this machine; from stands between a way and an address.
	somebody, local, from string

	urgent, emergency, drill string
	answers                  string    // before the answers to choose from
	until                    string    // with a time
	more                     [2]string // one line, several (with a number); then the number of the message
	hidden                   string    // in the place of a text on a locked screen
	hiddenDigest             string

	reply, acknowledge, open, markRead string // buttons

	digest  [2]string // one message, several (with a number)
	waited  [2]string // the same, for those that came while nobody was there
	senders string    // before a list of names
	others  [2]string // and one more, and several (with a number)
}

// Trouble says why the service cannot be asked.
func (w *Words) Trouble(err error) string {
	if errors.Is(err, control.ErrNoAccess) {
		return w.noAccess
	}
	return w.away
}

// Choose returns the words for the language of messages (locale(7)).
func Choose(getenv func(string) string) *Words {
	locale := ""
	for _, variable := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale = getenv(variable); locale != "" {
			break
		}
	}
	if language := getenv("LANGUAGE"); language != "" && locale != "" && locale != "C" && locale != "POSIX" {
		locale = language // what the desktop was set to, where it is set to anything
	}
	if strings.HasPrefix(strings.ToLower(locale), "de") {
		return german()
	}
	return english()
}

func english() *Words {
	return &Words{
		App:      "Messages",
		trust:    [5]string{"unverified", "first contact", "vouched", "paired", "site"},
		somebody: "somebody", local: "this computer", from: "from",
		urgent: "URGENT", emergency: "EMERGENCY", drill: "DRILL",
		answers: "Please answer:", until: "Valid until %s",
		more:         [2]string{"… there is more: messngr inbox show %d", "… %d more lines: messngr inbox show %d"},
		hidden:       "The text is hidden while the screen is locked.",
		hiddenDigest: "Senders and texts are hidden while the screen is locked.",
		reply:        "Reply", acknowledge: "Acknowledge", open: "Open", markRead: "Mark all as read",
		digest:  [2]string{"One more message", "%d more messages"},
		waited:  [2]string{"One message waits", "%d messages wait"},
		senders: "From", others: [2]string{"and one more", "and %d more"},
		HowToReply:  "In a terminal: messngr reply %d \"your text\"",
		HowToOpen:   "In a terminal: messngr inbox show %d",
		HowToList:   "In a terminal: messngr inbox",
		CannotReply: "This sender cannot be answered.",
		NotSent:     "Not sent",
		Unread:      [3]string{"No unread messages", "One unread message", "%d unread messages"},
		Muted:       "Do not disturb is on",
		away:        "The Messenger service is not running", noAccess: "You have no access to the Messenger service",
		Owed:     "The Messenger service could not be told. It will be as soon as it answers.",
		MenuShow: "Show unread messages", MenuWindow: "Open the list",
		MenuRead: "Mark all as read", MenuMuted: "Do not disturb", MenuQuit: "Quit",
	}
}

func german() *Words {
	return &Words{
		App:      "Nachrichten",
		trust:    [5]string{"unbestätigt", "Erstkontakt", "verbürgt", "gekoppelt", "bestätigt"},
		somebody: "jemand", local: "dieser Rechner", from: "von",
		urgent: "DRINGEND", emergency: "NOTFALL", drill: "ÜBUNG",
		answers: "Bitte antworten:", until: "Gültig bis %s",
		more:         [2]string{"… es geht weiter: messngr inbox show %d", "… %d weitere Zeilen: messngr inbox show %d"},
		hidden:       "Der Text ist verborgen, solange der Bildschirm gesperrt ist.",
		hiddenDigest: "Absender und Texte sind verborgen, solange der Bildschirm gesperrt ist.",
		reply:        "Antworten", acknowledge: "Bestätigen", open: "Öffnen", markRead: "Alle gelesen",
		digest:  [2]string{"Noch eine Nachricht", "%d weitere Nachrichten"},
		waited:  [2]string{"Eine Nachricht wartet", "%d Nachrichten warten"},
		senders: "Von", others: [2]string{"und einmal mehr", "und %d weitere"},
		HowToReply:  "Im Terminal: messngr reply %d \"Ihr Text\"",
		HowToOpen:   "Im Terminal: messngr inbox show %d",
		HowToList:   "Im Terminal: messngr inbox",
		CannotReply: "Diesem Absender kann man nicht antworten.",
		NotSent:     "Nicht gesendet",
		Unread:      [3]string{"Keine ungelesenen Nachrichten", "Eine ungelesene Nachricht", "%d ungelesene Nachrichten"},
		Muted:       "„Nicht stören“ ist an",
		away:        "Der Nachrichtendienst läuft nicht", noAccess: "Sie haben keinen Zugang zum Nachrichtendienst",
		Owed:     "Der Nachrichtendienst konnte es noch nicht erfahren. Er erfährt es, sobald er antwortet.",
		MenuShow: "Ungelesene zeigen", MenuWindow: "Liste öffnen",
		MenuRead: "Alle als gelesen markieren", MenuMuted: "Nicht stören", MenuQuit: "Beenden",
	}
}
