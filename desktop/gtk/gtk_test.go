package gtk_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"messngr/desktop/gtk"
	"messngr/desktop/xtest"
)

// GTK has one thread, and so has this test: everything that needs a display is
// in it, and the functions below are its parts.
func TestOnDisplay(t *testing.T) {
	d := xtest.Start(t, xtest.Options{Bare: true})
	for _, e := range d.Env() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	app, err := gtk.Open(gtk.Options{ID: "org.messngr.Test", Name: "Test"})
	if err != nil {
		t.Fatal(err)
	}
	if !app.Register() {
		t.Fatal("somebody else has the name")
	}
	time.AfterFunc(2*time.Minute, func() { app.Quit() })
	steps := []func(t *testing.T, app *gtk.App, next func()){
		testPost, testTimers, testText, testManyWindows,
	}
	done := 0
	var next func()
	next = func() {
		if done == len(steps) {
			app.Quit()
			return
		}
		done++
		steps[done-1](t, app, next)
	}
	app.Run(next)
	if done != len(steps) {
		t.Errorf("it ended after %d steps of %d", done, len(steps))
	}
}

// What is posted by many goroutines is done once each, in each one's order.
func testPost(t *testing.T, app *gtk.App, next func()) {
	const posters, each = 8, 500
	last := make([]int, posters)
	total := 0
	for p := range posters {
		go func() {
			for i := range each {
				app.Post(func() {
					if last[p] != i {
						t.Errorf("poster %d: %d came after %d", p, i, last[p]-1)
					}
					last[p] = i + 1
					if total++; total == posters*each {
						app.Post(next)
					}
				})
			}
		}()
	}
}

func testTimers(t *testing.T, app *gtk.App, next func()) {
	ticks := 0
	once := app.After(5*time.Millisecond, func() { ticks++ })
	never := app.After(10*time.Millisecond, func() { t.Error("a stopped timer has fired") })
	never.Stop()
	never.Stop() // twice does nothing
	var zero gtk.Timer
	zero.Stop()
	app.After(200*time.Millisecond, func() {
		once.Stop() // late does nothing
		if ticks != 1 {
			t.Errorf("%d ticks, want 1", ticks)
		}
		next()
	})
}

// Whatever is written is repaired before GTK sees it, and comes back the same.
func testText(t *testing.T, app *gtk.App, next func()) {
	w := app.NewWindow("\xff\x00")
	view, entry := app.NewTextView(true), app.NewEntry()
	box := app.NewColumn(0)
	box.Add(view, entry)
	w.Add(box)
	for in, want := range map[string]string{
		"": "", "grüße\n日本語\nשלום": "grüße\n日本語\nשלום", "a\xffb": "a\uFFFDb", "a\x00b": "a\uFFFDb",
		strings.Repeat("ä", 300_000): strings.Repeat("ä", 300_000),
	} {
		view.SetText(in)
		if got := view.Text(); got != want {
			t.Errorf("text view: %.40q, want %.40q", got, want)
		}
		if strings.Contains(in, "\n") || len(in) > 1000 {
			continue
		}
		entry.SetText(in)
		if got := entry.Text(); got != want {
			t.Errorf("entry: %q, want %q", got, want)
		}
	}
	wide, _ := w.TextSize("wide enough to be wrapped", 0, 0)
	narrow, high := w.TextSize("wide enough to be wrapped", wide/2, 0)
	_, line := w.TextSize("w", 0, 0)
	if narrow > wide/2 || high < 2*line {
		t.Errorf("half of %d pixels makes it %d wide and %d high; a line is %d", wide, narrow, high, line)
	}
	w.Destroy()
	next()
}

// Thousands of windows, with more functions than C could be given, leave
// nothing behind.
func testManyWindows(t *testing.T, app *gtk.App, next func()) {
	const windows, warm = 2000, 300
	held, rss := 0, 0
	n, clicks := 0, 0
	var one func()
	one = func() {
		w := app.NewWindow("one of many")
		box := app.NewColumn(4)
		button := app.NewButton("_Press")
		button.OnClick(func() { clicks++ })
		entry := app.NewEntry()
		entry.NewCompletion(func(string) {}).Offer([]string{"one", "two"})
		entry.SetText("o")
		view := app.NewTextView(false)
		view.SetText(strings.Repeat("text\n", 20))
		view.SetStyle("* { font-size: 20px; }")
		list := app.NewList()
		list.OnSelect(func(int) {})
		list.Insert(app.NewLabel("row"), "row", -1)
		list.Select(0)
		opener, menu := app.NewMenuButton("open-menu-symbolic", "Menu")
		menu.Add("_Item", func() {})
		box.Add(button, opener, entry, app.NewScroll(view, true), list)
		w.OnKey(func(gtk.Key) bool { return false })
		w.OnClose(func() {})
		w.Add(box)
		w.ShowAll()
		button.Click()
		w.Destroy()
		switch n++; n {
		case warm:
			held, rss = app.Held(), memory(t)
		case windows:
			if clicks != windows {
				t.Errorf("%d clicks, want %d", clicks, windows)
			}
			// GTK lets go of some a moment later.
			app.After(300*time.Millisecond, func() {
				t.Logf("functions held: %d, then %d; memory: %d kB, then %d kB", held, app.Held(), rss, memory(t))
				if app.Held() > held+10 {
					t.Errorf("%d functions are held, want %d", app.Held(), held)
				}
				if grown := memory(t) - rss; grown > 4<<10 {
					t.Errorf("memory grew by %d kB in %d windows", grown, windows-warm)
				}
				next()
			})
			return
		}
		app.Post(one)
	}
	one()
}

func memory(t *testing.T) int {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var kb int
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}
