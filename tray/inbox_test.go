package tray_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/control/controltest"
	"messngr/tray"
	"messngr/tray/traytest"
)

// number makes messages that differ.
func number(i int) control.Message {
	m := hello()
	m.Text = fmt.Sprintf("message %d.", i)
	return m
}

func TestAFewThatWaitedAreShownOneByOne(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	read := d.arrive(number(0))
	d.fake.Mark("read", read)
	for i := range 5 {
		d.arrive(number(i + 1))
	}
	stop := d.run()
	screen := d.daemon.AwaitCount(5)
	for i, n := range screen {
		if !strings.HasPrefix(n.Body, fmt.Sprintf("message %d.", i+1)) {
			t.Errorf("number %d is %q", i, n.Body)
		}
	}
	// Only one of them makes a sound.
	sounds := 0
	for _, n := range screen {
		if n.Hints["sound-name"].Value() != nil {
			sounds++
		}
	}
	if sounds != 1 {
		t.Errorf("%d sounds", sounds)
	}
	// What was put away does not come back with the next session; what still was
	// on the screen does.
	d.daemon.Dismiss(screen[0].ID)
	d.daemon.Expire(screen[1].ID)
	d.daemon.AwaitCount(3)
	settle()
	stop()
	d.daemon.AwaitCount(0)
	d.run()
	screen = d.daemon.AwaitCount(3)
	settle()
	if n := len(d.daemon.Screen()); n != 3 || !strings.HasPrefix(screen[0].Body, "message 3.") {
		t.Errorf("the next session shows %d, the first is %q", n, screen[0].Body)
	}
}

func TestManyThatWaitedAreOneDigest(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	for i := range 40 {
		m := number(i)
		m.From = fmt.Sprintf("PC%d", i%5)
		d.arrive(m)
	}
	urgent := d.arrive(control.Message{From: "alice", Via: "local", Text: "Look here", Level: messngr.LevelUrgent})
	stop := d.run()
	screen := d.daemon.Await("an urgent message and a digest", func(s []traytest.Note) bool { return len(s) == 2 })
	for _, n := range screen {
		if n.Urgency() == 2 {
			if !strings.HasPrefix(n.Body, "Look here") {
				t.Errorf("urgent: %+v", n)
			}
			continue
		}
		want := "From PC0, PC1, PC2 and 2 more\nPC1: message 36.\nPC2: message 37.\nPC3: message 38.\nPC4: message 39."
		if n.Summary != "40 messages wait" || n.Body != want || strings.Join(n.Keys(), "|") != "default|read-all" {
			t.Errorf("the digest is %q, %q, %q", n.Summary, n.Body, n.Actions)
		}
	}
	// The next session says it no more, but what is urgent until somebody looks.
	settle()
	stop()
	d.daemon.AwaitCount(0)
	stop = d.run()
	d.daemon.AwaitCount(1)
	d.fake.Mark("acknowledged", urgent)
	d.daemon.AwaitCount(0)
	// What its sender takes back goes as well.
	wrong := d.arrive(hello())
	d.daemon.AwaitCount(1)
	d.fake.Mark("retracted", wrong)
	d.daemon.AwaitCount(0)
	stop()
	// A service that counts anew is a new one.
	d.fake.Lock()
	d.fake.Messages = nil
	d.fake.Unlock()
	d.arrive(number(1))
	d.run()
	d.daemon.AwaitCount(1)
}

