package gtk

// Object is a widget, as far as putting it somewhere goes.
type Object interface{ handle() ptr }

// Widget is anything on the screen.
type Widget struct {
	a *App
	p ptr
}

func (w Widget) handle() ptr { return w.p }

// Valid reports whether w stands for a widget at all.
func (w Widget) Valid() bool { return w.p != 0 }

// Align says where a widget stands in room that is larger than it.
type Align int32

// The alignments. Start is left where people write from left to right.
const (
	Fill Align = iota
	Start
	End
	Center
)

// Show makes the widget visible.
func (w Widget) Show() { w.a.c.gtk_widget_show(w.p) }

// ShowAll makes the widget and everything in it visible, but what was hidden
// with KeepHidden.
func (w Widget) ShowAll() { w.a.c.gtk_widget_show_all(w.p) }

// Hide takes the widget off the screen.
func (w Widget) Hide() { w.a.c.gtk_widget_hide(w.p) }

// KeepHidden excludes the widget from ShowAll, until SetVisible.
func (w Widget) KeepHidden() { w.a.c.gtk_widget_set_no_show_all(w.p, 1) }

// ShowContent shows a widget that was kept hidden, with everything in it.
func (w Widget) ShowContent() {
	w.a.c.gtk_widget_set_no_show_all(w.p, 0)
	w.a.c.gtk_widget_show_all(w.p)
	w.a.c.gtk_widget_set_no_show_all(w.p, 1)
}

// SetVisible shows the widget or hides it.
func (w Widget) SetVisible(v bool) { w.a.c.gtk_widget_set_visible(w.p, truth(v)) }

// Visible reports whether the widget would be seen if its window were shown.
func (w Widget) Visible() bool { return w.a.c.gtk_widget_get_visible(w.p) != 0 }

// Destroy ends the widget and everything in it.
func (w Widget) Destroy() { w.a.c.gtk_widget_destroy(w.p) }

// SetSensitive says whether the widget can be used; it is dimmed if not.
func (w Widget) SetSensitive(v bool) { w.a.c.gtk_widget_set_sensitive(w.p, truth(v)) }

// SetCanFocus says whether the keyboard can get to the widget.
func (w Widget) SetCanFocus(v bool) { w.a.c.gtk_widget_set_can_focus(w.p, truth(v)) }

// GrabFocus gives the widget the keyboard.
func (w Widget) GrabFocus() { w.a.c.gtk_widget_grab_focus(w.p) }

// SetAlign says where the widget stands in larger room.
func (w Widget) SetAlign(h, v Align) {
	w.a.c.gtk_widget_set_halign(w.p, int32(h))
	w.a.c.gtk_widget_set_valign(w.p, int32(v))
}

// SetMinSize says how many pixels the widget takes at least; -1: what it needs.
func (w Widget) SetMinSize(width, height int) {
	w.a.c.gtk_widget_set_size_request(w.p, int32(width), int32(height))
}

// NaturalWidth is how many pixels the widget would like to take. It has to be
// visible, though not on the screen yet.
func (w Widget) NaturalWidth() int {
	var least, natural int32
	w.a.c.gtk_widget_get_preferred_width(w.p, &least, &natural)
	return int(natural)
}

// NaturalHeight is how many pixels the widget would like to take in height if
// it has so many in width. It has to be visible, though not on the screen yet.
func (w Widget) NaturalHeight(width int) int {
	var least, natural int32
	w.a.c.gtk_widget_get_preferred_height_for_width(w.p, int32(width), &least, &natural)
	return int(natural)
}

// SetMargins sets the room around the widget, in pixels.
func (w Widget) SetMargins(top, end, bottom, start int) {
	w.a.c.gtk_widget_set_margin_top(w.p, int32(top))
	w.a.c.gtk_widget_set_margin_end(w.p, int32(end))
	w.a.c.gtk_widget_set_margin_bottom(w.p, int32(bottom))
	w.a.c.gtk_widget_set_margin_start(w.p, int32(start))
}

// SetTooltip sets the text that is shown under a resting pointer. Screen readers
// take it for the widget's description.
func (w Widget) SetTooltip(text string) { w.a.c.gtk_widget_set_tooltip_text(w.p, clean(text)) }

// AddClass gives the widget a class of the style sheet.
func (w Widget) AddClass(class string) {
	w.a.c.gtk_style_context_add_class(w.a.c.gtk_widget_get_style_context(w.p), class)
}

