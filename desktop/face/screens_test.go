//go:build screens

package face_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/xtest"
)

// TestScreens makes the pictures of the documents, in the folder that the
// environment variable MESSNGR_SCREENS names: make screens.
func TestScreens(t *testing.T) {
	dir := os.Getenv("MESSNGR_SCREENS")
	if dir == "" {
		t.Fatal("MESSNGR_SCREENS names no folder")
	}
	german := []string{"LC_ALL=de_DE.UTF-8"}
	type part int
	const (
		active  part = iota // the window with the keyboard
		windows             // all windows
		screen              // everything
	)
	shot := func(name string, o xtest.Options, part part, play func(s *stage), messages ...control.Message) {
		t.Run(name, func(t *testing.T) {
			o.Env = append(o.Env, "GTK_OVERLAY_SCROLLING=0")
			for i := range messages {
				messages[i].ReceivedAt = today(9, 15+i)
			}
			s := setUp(t, o, messages...)
			installIcons(s)
			gtkSettings(t, s, "gtk-cursor-blink=false")
			play(s)
			readable()
			file := filepath.Join(dir, name+".png")
			switch part {
			case screen:
				s.Screenshot(file)
			case windows:
				s.Screenshot(file)
				s.Run("convert", file, "-trim", "+repage", "-strip", file)
			case active:
				s.ScreenshotOf(s.Run("xdotool", "getactivewindow"), file)
			}
			s.clean()
		})
	}
	popup := func(button string) func(s *stage) {
		return func(s *stage) {
			s.popup()
			s.reader.Await("push button", button)
		}
	}

	shot("popup", xtest.Options{}, active, popup("OK"), screenMessages()...)
	shot("popup-question", xtest.Options{}, active, popup("Not now"), question())
	shot("popup-directions", xtest.Options{}, active, popup("OK"), directions())
	shot("popup-german", xtest.Options{Env: german}, active, popup("OK"), germanMessages()...)
	shot("popup-reply", xtest.Options{}, active, func(s *stage) {
		popup("OK")(s)
		readable()
		s.Keys("alt+r")
		s.reader.Await("push button", "Send")
		s.Type("All saved. Go ahead.")
	}, screenMessages()...)
	shot("popup-high-contrast", xtest.Options{}, active, func(s *stage) {
		gtkSettings(s.t, s, "gtk-theme-name=HighContrastInverse", "gtk-font-name=Sans 15")
		popup("OK")(s)
	}, screenMessages()...)
	shot("digest", xtest.Options{}, active, popup("Open the list"), many()...)
	shot("emergency", xtest.Options{Width: 1920, Height: 1080}, screen, popup("I have read this"), evacuation(false))
	shot("emergency-drill", xtest.Options{Width: 1920, Height: 1080}, screen, popup("I have read this"), evacuation(true))
	shot("emergency-two-monitors", xtest.Options{TwoMonitors: true}, screen, popup("I have read this"), evacuation(true))

	shot("window", xtest.Options{}, active, func(s *stage) {
		s.window()
		s.reader.Await("status bar", "Current message: 6*")
		s.Keys("alt+p")
		s.reader.Await("status bar", "Current message: 5*")
		m := legacy("NAGIOS", "PC09 answers again after 4 minutes.")
		m.ReceivedAt = today(9, 34)
		s.arrive(m)
		s.reader.Await("frame", "(1) Messages – PC17")
	}, inboxMessages()...)
	shot("window-german", xtest.Options{Env: german}, active, func(s *stage) {
		s.window()
		s.reader.Await("status bar", "Aktuelle Nachricht: 3*")
	}, germanMessages()...)
	shot("window-dark", xtest.Options{Env: []string{"GTK_THEME=Adwaita:dark"}}, active, func(s *stage) {
		s.window()
		s.reader.Await("status bar", "Current message: 6*")
	}, inboxMessages()...)
	shot("compose", xtest.Options{}, windows, func(s *stage) {
		s.window()
		s.reader.Await("status bar", "Current message: 6*")
		s.Keys("ctrl+n")
		s.reader.Await("text", "To:")
		s.Type("fs01, p")
		time.Sleep(700 * time.Millisecond)
	}, inboxMessages()...)
	shot("compose-workgroup", xtest.Options{}, active, func(s *stage) {
		s.window()
		s.reader.Await("status bar", "Current message: 6*")
		s.Keys("ctrl+n")
		s.reader.Await("text", "To:")
		s.reader.Press("radio button", "Workgroup", 1)
		s.Keys("alt+m")
		s.Type("The canteen is open.")
	}, inboxMessages()...)
	shot("options", xtest.Options{}, active, func(s *stage) {
		s.options("recipients = ['PC17']\n")
		s.window()
		s.reader.Await("status bar", "Current message: 6*")
		s.Keys("F10")
		s.reader.Await("menu item", "Options…")
		s.Keys("o")
		s.reader.Await("check box", "Always on top")
	}, inboxMessages()...)
}

