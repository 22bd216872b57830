package window

import "messngr/desktop/gtk"

// note is a line above the lower edge that says what happened.
type note struct {
	gtk.Box
	text   gtk.Label
	button gtk.Button
	// press is what the button does.
	press func()
}

func newNote(app *gtk.App) note {
	n := note{Box: app.NewRow(10), text: app.NewParagraph(""), button: app.NewButton("")}
	n.SetBorder(8)
	n.SetRole(gtk.RoleNotification)
	n.AddFilling(n.text)
	n.AddEnd(n.button)
	n.text.Show()
	n.KeepHidden()
	return n
}

// say shows a sentence.
func (n *note) say(text string) {
	n.RemoveClass("messngr-warning")
	n.text.SetText(text)
	n.SetAccessible(text, "")
	n.button.SetVisible(false)
	n.SetVisible(true)
}

// warn shows a sentence that nobody is to overlook.
func (n *note) warn(text string) {
	n.say(text)
	n.AddClass("messngr-warning")
}

// offer shows a sentence, and a button for what can be done about it.
func (n *note) offer(text, button string, press func()) {
	n.say(text)
	n.button.SetText(button)
	if n.press == nil {
		n.button.OnClick(func() { n.press() })
	}
	n.press = press
	n.button.SetVisible(true)
}

func (n *note) hide() { n.SetVisible(false) }
