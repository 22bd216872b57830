package gtk

// Window is a window of the desktop.
type Window struct{ Widget }

// NewWindow makes a window that is not shown yet. Closing it by its frame or by
// the desktop's keys does nothing by itself: see OnClose.
func (a *App) NewWindow(title string) Window {
	w := Window{Widget{a, a.c.gtk_window_new(0)}}
	w.SetTitle(title)
	a.c.gtk_application_add_window(a.app, w.p)
	return w
}

// SetTitle sets the title.
func (w Window) SetTitle(title string) { w.a.c.gtk_window_set_title(w.p, clean(title)) }

// SetIcon sets the icon by its name in the icon theme.
func (w Window) SetIcon(name string) { w.a.c.gtk_window_set_icon_name(w.p, name) }

// SetSize sets the size that the window has at first; -1: what it needs.
func (w Window) SetSize(width, height int) {
	w.a.c.gtk_window_set_default_size(w.p, int32(width), int32(height))
}

// Move puts the window's corner there, if the desktop lets it.
func (w Window) Move(x, y int) { w.a.c.gtk_window_move(w.p, int32(x), int32(y)) }

// Center opens the window in the middle of the screen.
func (w Window) Center() { w.a.c.gtk_window_set_position(w.p, 1) }

// Add puts the content into the window.
func (w Window) Add(o Object) { w.a.c.gtk_container_add(w.p, o.handle()) }

// SetKeepAbove says whether the window stays above others.
func (w Window) SetKeepAbove(v bool) { w.a.c.gtk_window_set_keep_above(w.p, truth(v)) }

// SetUrgent asks the desktop to draw attention to the window.
func (w Window) SetUrgent(v bool) { w.a.c.gtk_window_set_urgency_hint(w.p, truth(v)) }

// SetPlain takes away frame, title and entry in lists of windows.
func (w Window) SetPlain() {
	w.a.c.gtk_window_set_decorated(w.p, 0)
	w.a.c.gtk_window_set_skip_taskbar_hint(w.p, 1)
}

// SetDialog makes the window look like a dialog to the desktop.
func (w Window) SetDialog() { w.a.c.gtk_window_set_type_hint(w.p, 1) }

// SetParent keeps the window above another one, and opens it there; modal says
// that the other one cannot be used meanwhile.
func (w Window) SetParent(parent Window, modal bool) {
	w.a.c.gtk_window_set_transient_for(w.p, parent.p)
	w.a.c.gtk_window_set_modal(w.p, truth(modal))
	const centerOnParent = 4
	w.a.c.gtk_window_set_position(w.p, centerOnParent)
}

// Stick shows the window on every workspace.
func (w Window) Stick() { w.a.c.gtk_window_stick(w.p) }

// Present brings the window to the front, out of an icon if it is one.
func (w Window) Present() { w.a.c.gtk_window_present(w.p) }

// Iconify makes the window an icon.
func (w Window) Iconify() { w.a.c.gtk_window_iconify(w.p) }

// OnIconify has f called when the window becomes an icon.
func (w Window) OnIconify(f func()) {
	const iconified = 1 << 1
	w.a.calls.connect(w.p, "window-state-event", func([3]ptr) ptr {
		if gdk := w.a.c.gtk_widget_get_window(w.p); gdk != 0 && w.a.c.gdk_window_get_state(gdk)&iconified != 0 {
			f()
		}
		return 0
	})
}

// HideIcon takes the window off the desktop altogether, until Present.
func (w Window) HideIcon() {
	w.Hide()
	w.a.c.gtk_window_deiconify(w.p) // or Present would bring the icon back
}

// Active reports whether the window has the keyboard.
func (w Window) Active() bool { return w.a.c.gtk_window_is_active(w.p) != 0 }

// SetDefault makes Enter press that button, where nothing else takes it.
func (w Window) SetDefault(b Button) {
	w.a.c.gtk_widget_set_can_default(b.p, 1)
	w.a.c.gtk_window_set_default(w.p, b.p)
}

// ClearDefault makes Enter press no button.
func (w Window) ClearDefault() { w.a.c.gtk_window_set_default(w.p, 0) }

// SetFocus gives the widget the keyboard once the window has it.
func (w Window) SetFocus(o Object) { w.a.c.gtk_window_set_focus(w.p, o.handle()) }

// OnClose has f called when a person closes the window by its frame or by the
// desktop's keys. The window stays.
func (w Window) OnClose(f func()) {
	w.a.calls.connect(w.p, "delete-event", func([3]ptr) ptr { f(); return 1 })
}

// OnActive has f called when the window gets the keyboard.
func (w Window) OnActive(f func()) {
	w.a.calls.connect(w.p, "focus-in-event", func([3]ptr) ptr { f(); return 0 })
}

// OnInactive has f called when the window loses the keyboard.
func (w Window) OnInactive(f func()) {
	w.a.calls.connect(w.p, "focus-out-event", func([3]ptr) ptr { f(); return 0 })
}

// CoverMonitor makes the window cover a monitor: by place and size, and, once
// it is shown, by asking the desktop for full screen there.
func (w Window) CoverMonitor(m Monitor) {
	w.Move(m.X, m.Y)
	w.SetSize(m.Width, m.Height)
	w.SetMinSize(m.Width, m.Height)
	w.ShowAll()
	w.a.c.gtk_window_fullscreen_on_monitor(w.p, w.a.c.gdk_screen_get_default(), int32(m.Number))
}

// Monitor is one screen of the desktop, in pixels of the application.
type Monitor struct {
	Number              int
	X, Y, Width, Height int
}

// Monitors lists the screens.
func (a *App) Monitors() []Monitor { return a.monitors(a.c.gdk_monitor_get_geometry) }

// WorkAreas lists the screens without panels and docks.
func (a *App) WorkAreas() []Monitor { return a.monitors(a.c.gdk_monitor_get_workarea) }

// Room is the size of the smallest screen without its panels: where a window
// opens is for the desktop to say.
func (a *App) Room() (width, height int) {
	for i, m := range a.WorkAreas() {
		if i == 0 {
			width, height = m.Width, m.Height
		}
		width, height = min(width, m.Width), min(height, m.Height)
	}
	return width, height
}

func (a *App) monitors(area func(ptr, *rectangle)) []Monitor {
	display := a.c.gdk_display_get_default()
	list := make([]Monitor, a.c.gdk_display_get_n_monitors(display))
	for i := range list {
		var r rectangle
		area(a.c.gdk_display_get_monitor(display, int32(i)), &r)
		list[i] = Monitor{Number: i, X: int(r.x), Y: int(r.y), Width: int(r.width), Height: int(r.height)}
	}
	return list
}

// OnMonitors has f called when a screen was added, removed or changed.
func (a *App) OnMonitors(f func()) {
	screen := Widget{a, a.c.gdk_screen_get_default()}
	screen.on("monitors-changed", f)
	screen.on("size-changed", f)
}