// installIcons puts the icons where packages would, but for this person alone.
func installIcons(s *stage) {
	s.t.Helper()
	icons, err := filepath.Glob("../../packaging/desktop/icons/*/messngr.png")
	if err != nil || len(icons) == 0 {
		s.t.Fatalf("%d icons, %v", len(icons), err)
	}
	for _, icon := range icons {
		size := filepath.Base(filepath.Dir(icon))
		s.Run("install", "-D", "-m", "644", "-t", filepath.Join(s.Dir(), "home/.local/share/icons/hicolor", size, "apps"), icon)
	}
}

// today is a time of this day, so that pictures are the same on every day.
func today(hour, minute int) time.Time {
	y, m, d := time.Now().UTC().Date()
	return time.Date(y, m, d, hour, minute, 0, 0, time.UTC)
}

func reboot() control.Message {
	m := legacy("FS01", "Reboot of FS01 at 18:00 for new memory. Please save your work and log off before that; drives H: and P: come back at about 18:20.")
	m.Address = "10.0.0.2"
	return m
}

func screenMessages() []control.Message {
	boss := legacy("ADMINISTRATOR", "Your password has expired. Send it to me.")
	boss.Warning = "nothing proves that this is ADMINISTRATOR; the name is easy to forge"
	return []control.Message{reboot(), boss, local("alice", "Lunch?")}
}

func question() control.Message {
	m := local("alice", "The auditors are here and would like to see the server room. Can you take them round?")
	m.Title, m.Answers = "Ten minutes?", []string{"Coming", "In an hour", "Not now"}
	m.Level = messngr.LevelUrgent
	until := today(18, 0)
	m.ExpiresAt = &until
	return m
}

func directions() control.Message {
	return local("dana", "שלום לכולם, נפגשים בחדר 204 בשעה 10:00.\nمرحبا بالجميع، نلتقي في الغرفة 204.\n皆さん、204号室でお会いしましょう。\n여러분, 204호에서 만나요.\nHello everybody, we meet in room 204.")
}

func germanMessages() []control.Message {
	boss := legacy("ADMINISTRATOR", "Ihr Kennwort ist abgelaufen. Bitte schicken Sie es mir.")
	boss.Warning = "nothing proves that this is ADMINISTRATOR; the name is easy to forge"
	server := legacy("FS01", "Neustart von FS01 um 18:00. Bitte sichern Sie Ihre Arbeit und melden Sie sich vorher ab.")
	return []control.Message{boss, server, local("alice", "Mittagessen?")}
}

func many() []control.Message {
	var list []control.Message
	for range 37 {
		list = append(list, legacy("USV01", "Netzspannung ausgefallen, Batterie bei 84 %"))
	}
	for range 12 {
		m := legacy("FS01", "Disk D: is 97 % full")
		m.Address = "10.0.0.2"
		list = append(list, m)
	}
	return append(list, local("alice", "Is it dark at your place, too?"))
}

func evacuation(drill bool) control.Message {
	m := local("headmaster", "Leave the building by the nearest exit. Do not use the lifts. Meet at the sports field.")
	m.Title, m.Level, m.Drill = "Fire in building B", messngr.LevelEmergency, drill
	return m
}

func inboxMessages() []control.Message {
	seen := today(9, 30)
	list := []control.Message{
		legacy("PRINTSRV", "Your document \"Budget 2027\" was printed on LASER-2 (14 pages)."),
		legacy("MÜLLER", "Grüße aus Köln! Der Kaffee ist fertig."),
		local("bob", "Your job on this machine is done."),
		legacy("PC03", "Did anybody find a blue umbrella?"),
		reboot(),
		local("alice", "Lunch?"),
	}
	for i := range list[:4] {
		list[i].ReadAt = &seen
	}
	return list
}
