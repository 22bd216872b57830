package gtk

// Box lines widgets up in a row or a column.
type Box struct{ Widget }

// NewRow makes a row with so many pixels between the widgets.
func (a *App) NewRow(spacing int) Box { return Box{Widget{a, a.c.gtk_box_new(0, int32(spacing))}} }

// NewColumn makes a column with so many pixels between the widgets.
func (a *App) NewColumn(spacing int) Box { return Box{Widget{a, a.c.gtk_box_new(1, int32(spacing))}} }

// Add puts widgets at the end of the box.
func (b Box) Add(list ...Object) {
	for _, o := range list {
		b.a.c.gtk_box_pack_start(b.p, o.handle(), 0, 1, 0)
	}
}

// AddFilling puts a widget at the end of the box that takes the room left over.
func (b Box) AddFilling(o Object) { b.a.c.gtk_box_pack_start(b.p, o.handle(), 1, 1, 0) }

// AddEnd puts widgets at the far end of the box, the last one innermost.
func (b Box) AddEnd(list ...Object) {
	for _, o := range list {
		b.a.c.gtk_box_pack_end(b.p, o.handle(), 0, 1, 0)
	}
}

// AddWrapped puts buttons into the column, in as many rows as it takes for each
// to be at most so many pixels wide, and returns how many rows that are.
func (b Box) AddWrapped(buttons []Button, spacing, width int, align Align) (rows int) {
	var row Box
	left := 0
	for _, button := range buttons {
		button.ShowAll()
		w := button.NaturalWidth()
		if rows == 0 || w > left {
			row, left = b.a.NewRow(spacing), width
			row.SetAlign(align, Fill)
			b.Add(row)
			rows++
		}
		row.Add(button)
		left -= w + spacing
	}
	return rows
}

// SetBorder sets the room around everything in the box, in pixels.
func (b Box) SetBorder(px int) { b.a.c.gtk_container_set_border_width(b.p, uint32(px)) }

// Grid lines widgets up in rows and columns.
type Grid struct{ Widget }

// NewGrid makes a grid with so many pixels between its rows and columns.
func (a *App) NewGrid(rowSpacing, columnSpacing int) Grid {
	g := Grid{Widget{a, a.c.gtk_grid_new()}}
	a.c.gtk_grid_set_row_spacing(g.p, uint32(rowSpacing))
	a.c.gtk_grid_set_column_spacing(g.p, uint32(columnSpacing))
	return g
}

// Put puts a widget into a cell.
func (g Grid) Put(o Object, column, row int) {
	g.a.c.gtk_grid_attach(g.p, o.handle(), int32(column), int32(row), 1, 1)
}

// NewSeparator makes a thin line between what is above and below.
func (a *App) NewSeparator() Widget { return Widget{a, a.c.gtk_separator_new(0)} }

// Scroll shows a part of something larger.
type Scroll struct{ Widget }

// NewScroll makes a widget that scrolls up and down through another one.
func (a *App) NewScroll(o Object, framed bool) Scroll {
	const never, automatic, shadowIn = 2, 1, 1
	s := Scroll{Widget{a, a.c.gtk_scrolled_window_new(0, 0)}}
	a.c.gtk_scrolled_window_set_policy(s.p, never, automatic)
	s.SetCanFocus(false) // what is in it can be got to
	if framed {
		a.c.gtk_scrolled_window_set_shadow_type(s.p, shadowIn)
	}
	a.c.gtk_container_add(s.p, o.handle())
	return s
}

// SetMinHeight sets how many pixels of the content are seen at least.
func (s Scroll) SetMinHeight(px int) {
	s.a.c.gtk_scrolled_window_set_min_content_height(s.p, int32(px))
}

// OnScroll has f called when another part of the content is seen, with how many
// pixels are left below it.
func (s Scroll) OnScroll(f func(below float64)) {
	c := s.a.c
	adj := Widget{s.a, c.gtk_scrolled_window_get_vadjustment(s.p)}
	adj.on("value-changed", func() {
		f(c.gtk_adjustment_get_upper(adj.p) - c.gtk_adjustment_get_page_size(adj.p) - c.gtk_adjustment_get_value(adj.p))
	})
}