// An emergency comes back with every session until it is acknowledged, also when
// somebody has read it.
func TestAnEmergencyComesBackUntilItIsAcknowledged(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	fire := control.Message{From: "alice", Via: "local", Text: "Fire!", Level: messngr.LevelEmergency}
	id, retracted := d.arrive(fire), d.arrive(fire)
	fire.Level = messngr.LevelUrgent
	d.fake.Mark("read", id, retracted, d.arrive(fire))
	d.fake.Mark("retracted", retracted)
	for i := range 3 {
		stop := d.run()
		note := d.daemon.AwaitCount(1)[0]
		if !strings.HasPrefix(note.Summary, "EMERGENCY: ") {
			t.Errorf("%q comes back", note.Summary)
		}
		d.fake.Mark("read", id)
		settle()
		d.fake.HangUp()
		time.Sleep(time.Second + 2*150*time.Millisecond) // the tray asks what became of it
		d.daemon.AwaitCount(1)
		if i == 1 { // to put it away is not enough either
			d.daemon.Dismiss(note.ID)
			d.daemon.AwaitCount(0)
		}
		if i == 2 {
			d.daemon.Invoke(note.ID, "acknowledge", "")
			d.eventually("it is acknowledged", func() bool { return d.message(id).AcknowledgedAt != nil })
		}
		settle()
		stop()
	}
	d.run()
	settle()
	d.daemon.AwaitCount(0)
}

func TestMarkAllOfADigest(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	for i := range 10 {
		d.arrive(number(i))
	}
	d.run()
	n := d.daemon.AwaitCount(1)[0]
	d.fake.Mark("read", controltest.ID(1), controltest.ID(2))
	d.daemon.Await("a smaller digest in its place", func(s []traytest.Note) bool {
		return len(s) == 1 && s[0].ID == n.ID && s[0].Summary == "8 messages wait"
	})
	d.daemon.Invoke(n.ID, "read-all", "")
	d.eventually("all are read", func() bool {
		d.fake.Lock()
		defer d.fake.Unlock()
		for _, m := range d.fake.Messages {
			if m.ReadAt == nil {
				return false
			}
		}
		return true
	})
	d.daemon.AwaitCount(0)
}

// What is withdrawn is not to be read in the digest either, and an empty digest
// goes.
func TestADigestForgets(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	var ids []messngr.ID
	for i := range 6 {
		ids = append(ids, d.arrive(number(i)))
	}
	d.run()
	d.daemon.AwaitCount(1)
	if err := control.NewClient(d.socket).Delete(t.Context(), ids[5]); err != nil {
		t.Fatal(err)
	}
	d.daemon.Await("without the last", func(s []traytest.Note) bool {
		return len(s) == 1 && s[0].Summary == "5 messages wait" && !strings.Contains(s[0].Body, "message 5.")
	})
	d.fake.Mark("acknowledged", ids[:5]...)
	d.daemon.AwaitCount(0)
}

// A thousand messages at once are a few notifications, and one digest that is
// changed in its place; all of them are counted.
func TestStorm(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	host := traytest.StartHost(t, d.bus)
	item := host.Item()
	d.follow()
	began := time.Now()
	for i := range 1000 {
		d.arrive(number(i + 1))
	}
	screen := d.daemon.Await("everything is counted", func(s []traytest.Note) bool {
		return len(s) > 0 && strings.Contains(s[len(s)-1].Body, "message 1000.")
	})
	took := time.Since(began)
	digest := screen[len(screen)-1]
	if len(screen) > 11 || !strings.HasSuffix(digest.Summary, " more messages") {
		t.Errorf("the screen shows %d; the last is %q", len(screen), digest.Summary)
	}
	var counted int
	fmt.Sscanf(digest.Summary, "%d more", &counted)
	if counted+len(screen)-1 != 1000 {
		t.Errorf("%d are counted and %d shown of 1000", counted, len(screen)-1)
	}
	// One change in 100 ms at the most, beside those that are shown one by one.
	if calls, most := len(d.daemon.Calls()), 12+int(took/(90*time.Millisecond)); calls > most {
		t.Errorf("%d calls in %v, want %d at most", calls, took, most)
	}
	d.eventually("the icon knows the number", func() bool {
		tip, err := host.Property(item, "ToolTip")
		return err == nil && strings.Contains(fmt.Sprint(tip), "1000 unread messages")
	})
	// A person who puts the digest away begins a new one.
	d.daemon.Dismiss(digest.ID)
	settle()
	d.arrive(number(2000))
	d.daemon.Await("a new digest", func(s []traytest.Note) bool {
		return len(s) > 0 && s[len(s)-1].Summary == "One more message" && strings.Contains(s[len(s)-1].Body, "message 2000.")
	})
}

