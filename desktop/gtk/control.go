package gtk

// Label is text that is read only.
type Label struct{ Widget }

// NewLabel makes a label of one line, at the start of its room, that is cut with
// an ellipsis if there is not enough.
func (a *App) NewLabel(text string) Label {
	const ellipsizeEnd = 3
	l := Label{Widget{a, a.c.gtk_label_new(clean(text))}}
	a.c.gtk_label_set_xalign(l.p, 0)
	a.c.gtk_label_set_ellipsize(l.p, ellipsizeEnd)
	return l
}

// NewCaption makes a label that says what stands beside it, to people and to
// screen readers.
func (a *App) NewCaption(text string, of Object) Label {
	l := Label{Widget{a, a.c.gtk_label_new(clean(text))}}
	a.c.gtk_label_set_mnemonic_widget(l.p, of.handle())
	a.c.gtk_label_set_xalign(l.p, 1)
	l.SetAlign(End, Center)
	return l
}

// NewParagraph makes a label that is wrapped in the room it has.
func (a *App) NewParagraph(text string) Label {
	const wrapWordsChar = 2
	l := Label{Widget{a, a.c.gtk_label_new(clean(text))}}
	a.c.gtk_label_set_xalign(l.p, 0)
	a.c.gtk_label_set_line_wrap(l.p, 1)
	a.c.gtk_label_set_line_wrap_mode(l.p, wrapWordsChar)
	return l
}

// NewMnemonic makes a label whose underlined letter leads to the other widget,
// and which screen readers take for its name.
func (a *App) NewMnemonic(text string, other Object) Label {
	l := Label{Widget{a, a.c.gtk_label_new_with_mnemonic(clean(text))}}
	a.c.gtk_label_set_xalign(l.p, 0)
	a.c.gtk_label_set_mnemonic_widget(l.p, other.handle())
	return l
}

// SetText changes the text.
func (l Label) SetText(text string) { l.a.c.gtk_label_set_text(l.p, clean(text)) }

// SetWhole shows the label whole, however long it is.
func (l Label) SetWhole() { l.a.c.gtk_label_set_ellipsize(l.p, 0) }

// SetMaxLines bounds a paragraph to so many lines, and cuts it with an ellipsis.
func (l Label) SetMaxLines(n int) {
	const ellipsizeEnd = 3
	l.a.c.gtk_label_set_lines(l.p, int32(n))
	l.a.c.gtk_label_set_ellipsize(l.p, ellipsizeEnd)
}

// SetMaxChars bounds the width that the label asks for, in characters.
func (l Label) SetMaxChars(n int) { l.a.c.gtk_label_set_max_width_chars(l.p, int32(n)) }

// SetChars sets the width that the label asks for at least, in characters.
func (l Label) SetChars(n int) { l.a.c.gtk_label_set_width_chars(l.p, int32(n)) }

// SetCentered puts the lines into the middle.
func (l Label) SetCentered() {
	const justifyCenter = 2
	l.a.c.gtk_label_set_xalign(l.p, 0.5)
	l.a.c.gtk_label_set_justify(l.p, justifyCenter)
}

// SetSelectable lets people mark and copy the text. It then takes part in the
// round of the Tab key.
func (l Label) SetSelectable() { l.a.c.gtk_label_set_selectable(l.p, 1) }

// Image is an icon.
type Image struct{ Widget }

// NewImage makes an icon of the icon theme, so many pixels large. It is nothing
// to a screen reader: what it says must stand beside it in words.
func (a *App) NewImage(name string, px int) Image {
	const button = 4
	i := Image{Widget{a, a.c.gtk_image_new_from_icon_name(name, button)}}
	a.c.gtk_image_set_pixel_size(i.p, int32(px))
	return i
}

// SetIcon changes the icon.
func (i Image) SetIcon(name string) {
	const button = 4
	i.a.c.gtk_image_set_from_icon_name(i.p, name, button)
}

// Button is something to press.
type Button struct{ Widget }

// NewButton makes a button. The letter after an underscore presses it together
// with Alt; a double underscore is shown as one.
func (a *App) NewButton(text string) Button {
	b := Button{Widget{a, a.c.gtk_button_new_with_mnemonic(clean(text))}}
	// GTK drops a press by letter that follows another one within a quarter of a
	// second; a click comes at once.
	b.a.calls.connect(b.p, "mnemonic-activate", func([3]ptr) ptr {
		b.Click()
		return 1
	})
	return b
}

// NewIconButton makes a button with an icon before its text.
func (a *App) NewIconButton(icon, text string) Button {
	b := a.NewButton(text)
	a.c.gtk_button_set_image(b.p, a.NewImage(icon, 16).p)
	a.c.gtk_button_set_always_show_image(b.p, 1)
	return b
}

// SetText changes the text, underscores as in NewButton.
func (b Button) SetText(text string) {
	b.a.c.gtk_button_set_label(b.p, clean(text))
	b.a.c.gtk_button_set_use_underline(b.p, 1)
}

// IconOnly takes the text off a button with an icon; screen readers are told the
// name.
func (b Button) IconOnly(name string) {
	b.a.c.gtk_button_set_label(b.p, "")
	b.SetAccessible(name, "")
}

// Click presses the button.
func (b Button) Click() { b.a.c.gtk_button_clicked(b.p) }

// OnClick has f called when the button is pressed.
func (b Button) OnClick(f func()) { b.on("clicked", f) }

// Toggle is something that is on or off.
type Toggle struct{ Widget }

// NewCheck makes a check box.
func (a *App) NewCheck(text string) Toggle {
	return Toggle{Widget{a, a.c.gtk_check_button_new_with_mnemonic(clean(text))}}
}

// NewRadio makes a button of which only one of a group is on; the first one of
// a group is made with the zero Toggle.
func (a *App) NewRadio(group Toggle, text string) Toggle {
	return Toggle{Widget{a, a.c.gtk_radio_button_new_with_mnemonic_from_widget(group.p, clean(text))}}
}

// Set turns it on or off.
func (t Toggle) Set(on bool) { t.a.c.gtk_toggle_button_set_active(t.p, truth(on)) }

// On reports whether it is on.
func (t Toggle) On() bool { return t.a.c.gtk_toggle_button_get_active(t.p) != 0 }

// OnChange has f called when it was turned on or off.
func (t Toggle) OnChange(f func()) { t.on("toggled", f) }

// Menu is a list of things to do that opens from a button.
type Menu struct{ Widget }

// NewMenuButton makes a button that opens a menu. It has no text, so it needs a
// name for screen readers.
func (a *App) NewMenuButton(icon, name string) (Button, Menu) {
	b := Button{Widget{a, a.c.gtk_menu_button_new()}}
	m := Menu{Widget{a, a.c.gtk_menu_new()}}
	a.c.gtk_menu_button_set_popup(b.p, m.p)
	a.c.gtk_button_set_image(b.p, a.NewImage(icon, 16).p)
	b.SetAccessible(name, "")
	b.SetTooltip(name)
	return b, m
}

// Add puts an item at the end of the menu.
func (m Menu) Add(text string, f func()) Widget {
	item := Widget{m.a, m.a.c.gtk_menu_item_new_with_mnemonic(clean(text))}
	item.on("activate", f)
	item.Show()
	m.a.c.gtk_menu_shell_append(m.p, item.p)
	return item
}

// AddLine puts a line at the end of the menu.
func (m Menu) AddLine() {
	line := Widget{m.a, m.a.c.gtk_separator_menu_item_new()}
	line.Show()
	m.a.c.gtk_menu_shell_append(m.p, line.p)
}
