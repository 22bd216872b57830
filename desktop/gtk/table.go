package gtk

// lib is every C function that is used, under its own name. A field's type is
// its signature: int32 stands for gint, gboolean and enumerations, ptr for
// pointers, *byte for a string that the caller has to free. Nothing can check
// that at run time, so a test compares the table with GTK's own description.
type lib struct {
	// The main loop, memory, and the environment.
	g_set_prgname          func(name string)
	g_set_application_name func(name string)
	g_idle_add_full        func(priority int32, f, data, free ptr) uint32
	g_timeout_add_full     func(priority int32, ms uint32, f, data, free ptr) uint32
	g_source_remove        func(id uint32) int32
	g_free                 func(p *byte)

	// Objects and signals.
	g_object_unref        func(o ptr)
	g_signal_connect_data func(o ptr, signal string, f, data, free ptr, flags int32) uint64
	g_value_init          func(v *gvalue, t uint64) ptr
	g_value_set_string    func(v *gvalue, s string)
	g_value_unset         func(v *gvalue)

	// The application.
	gtk_init_check                    func(argc, argv ptr) int32
	gtk_application_new               func(id string, flags int32) ptr
	gtk_application_add_window        func(app, window ptr)
	g_application_register            func(app, cancellable, err ptr) int32
	g_application_get_is_remote       func(app ptr) int32
	g_application_run                 func(app ptr, argc int32, argv ptr) int32
	g_application_hold                func(app ptr)
	g_application_quit                func(app ptr)
	g_application_get_dbus_connection func(app ptr) ptr
	g_dbus_connection_flush_sync      func(c, cancellable, err ptr) int32
	g_simple_action_new               func(name string, t ptr) ptr
	g_action_map_add_action           func(m, action ptr)
	g_action_group_activate_action    func(g ptr, name string, v ptr)
	g_variant_type_new                func(t string) ptr
	g_variant_type_free               func(t ptr)
	g_variant_new_string              func(s string) ptr
	g_variant_get_string              func(v, length ptr) string

	// All widgets.
	gtk_widget_show                func(w ptr)
	gtk_widget_show_all            func(w ptr)
	gtk_widget_hide                func(w ptr)
	gtk_widget_get_window          func(w ptr) ptr
	gtk_widget_destroy             func(w ptr)
	gtk_widget_set_visible         func(w ptr, v int32)
	gtk_widget_get_visible         func(w ptr) int32
	gtk_widget_set_no_show_all     func(w ptr, v int32)
	gtk_widget_set_sensitive       func(w ptr, v int32)
	gtk_widget_set_can_default     func(w ptr, v int32)
	gtk_widget_set_can_focus       func(w ptr, v int32)
	gtk_widget_grab_focus          func(w ptr)
	gtk_widget_set_halign          func(w ptr, align int32)
	gtk_widget_set_valign          func(w ptr, align int32)
	gtk_widget_set_size_request    func(w ptr, width, height int32)
	gtk_widget_set_tooltip_text    func(w ptr, text string)
	gtk_widget_set_margin_start    func(w ptr, px int32)
	gtk_widget_set_margin_end      func(w ptr, px int32)
	gtk_widget_set_margin_top      func(w ptr, px int32)
	gtk_widget_set_margin_bottom   func(w ptr, px int32)
	gtk_widget_get_style_context   func(w ptr) ptr
	gtk_widget_create_pango_layout func(w ptr, text string) ptr
	gtk_container_add              func(c, w ptr)
	gtk_container_get_focus_child  func(c ptr) ptr
	gtk_container_set_border_width func(c ptr, px uint32)

	// Boxes and other containers.
	gtk_box_new                                func(orientation, spacing int32) ptr
	gtk_box_pack_start                         func(b, w ptr, expand, fill int32, padding uint32)
	gtk_box_pack_end                           func(b, w ptr, expand, fill int32, padding uint32)
	gtk_grid_new                               func() ptr
	gtk_grid_set_row_spacing                   func(g ptr, px uint32)
	gtk_grid_set_column_spacing                func(g ptr, px uint32)
	gtk_grid_attach                            func(g, w ptr, left, top, width, height int32)
	gtk_scrolled_window_new                    func(h, v ptr) ptr
	gtk_scrolled_window_set_policy             func(s ptr, h, v int32)
	gtk_scrolled_window_set_shadow_type        func(s ptr, t int32)
	gtk_scrolled_window_set_min_content_height func(s ptr, px int32)
	gtk_scrolled_window_get_vadjustment        func(s ptr) ptr
	gtk_adjustment_clamp_page                  func(a ptr, lower, upper float64)
	gtk_widget_translate_coordinates           func(w, to ptr, x, y int32, toX, toY *int32) int32
	gtk_widget_get_allocated_height            func(w ptr) int32
	gtk_widget_get_preferred_width             func(w ptr, least, natural *int32)
	gtk_widget_get_preferred_height_for_width  func(w ptr, width int32, least, natural *int32)
	gtk_adjustment_get_value                   func(a ptr) float64
	gtk_adjustment_get_upper                   func(a ptr) float64
	gtk_adjustment_get_page_size               func(a ptr) float64
	gtk_adjustment_set_value                   func(a ptr, v float64)
	gtk_paned_new                              func(orientation int32) ptr
	gtk_paned_pack1                            func(p, w ptr, resize, shrink int32)
	gtk_paned_pack2                            func(p, w ptr, resize, shrink int32)
	gtk_paned_set_position                     func(p ptr, px int32)
	gtk_separator_new                          func(orientation int32) ptr
	gtk_stack_new                              func() ptr
	gtk_stack_add_named                        func(s, w ptr, name string)
	gtk_stack_set_visible_child_name           func(s ptr, name string)

	// Windows.
	gtk_window_new                   func(t int32) ptr
	gtk_window_set_title             func(w ptr, title string)
	gtk_window_set_default_size      func(w ptr, width, height int32)
	gtk_window_set_icon_name         func(w ptr, name string)
	gtk_window_set_keep_above        func(w ptr, v int32)
	gtk_window_set_position          func(w ptr, position int32)
	gtk_window_set_type_hint         func(w ptr, hint int32)
	gtk_window_set_urgency_hint      func(w ptr, v int32)
	gtk_window_set_decorated         func(w ptr, v int32)
	gtk_window_set_transient_for     func(w, parent ptr)
	gtk_window_set_modal             func(w ptr, v int32)
	gtk_window_set_default           func(w, widget ptr)
	gtk_window_set_focus             func(w, widget ptr)
	gtk_window_set_skip_taskbar_hint func(w ptr, v int32)
	gtk_window_present               func(w ptr)
	gtk_window_iconify               func(w ptr)
	gtk_window_deiconify             func(w ptr)
	gtk_window_stick                 func(w ptr)
	gtk_window_move                  func(w ptr, x, y int32)
	gtk_window_is_active             func(w ptr) int32
	gtk_window_fullscreen_on_monitor func(w, screen ptr, monitor int32)

	// Monitors and events.
	gdk_display_get_default    func() ptr
	gdk_display_get_n_monitors func(d ptr) int32
	gdk_display_get_monitor    func(d ptr, n int32) ptr
	gdk_display_beep           func(d ptr)
	gdk_monitor_get_geometry   func(m ptr, r *rectangle)
	gdk_monitor_get_workarea   func(m ptr, r *rectangle)
	gdk_screen_get_default     func() ptr
	gdk_window_get_state       func(w ptr) int32
	gdk_set_allowed_backends   func(names string)
	gdk_event_get_keyval       func(e ptr, key *uint32) int32
	gdk_event_get_state        func(e ptr, mods *int32) int32
	gdk_keyval_name            func(key uint32) string
	gdk_keyval_to_unicode      func(key uint32) uint32

	// Labels and images.
	gtk_label_new                 func(text string) ptr
	gtk_label_new_with_mnemonic   func(text string) ptr
	gtk_label_set_text            func(l ptr, text string)
	gtk_label_set_mnemonic_widget func(l, w ptr)
	gtk_label_set_line_wrap       func(l ptr, v int32)
	gtk_label_set_line_wrap_mode  func(l ptr, mode int32)
	gtk_label_set_ellipsize       func(l ptr, mode int32)
	gtk_label_set_lines           func(l ptr, n int32)
	gtk_label_set_max_width_chars func(l ptr, n int32)
	gtk_label_set_width_chars     func(l ptr, n int32)
	gtk_label_set_selectable      func(l ptr, v int32)
	gtk_label_set_xalign          func(l ptr, x float32)
	gtk_label_set_justify         func(l ptr, j int32)
	gtk_image_new_from_icon_name  func(name string, size int32) ptr
	gtk_image_set_from_icon_name  func(i ptr, name string, size int32)
	gtk_image_set_pixel_size      func(i ptr, px int32)

	// Buttons.
	gtk_button_new_with_mnemonic                   func(text string) ptr
	gtk_button_set_label                           func(b ptr, text string)
	gtk_button_set_use_underline                   func(b ptr, v int32)
	gtk_button_set_image                           func(b, image ptr)
	gtk_button_set_always_show_image               func(b ptr, v int32)
	gtk_button_clicked                             func(b ptr)
	gtk_check_button_new_with_mnemonic             func(text string) ptr
	gtk_radio_button_new_with_mnemonic_from_widget func(group ptr, text string) ptr
	gtk_toggle_button_set_active                   func(b ptr, v int32)
	gtk_toggle_button_get_active                   func(b ptr) int32
	gtk_menu_button_new                            func() ptr
	gtk_menu_button_set_popup                      func(b, menu ptr)
	gtk_menu_new                                   func() ptr
	gtk_menu_shell_append                          func(m, item ptr)
	gtk_menu_item_new_with_mnemonic                func(text string) ptr
	gtk_separator_menu_item_new                    func() ptr

	// Entries and their completion.
	gtk_entry_new                               func() ptr
	gtk_search_entry_new                        func() ptr
	gtk_entry_set_text                          func(e ptr, text string)
	gtk_entry_get_text                          func(e ptr) string
	gtk_entry_set_placeholder_text              func(e ptr, text string)
	gtk_entry_set_completion                    func(e, c ptr)
	gtk_entry_set_width_chars                   func(e ptr, n int32)
	gtk_editable_set_position                   func(e ptr, n int32)
	gtk_entry_completion_new                    func() ptr
	gtk_entry_completion_set_model              func(c, model ptr)
	gtk_entry_completion_set_text_column        func(c ptr, n int32)
	gtk_entry_completion_set_match_func         func(c, f, data, free ptr)
	gtk_entry_completion_set_minimum_key_length func(c ptr, n int32)
	gtk_list_store_newv                         func(n int32, types *uint64) ptr
	gtk_list_store_clear                        func(s ptr)
	gtk_list_store_append                       func(s ptr, i *iter)
	gtk_list_store_set_value                    func(s ptr, i *iter, column int32, v *gvalue)
	gtk_tree_model_get_value                    func(m, i ptr, column int32, v *gvalue)
	g_value_get_string                          func(v *gvalue) string

	// Text views.
	gtk_text_view_new                func() ptr
	gtk_text_view_get_buffer         func(v ptr) ptr
	gtk_text_view_set_editable       func(v ptr, b int32)
	gtk_text_view_set_cursor_visible func(v ptr, b int32)
	gtk_text_view_set_wrap_mode      func(v ptr, mode int32)
	gtk_text_view_set_justification  func(v ptr, j int32)
	gtk_text_view_set_accepts_tab    func(v ptr, b int32)
	gtk_text_view_set_left_margin    func(v ptr, px int32)
	gtk_text_view_set_right_margin   func(v ptr, px int32)
	gtk_text_view_set_top_margin     func(v ptr, px int32)
	gtk_text_view_set_bottom_margin  func(v ptr, px int32)
	gtk_text_buffer_set_text         func(b ptr, text string, n int32)
	gtk_text_buffer_get_text         func(b ptr, from, to *iter, hidden int32) *byte
	gtk_text_buffer_get_bounds       func(b ptr, from, to *iter)
	gtk_text_buffer_get_end_iter     func(b ptr, i *iter)
	gtk_text_buffer_get_start_iter   func(b ptr, i *iter)
	gtk_text_buffer_place_cursor     func(b ptr, i *iter)

	// List boxes.
	gtk_list_box_new              func() ptr
	gtk_list_box_insert           func(l, row ptr, at int32)
	gtk_list_box_get_row_at_index func(l ptr, n int32) ptr
	gtk_list_box_select_row       func(l, row ptr)
	gtk_list_box_get_selected_row func(l ptr) ptr
	gtk_list_box_unselect_all     func(l ptr)
	gtk_list_box_row_new          func() ptr
	gtk_list_box_row_get_index    func(row ptr) int32

	// Styles and text metrics.
	gtk_css_provider_new                      func() ptr
	gtk_css_provider_load_from_data           func(p ptr, css string, n int64, err ptr) int32
	gtk_style_context_add_provider            func(c, p ptr, priority uint32)
	gtk_style_context_add_provider_for_screen func(screen, p ptr, priority uint32)
	gtk_style_context_add_class               func(c ptr, class string)
	gtk_style_context_remove_class            func(c ptr, class string)
	pango_layout_set_width                    func(l ptr, units int32)
	pango_layout_set_wrap                     func(l ptr, mode int32)
	pango_layout_set_font_description         func(l, d ptr)
	pango_layout_get_pixel_size               func(l ptr, width, height *int32)
	pango_font_description_from_string        func(s string) ptr
	pango_font_description_set_absolute_size  func(d ptr, size float64)
	pango_font_description_free               func(d ptr)

	// Accessibility.
	gtk_widget_get_accessible  func(w ptr) ptr
	atk_object_set_name        func(a ptr, name string)
	atk_object_set_description func(a ptr, text string)
	atk_object_set_role        func(a ptr, role int32)
}