// Chatter does not keep away what is urgent.
func TestUrgentInAStorm(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	d.follow()
	for i := range 100 {
		d.arrive(number(i))
	}
	d.arrive(control.Message{From: "alice", Via: "local", Text: "Leave the building", Level: messngr.LevelEmergency})
	d.daemon.Await("the emergency", func(s []traytest.Note) bool {
		for _, n := range s {
			if strings.HasPrefix(n.Summary, "EMERGENCY: ") && strings.HasPrefix(n.Body, "Leave the building") {
				return true
			}
		}
		return false
	})
	// But a storm of emergencies is a digest as well, an urgent one.
	for range 100 {
		d.arrive(control.Message{From: "alice", Via: "local", Text: "Leave the building", Level: messngr.LevelEmergency})
	}
	d.daemon.Await("an urgent digest", func(s []traytest.Note) bool {
		for _, n := range s {
			if strings.HasSuffix(n.Summary, "more messages") && n.Urgency() == 2 {
				return len(s) <= 21
			}
		}
		return false
	})
}

// What the service does not let pop up is counted.
func TestQuietMessages(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	d.follow()
	m := hello()
	m.Quiet = true
	d.arrive(m)
	if n := d.daemon.AwaitCount(1)[0]; n.Summary != "One more message" {
		t.Errorf("%q", n.Summary)
	}
}

func TestDoNotDisturb(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	getenv := d.options().Getenv
	if err := tray.SetDoNotDisturb(t.Context(), getenv, true); err != nil || !tray.DoNotDisturb(getenv) {
		t.Fatalf("SetDoNotDisturb = %v", err)
	}
	d.run()
	d.arrive(number(1))
	urgent := d.arrive(control.Message{From: "alice", Via: "local", Text: "Leave the building", Level: messngr.LevelEmergency})
	if n := d.daemon.AwaitCount(1)[0]; !strings.HasPrefix(n.Summary, "EMERGENCY") {
		t.Errorf("%q breaks through", n.Summary)
	}
	settle()
	d.daemon.AwaitCount(1)
	d.fake.Mark("acknowledged", urgent)
	if err := tray.SetDoNotDisturb(t.Context(), getenv, false); err != nil {
		t.Fatal(err)
	}
	d.daemon.Await("what was held back", func(s []traytest.Note) bool {
		return len(s) == 1 && strings.HasPrefix(s[0].Body, "message 1.")
	})
	// A file that somebody makes or removes counts as well.
	file := filepath.Join(d.home, ".config", "messngr", "do-not-disturb")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		d.arrive(number(i + 2))
	}
	settle()
	d.daemon.AwaitCount(1)
	if err := tray.SetDoNotDisturb(t.Context(), getenv, false); err != nil {
		t.Fatal(err)
	}
	d.daemon.Await("a digest of what was held back", func(s []traytest.Note) bool {
		return len(s) == 2 && s[1].Summary == "8 messages wait"
	})
}

// What was held back when the session ended waits for the next one.
func TestHeldBackOverTheEnd(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	getenv := d.options().Getenv
	if err := tray.SetDoNotDisturb(t.Context(), getenv, true); err != nil {
		t.Fatal(err)
	}
	stop := d.run()
	host := traytest.StartHost(t, d.bus)
	item := host.Item()
	d.arrive(number(1))
	d.eventually("it is counted", func() bool {
		tip, _ := host.Property(item, "ToolTip")
		return strings.Contains(fmt.Sprint(tip), "One unread message")
	})
	settle()
	stop()
	if err := tray.SetDoNotDisturb(t.Context(), getenv, false); err != nil {
		t.Fatal(err)
	}
	d.run()
	d.daemon.AwaitCount(1)
}