// Top scrolls to the beginning.
func (s Scroll) Top() {
	s.a.c.gtk_adjustment_set_value(s.a.c.gtk_scrolled_window_get_vadjustment(s.p), 0)
}

// NewSplit puts two widgets side by side with a handle between them; the first
// one is so many pixels wide at first.
func (a *App) NewSplit(first, second Object, at int) Widget {
	w := Widget{a, a.c.gtk_paned_new(0)}
	a.c.gtk_paned_pack1(w.p, first.handle(), 0, 0)
	a.c.gtk_paned_pack2(w.p, second.handle(), 1, 0)
	a.c.gtk_paned_set_position(w.p, int32(at))
	w.SetCanFocus(false)
	return w
}

// Stack shows one of several widgets.
type Stack struct{ Widget }

// NewStack makes a stack without widgets.
func (a *App) NewStack() Stack { return Stack{Widget{a, a.c.gtk_stack_new()}} }

// Add puts a widget into the stack under a name.
func (s Stack) Add(name string, o Object) { s.a.c.gtk_stack_add_named(s.p, o.handle(), name) }

// Choose shows the widget of that name.
func (s Stack) Choose(name string) { s.a.c.gtk_stack_set_visible_child_name(s.p, name) }

// List is a column of rows of which one can be selected.
type List struct{ Widget }

// NewList makes a list without rows.
func (a *App) NewList() List { return List{Widget{a, a.c.gtk_list_box_new()}} }

// Insert puts a row with that content before the row with the number at (-1: at
// the end). Screen readers call the row by name.
func (l List) Insert(content Object, name string, at int) {
	row := Widget{l.a, l.a.c.gtk_list_box_row_new()}
	l.a.c.gtk_container_add(row.p, content.handle())
	row.SetAccessible(name, "")
	row.ShowAll()
	l.a.c.gtk_list_box_insert(l.p, row.p, int32(at))
}

// Remove ends the row with that number.
func (l List) Remove(n int) {
	if row := l.a.c.gtk_list_box_get_row_at_index(l.p, int32(n)); row != 0 {
		l.a.c.gtk_widget_destroy(row)
	}
}

// Select selects the row with that number; -1: none.
func (l List) Select(n int) {
	if n < 0 {
		l.a.c.gtk_list_box_unselect_all(l.p)
		return
	}
	if row := l.a.c.gtk_list_box_get_row_at_index(l.p, int32(n)); row != 0 {
		l.a.c.gtk_list_box_select_row(l.p, row)
	}
}

// Focus gives the selected row the keyboard.
func (l List) Focus() {
	if row := l.a.c.gtk_list_box_get_selected_row(l.p); row != 0 {
		l.a.c.gtk_widget_grab_focus(row)
	}
}

// FocusFollows gives the selected row the keyboard if another row has it.
func (l List) FocusFollows() {
	if l.a.c.gtk_container_get_focus_child(l.p) != 0 {
		l.Focus()
	}
}

// Reveal scrolls so that the row with that number is seen.
func (l List) Reveal(s Scroll, n int) {
	row := l.a.c.gtk_list_box_get_row_at_index(l.p, int32(n))
	if row == 0 {
		return
	}
	var x, y int32
	if l.a.c.gtk_widget_translate_coordinates(row, l.p, 0, 0, &x, &y) == 0 {
		return
	}
	height := l.a.c.gtk_widget_get_allocated_height(row)
	l.a.c.gtk_adjustment_clamp_page(l.a.c.gtk_scrolled_window_get_vadjustment(s.p), float64(y), float64(y+height))
}

// SetRowName changes what screen readers call a row.
func (l List) SetRowName(n int, name string) {
	if row := l.a.c.gtk_list_box_get_row_at_index(l.p, int32(n)); row != 0 {
		Widget{l.a, row}.SetAccessible(name, "")
	}
}

// OnSelect has f called with the number of the row that was selected; -1: none.
func (l List) OnSelect(f func(n int)) {
	l.a.calls.connect(l.p, "row-selected", func(args [3]ptr) ptr {
		if args[0] == 0 {
			f(-1)
		} else {
			f(int(l.a.c.gtk_list_box_row_get_index(args[0])))
		}
		return 0
	})
}