// RemoveClass takes a class away.
func (w Widget) RemoveClass(class string) {
	w.a.c.gtk_style_context_remove_class(w.a.c.gtk_widget_get_style_context(w.p), class)
}

// SetStyle gives this widget alone some style.
func (w Widget) SetStyle(css string) {
	p := w.a.provider(css)
	defer w.a.c.g_object_unref(p)
	w.a.c.gtk_style_context_add_provider(w.a.c.gtk_widget_get_style_context(w.p), p, stylePriority)
}

// stylePriority is above what the theme says and below what the user says.
const stylePriority = 600

func (a *App) provider(css string) ptr {
	p := a.c.gtk_css_provider_new()
	a.c.gtk_css_provider_load_from_data(p, css, int64(len(css)), 0)
	return p
}

// SetStyle gives the whole application a style sheet.
func (a *App) SetStyle(css string) {
	p := a.provider(css)
	defer a.c.g_object_unref(p)
	a.c.gtk_style_context_add_provider_for_screen(a.c.gdk_screen_get_default(), p, stylePriority)
}

// TextSize says how many pixels the text takes in the widget's font when it is
// wrapped at so many pixels (0: not wrapped). With a size in pixels that is not
// 0, the font is of that size, and bold.
func (w Widget) TextSize(text string, wrap, size int) (width, height int) {
	const (
		pangoUnit     = 1024
		wrapWordsChar = 2
	)
	c := w.a.c
	layout := c.gtk_widget_create_pango_layout(w.p, clean(text))
	defer c.g_object_unref(layout)
	if wrap > 0 {
		c.pango_layout_set_width(layout, int32(wrap*pangoUnit))
		c.pango_layout_set_wrap(layout, wrapWordsChar)
	}
	if size > 0 {
		font := c.pango_font_description_from_string("Sans Bold")
		defer c.pango_font_description_free(font)
		c.pango_font_description_set_absolute_size(font, float64(size*pangoUnit))
		c.pango_layout_set_font_description(layout, font)
	}
	var x, y int32
	c.pango_layout_get_pixel_size(layout, &x, &y)
	return int(x), int(y)
}

// Role is what a widget is to a screen reader.
type Role int32

// The roles of ATK that differ from those that GTK gives by itself.
const (
	RoleAlert        Role = 2
	RoleToolbar      Role = 62
	RoleStatusbar    Role = 53
	RoleHeading      Role = 81
	RoleNotification Role = 99
)

// SetAccessible says what screen readers are told of the widget: its name, and
// more about it. What is empty stays as it is.
func (w Widget) SetAccessible(name, description string) {
	acc := w.a.c.gtk_widget_get_accessible(w.p)
	if name != "" {
		w.a.c.atk_object_set_name(acc, clean(name))
	}
	if description != "" {
		w.a.c.atk_object_set_description(acc, clean(description))
	}
}

// SetRole says what the widget is to screen readers, before it is shown.
func (w Widget) SetRole(r Role) {
	w.a.c.atk_object_set_role(w.a.c.gtk_widget_get_accessible(w.p), int32(r))
}

// on connects a handler of a signal whose arguments and result do not matter.
func (w Widget) on(signal string, f func()) {
	w.a.calls.connect(w.p, signal, func([3]ptr) ptr { f(); return 0 })
}

// OnMapped has f called whenever the widget comes on the screen.
func (w Widget) OnMapped(f func()) { w.on("map", f) }

// Key is a key that was pressed.
type Key struct {
	// Name is GDK's, such as "Escape", "Return" or "a".
	Name string
	// Char is the character that it writes; 0: none.
	Char rune
	// Ctrl and Alt say what was held down.
	Ctrl, Alt bool
}

// OnKey has f called for each key before the widget sees it; the widget does
// not if f returns true.
func (w Widget) OnKey(f func(Key) bool) {
	const ctrl, alt = 1 << 2, 1 << 3
	w.a.calls.connect(w.p, "key-press-event", func(args [3]ptr) ptr {
		var code uint32
		var mods int32
		if w.a.c.gdk_event_get_keyval(args[0], &code) == 0 {
			return 0
		}
		w.a.c.gdk_event_get_state(args[0], &mods)
		k := Key{
			Name: w.a.c.gdk_keyval_name(code), Char: rune(w.a.c.gdk_keyval_to_unicode(code)),
			Ctrl: mods&ctrl != 0, Alt: mods&alt != 0,
		}
		return ptr(truth(f(k)))
	})
}