func TestNothingBreaksThroughIfThatIsChosen(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.configure(`break_through = "never"`)
	if err := tray.SetDoNotDisturb(t.Context(), d.options().Getenv, true); err != nil {
		t.Fatal(err)
	}
	d.run()
	d.arrive(control.Message{From: "alice", Via: "local", Text: "Leave the building", Level: messngr.LevelEmergency})
	settle()
	d.daemon.AwaitCount(0)
}

func TestALockedScreenHidesTexts(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	saver := traytest.StartSaver(t, d.bus, false)
	d.run()
	id := d.arrive(number(1))
	d.daemon.AwaitCount(1)
	saver.Lock(t, true)
	hidden := func(s []traytest.Note) bool {
		for _, n := range s {
			if strings.Contains(n.Body, "message") || n.Body == "" {
				return false
			}
		}
		return true
	}
	first := d.daemon.Await("the text is hidden", func(s []traytest.Note) bool { return len(s) == 1 && hidden(s) })[0]
	if first.Summary != "BOSS (unverified, SMB from 10.0.0.7)" || strings.Join(first.Keys(), "|") != "default" {
		t.Errorf("%+v", first)
	}
	second := d.arrive(number(2))
	screen := d.daemon.AwaitCount(2)
	if !hidden(screen) {
		t.Errorf("a locked screen shows %q", screen[1].Body)
	}
	settle()
	if m := d.message(second); m.ShownAt != nil {
		t.Error("a text that nobody can read counts as shown")
	}
	d.daemon.Dismiss(screen[0].ID)
	for i := range 20 {
		d.arrive(number(i + 3))
	}
	d.daemon.Await("the digest is hidden too", func(s []traytest.Note) bool {
		return len(s) > 2 && strings.HasSuffix(s[len(s)-1].Summary, "more messages") && hidden(s)
	})
	saver.Lock(t, false)
	d.daemon.Await("everything can be read again", func(s []traytest.Note) bool {
		for _, n := range s {
			if !strings.Contains(n.Body, "message") {
				return false
			}
		}
		return true
	})
	if m := d.message(id); m.ReadAt != nil {
		t.Error("a text that was hidden when it was put away counts as read")
	}
	d.eventually("it was shown", func() bool { return d.message(second).ShownAt != nil })
}

func TestALockedScreenMakesMessagesWait(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.configure(`locked = "wait"`)
	saver := traytest.StartSaver(t, d.bus, true)
	d.run()
	d.arrive(number(1))
	d.arrive(control.Message{From: "alice", Via: "local", Text: "message", Level: messngr.LevelUrgent})
	settle()
	d.daemon.AwaitCount(0)
	saver.Lock(t, false)
	d.daemon.AwaitCount(2)
}

func TestALockedScreenShowsEverythingIfThatIsChosen(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.configure(`locked = "show"`)
	traytest.StartSaver(t, d.bus, true)
	d.run()
	d.arrive(number(1))
	if n := d.daemon.AwaitCount(1)[0]; !strings.HasPrefix(n.Body, "message 1.") {
		t.Errorf("%q", n.Body)
	}
}

// The service may come after the tray, go, and come back.
func TestTheServiceComesAndGoes(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	socket := filepath.Join(filepath.Dir(d.socket), "late")
	served := d.socket
	d.socket = socket
	d.run()
	host := traytest.StartHost(t, d.bus)
	item := host.Item()
	d.eventually("the icon says that there is no service", func() bool {
		tip, _ := host.Property(item, "ToolTip")
		return strings.Contains(fmt.Sprint(tip), "not running")
	})
	if lines, err := host.Menu(item); err != nil || lines[0].Properties["label"].Value() != "The Messenger service is not running" {
		t.Errorf("the menu begins with %+v, %v", lines, err)
	}
	first := d.arrive(number(1))
	if err := os.Symlink(served, socket); err != nil {
		t.Fatal(err)
	}
	d.daemon.AwaitCount(1)
	// While nobody tells, one is read and another comes.
	d.fake.Lock()
	at := time.Now()
	for i := range d.fake.Messages {
		if d.fake.Messages[i].ID == first {
			d.fake.Messages[i].ReadAt = &at
		}
	}
	d.fake.Unlock()
	d.fake.HangUp()
	d.arrive(number(2))
	d.daemon.Await("the other one alone", func(s []traytest.Note) bool {
		return len(s) == 1 && strings.HasPrefix(s[0].Body, "message 2.")
	})
	d.eventually("the icon says nothing more", func() bool {
		tip, _ := host.Property(item, "ToolTip")
		return !strings.Contains(fmt.Sprint(tip), "not running") && strings.Contains(fmt.Sprint(tip), "One unread message")
	})
}

