package gtk

// Entry is one line to write in.
type Entry struct{ Widget }

// NewEntry makes an entry.
func (a *App) NewEntry() Entry { return Entry{Widget{a, a.c.gtk_entry_new()}} }

// NewSearch makes an entry that looks like one for searching.
func (a *App) NewSearch() Entry { return Entry{Widget{a, a.c.gtk_search_entry_new()}} }

// Text is what was written.
func (e Entry) Text() string { return e.a.c.gtk_entry_get_text(e.p) }

// SetText changes what is written, and puts the cursor behind it.
func (e Entry) SetText(text string) {
	e.a.c.gtk_entry_set_text(e.p, clean(text))
	e.a.c.gtk_editable_set_position(e.p, -1)
}

// SetPlaceholder sets the text that is seen while nothing is written.
func (e Entry) SetPlaceholder(text string) { e.a.c.gtk_entry_set_placeholder_text(e.p, clean(text)) }

// SetChars sets the width that the entry asks for, in characters.
func (e Entry) SetChars(n int) { e.a.c.gtk_entry_set_width_chars(e.p, int32(n)) }

// OnChange has f called when what is written changes.
func (e Entry) OnChange(f func()) { e.on("changed", f) }

// OnSearch has f called when a search entry has not changed for a moment.
func (e Entry) OnSearch(f func()) { e.on("search-changed", f) }

// OnStopSearch has f called when Escape is pressed in a search entry.
func (e Entry) OnStopSearch(f func()) { e.on("stop-search", f) }

// Completion offers ways to go on with what is being written.
type Completion struct {
	Widget
	model ptr
}

const typeString = 16 << 2 // G_TYPE_STRING

// NewCompletion gives the entry a list of offers, which is empty at first.
// chosen is called with the offer that a person takes.
func (e Entry) NewCompletion(chosen func(text string)) Completion {
	c := e.a.c
	columns := uint64(typeString)
	comp := Completion{Widget: Widget{e.a, c.gtk_entry_completion_new()}, model: c.gtk_list_store_newv(1, &columns)}
	c.gtk_entry_completion_set_model(comp.p, comp.model)
	c.gtk_entry_completion_set_text_column(comp.p, 0)
	c.gtk_entry_completion_set_minimum_key_length(comp.p, 0)
	c.gtk_entry_completion_set_match_func(comp.p, e.a.calls.matchAll, 0, 0)
	c.gtk_entry_set_completion(e.p, comp.p)
	e.a.calls.connect(comp.p, "match-selected", func(args [3]ptr) ptr {
		var v gvalue
		c.gtk_tree_model_get_value(args[0], args[1], 0, &v)
		text := c.g_value_get_string(&v)
		c.g_value_unset(&v)
		chosen(text)
		return 1
	})
	// The entry and the completion hold what they need.
	c.g_object_unref(comp.model)
	c.g_object_unref(comp.p)
	return comp
}

// Offer replaces the offers.
func (c Completion) Offer(list []string) {
	lib := c.a.c
	lib.gtk_list_store_clear(c.model)
	for _, text := range list {
		var row iter
		var v gvalue
		lib.gtk_list_store_append(c.model, &row)
		lib.g_value_init(&v, typeString)
		lib.g_value_set_string(&v, clean(text))
		lib.gtk_list_store_set_value(c.model, &row, 0, &v)
		lib.g_value_unset(&v)
	}
}

// TextView is several lines, to read or to write in.
type TextView struct {
	Widget
	buffer ptr
}

// NewTextView makes a text view. The Tab key leads out of it. The direction of
// each paragraph is that of its text.
func (a *App) NewTextView(editable bool) TextView {
	const wrapWordsChar = 3
	v := TextView{Widget: Widget{a, a.c.gtk_text_view_new()}}
	v.buffer = a.c.gtk_text_view_get_buffer(v.p)
	a.c.gtk_text_view_set_wrap_mode(v.p, wrapWordsChar)
	a.c.gtk_text_view_set_accepts_tab(v.p, 0)
	a.c.gtk_text_view_set_editable(v.p, truth(editable))
	return v
}

// HideCursor shows the text without a cursor, which only leads through it.
func (v TextView) HideCursor() { v.a.c.gtk_text_view_set_cursor_visible(v.p, 0) }

// SetPadding sets the room around the text, in pixels.
func (v TextView) SetPadding(vertical, horizontal int) {
	c := v.a.c
	c.gtk_text_view_set_top_margin(v.p, int32(vertical))
	c.gtk_text_view_set_bottom_margin(v.p, int32(vertical))
	c.gtk_text_view_set_left_margin(v.p, int32(horizontal))
	c.gtk_text_view_set_right_margin(v.p, int32(horizontal))
}

// SetText changes the text, and puts the cursor before it.
func (v TextView) SetText(text string) {
	text = clean(text)
	v.a.c.gtk_text_buffer_set_text(v.buffer, text, int32(len(text)))
	var start iter
	v.a.c.gtk_text_buffer_get_start_iter(v.buffer, &start)
	v.a.c.gtk_text_buffer_place_cursor(v.buffer, &start)
}

// CursorToEnd puts the cursor behind the text.
func (v TextView) CursorToEnd() {
	var end iter
	v.a.c.gtk_text_buffer_get_end_iter(v.buffer, &end)
	v.a.c.gtk_text_buffer_place_cursor(v.buffer, &end)
}

// Text is the text as it stands.
func (v TextView) Text() string {
	var from, to iter
	v.a.c.gtk_text_buffer_get_bounds(v.buffer, &from, &to)
	return v.a.c.take(v.a.c.gtk_text_buffer_get_text(v.buffer, &from, &to, 1))
}

// OnChange has f called when the text changes.
func (v TextView) OnChange(f func()) { Widget{v.a, v.buffer}.on("changed", f) }

// SetCentered puts the lines into the middle.
func (v TextView) SetCentered() {
	const justifyCenter = 2
	v.a.c.gtk_text_view_set_justification(v.p, justifyCenter)
}