func TestTheIcon(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	stop := d.run()
	d.arrive(number(1))
	d.daemon.AwaitCount(1)
	host := traytest.StartHost(t, d.bus) // it comes late
	item := host.Item()
	tip := func(want string) {
		t.Helper()
		d.eventually("the tool tip says "+want, func() bool {
			v, err := host.Property(item, "ToolTip")
			return err == nil && strings.Contains(fmt.Sprint(v), want)
		})
	}
	tip("One unread message")
	urgent := d.arrive(control.Message{From: "alice", Via: "local", Text: "message", Level: messngr.LevelUrgent})
	status := func(want string) {
		t.Helper()
		d.eventually("the status is "+want, func() bool {
			v, err := host.Property(item, "Status")
			return err == nil && v == want
		})
	}
	status("NeedsAttention")
	d.fake.Mark("read", urgent)
	status("Active")
	choose := func(label string) {
		t.Helper()
		if found, err := host.Choose(item, label); err != nil || !found {
			t.Fatalf("the line %q: %v, %v", label, found, err)
		}
	}
	choose("Do not disturb")
	tip("Do not disturb is on")
	if !tray.DoNotDisturb(d.options().Getenv) {
		t.Error("nobody remembers not to disturb")
	}
	lines, err := host.Menu(item)
	if err != nil || len(lines) != 7 || lines[4].Properties["toggle-state"].Value() != int32(1) || lines[3].Properties["type"].Value() != "separator" {
		t.Errorf("the menu is %+v, %v", lines, err)
	}
	choose("Do not disturb")
	d.eventually("the person can be disturbed", func() bool { return !tray.DoNotDisturb(d.options().Getenv) })

	// Without the desktop program a click shows what is unread, once more.
	calls := len(d.daemon.Calls())
	if err := host.Activate(item); err != nil {
		t.Fatal(err)
	}
	d.eventually("it is shown again", func() bool { return len(d.daemon.Calls()) > calls })
	d.daemon.AwaitCount(1)
	choose("Mark all as read")
	d.daemon.AwaitCount(0)
	tip("No unread messages")
	choose("Show unread messages")
	d.daemon.Await("there is nothing", func(s []traytest.Note) bool { return len(s) == 1 && s[0].Body == "No unread messages" })

	// A tray that starts anew gets the icon again.
	host.Stop()
	host = traytest.StartHost(t, d.bus)
	if again := host.Item(); again != item {
		t.Errorf("the icon is %q now, it was %q", again, item)
	}
	choose("Quit")
	stop()
}

func TestProgressIsThePersonsOwn(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	stop := d.run()
	d.arrive(number(1))
	d.daemon.Dismiss(d.daemon.AwaitCount(1)[0].ID)
	d.daemon.AwaitCount(0)
	settle()
	stop()
	files, err := filepath.Glob(filepath.Join(d.home, ".local", "state", "messngr", "tray-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	var content struct{ Shown int64 }
	if err != nil || json.Unmarshal(b, &content) != nil || content.Shown != 1 {
		t.Errorf("%s, %v", b, err)
	}
	for path, want := range map[string]os.FileMode{files[0]: 0o600, filepath.Dir(files[0]): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}
