package tray_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"messngr"
	"messngr/control"
	"messngr/control/controltest"
	"messngr/tray"
	"messngr/tray/traytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a desktop session of a person, with a made-up service and a made-up
// notification daemon.
type desk struct {
	t      *testing.T
	bus    string
	home   string
	bin    string // the only folder of $PATH
	env    map[string]string
	fake   *controltest.Fake
	socket string
	daemon *traytest.Daemon
}

// newDesk makes a desk whose inbox is empty.
func newDesk(t *testing.T, capabilities ...string) *desk {
	t.Helper()
	d := &desk{t: t, bus: traytest.Bus(t), home: t.TempDir(), bin: t.TempDir()}
	t.Setenv("PATH", d.bin)
	d.env = map[string]string{
		"HOME": d.home, "DBUS_SESSION_BUS_ADDRESS": d.bus, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + d.home + "/none",
		"XDG_DATA_DIRS": d.home,
	}
	d.fake = controltest.New()
	d.fake.Messages = nil
	d.socket = controltest.Start(t, d.fake)
	if capabilities != nil {
		d.daemon = traytest.StartDaemon(t, d.bus, capabilities)
	}
	return d
}

// run runs the tray until stop is called or the test ends.
func (d *desk) run() (stop func()) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tray.Run(ctx, d.options()) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			d.t.Errorf("Run = %v", err)
		}
	})
	d.t.Cleanup(stop)
	return stop
}

func (d *desk) options() tray.Options {
	return tray.Options{
		Socket: d.socket, Getenv: func(key string) string { return d.env[key] },
		Log: slog.New(slog.NewTextHandler(testWriter{d.t}, nil)), Minimized: true,
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// configure writes the person's configuration.
func (d *desk) configure(text string) {
	d.t.Helper()
	dir := filepath.Join(d.home, ".config", "messngr")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tray.toml"), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// install puts a program into $PATH: a script that writes its arguments into a
// file and does what else is said. It returns the path of the file.
func (d *desk) install(name, script string) (log string) {
	d.t.Helper()
	log = filepath.Join(d.home, name+".log")
	text := "#!/bin/sh\necho \"$@\" >>" + log + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(d.bin, name), []byte(text), 0o755); err != nil {
		d.t.Fatal(err)
	}
	return log
}

// arrive makes a message arrive and returns its id.
func (d *desk) arrive(m control.Message) messngr.ID {
	d.fake.Arrive(m)
	d.fake.Lock()
	defer d.fake.Unlock()
	return d.fake.Messages[len(d.fake.Messages)-1].ID
}

// message is what the service knows of a message.
func (d *desk) message(id messngr.ID) control.Message {
	d.fake.Lock()
	defer d.fake.Unlock()
	for _, m := range d.fake.Messages {
		if m.ID == id {
			return m
		}
	}
	return control.Message{}
}

// eventually waits until ok is true.
func (d *desk) eventually(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

// follow waits until messages are shown as they come.
func (d *desk) follow() {
	d.t.Helper()
	id := d.arrive(hello())
	d.daemon.Dismiss(d.daemon.AwaitCount(1)[0].ID)
	d.eventually("the inbox is followed", func() bool { return d.message(id).ReadAt != nil })
	settle()
}

// settle waits long enough for what must not happen.
func settle() { time.Sleep(150 * time.Millisecond) }

func hello() control.Message {
	return control.Message{From: "BOSS", To: "PC17", Text: "Please call me.", Via: "smb", Address: "10.0.0.7", ReceivedAt: time.Now()}
}

func TestAMessageIsShown(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	m := hello()
	m.Text, m.ReceivedAt = "a <b>bold</b> claim & \"more\"", controltest.Time()
	id := d.arrive(m)
	n := d.daemon.AwaitCount(1)[0]
	body, at, _ := strings.Cut(n.Body, "\n")
	if !strings.HasSuffix(at, controltest.Time().Local().Format("15:04")) {
		t.Errorf("an old message is shown with the time %q", at)
	}
	got := []string{n.App, n.Icon, n.Summary, body, strings.Join(n.Actions, "|"), fmt.Sprint(n.Urgency(), n.Timeout)}
	want := []string{
		"Messages", "messngr", "BOSS (unverified, SMB from 10.0.0.7)", "a &lt;b&gt;bold&lt;/b&gt; claim &amp; &quot;more&quot;",
		"default|Open|reply|Reply|acknowledge|Acknowledge", "1 -1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s := n.Hints["sound-name"].Value(); s != "message-new-instant" {
		t.Errorf("the sound is %v", s)
	}
	d.eventually("the service knows that it was shown", func() bool { return d.message(id).ShownAt != nil })
	if m := d.message(id); m.ReadAt != nil || m.AcknowledgedAt != nil {
		t.Errorf("nobody has read it, but %+v", m)
	}
}

func TestDaemonsThatCanLess(t *testing.T) {
	for name, tt := range map[string]struct {
		able                   []string
		summary, body, actions string
	}{
		"no markup":  {[]string{"body", "actions"}, "BOSS (unverified, SMB)", "1 < 2 & 3", "default|Open|reply|Reply|acknowledge|Acknowledge"},
		"no actions": {[]string{"body", "body-markup"}, "BOSS (unverified, SMB)", "1 &lt; 2 &amp; 3", ""},
		"no body":    {[]string{}, "BOSS (unverified, SMB): 1 < 2 & 3", "", ""},
		"a line":     {[]string{"body", "actions", "inline-reply"}, "BOSS (unverified, SMB)", "1 < 2 & 3", "default|Open|inline-reply|Reply|acknowledge|Acknowledge"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, append([]string{}, tt.able...)...)
			d.run()
			d.arrive(control.Message{From: "BOSS", Via: "smb", Text: "1 < 2 & 3"})
			n := d.daemon.AwaitCount(1)[0]
			body, _, _ := strings.Cut(n.Body, "\n")
			summary := strings.TrimSuffix(n.Summary[:min(len(n.Summary), len(tt.summary))], " ")
			if summary != tt.summary || body != tt.body || strings.Join(n.Actions, "|") != tt.actions {
				t.Errorf("%q, %q, %q", n.Summary, n.Body, n.Actions)
			}
			if strings.Contains(n.Summary, "\n") || len(n.Hints) == 0 {
				t.Errorf("%q, %v", n.Summary, n.Hints)
			}
		})
	}
}

// Where the daemon plays no sounds a program does.
func TestSounds(t *testing.T) {
	d := newDesk(t, "body")
	log := d.install("canberra-gtk-play", "")
	d.configure("sound_urgent = '/gong.wav'\nsound_emergency = ''")
	player := d.install("paplay", "")
	d.run()
	played := func(file, want string) {
		t.Helper()
		d.eventually(want+" is played", func() bool { b, _ := os.ReadFile(file); return string(b) == want+"\n" })
	}
	id := d.arrive(hello())
	played(log, "-i message-new-instant")
	d.fake.Mark("read", id)
	d.daemon.AwaitCount(0)
	d.arrive(control.Message{From: "alice", Via: "local", Text: "x", Level: messngr.LevelUrgent})
	played(player, "/gong.wav")
	d.arrive(control.Message{From: "alice", Via: "local", Text: "y", Level: messngr.LevelEmergency})
	d.daemon.AwaitCount(2)
	settle()
	played(log, "-i message-new-instant")
	for _, n := range d.daemon.Calls() {
		if n.Hints["sound-name"].Value() != nil || n.Hints["suppress-sound"].Value() != true {
			t.Errorf("the daemon is asked to play: %v", n.Hints)
		}
	}
}

// Chatter that has just been heard does not keep an emergency from being heard.
func TestAnEmergencyIsHeardAtOnce(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	for n, tt := range []struct {
		level messngr.Level
		sound any
	}{
		{messngr.LevelNotice, "message-new-instant"}, {messngr.LevelNotice, nil},
		{messngr.LevelEmergency, "alarm-clock-elapsed"}, {messngr.LevelEmergency, nil}, {messngr.LevelUrgent, nil},
	} {
		d.arrive(control.Message{From: "alice", Via: "local", Text: fmt.Sprint(n), Level: tt.level})
		d.daemon.AwaitCount(n + 1)
		calls := d.daemon.Calls()
		if got := calls[len(calls)-1].Hints["sound-name"].Value(); got != tt.sound {
			t.Errorf("message %d of the level %v has the sound %v, want %v", n, tt.level, got, tt.sound)
		}
	}
}

// An emergency lights up a dark screen, and nothing else does.
func TestAnEmergencyWakesTheScreen(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	saver := traytest.StartSaver(t, d.bus, false)
	d.run()
	d.arrive(control.Message{From: "alice", Via: "local", Text: "x", Level: messngr.LevelUrgent})
	d.daemon.AwaitCount(1)
	settle()
	if n := saver.Woken(); n != 0 {
		t.Errorf("the screen was woken %d times for what is urgent", n)
	}
	d.arrive(control.Message{From: "alice", Via: "local", Text: "y", Level: messngr.LevelEmergency, Drill: true})
	d.eventually("the screen is woken", func() bool { return saver.Woken() == 1 })
}

// A button of a notification that has gone meanwhile does nothing.
func TestButtonsOfWhatHasGone(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	id := d.arrive(hello())
	note := d.daemon.AwaitCount(1)[0]
	d.fake.Mark("read", id)
	d.daemon.AwaitCount(0)
	d.daemon.Invoke(note.ID, "acknowledge", "")
	d.daemon.Reply(note.ID, "too late")
	d.daemon.Invoke(0, "read-all", "")
	d.daemon.Invoke(12345, "default", "")
	other := d.arrive(hello())
	d.daemon.AwaitCount(1)
	settle()
	d.fake.Lock()
	sent := d.fake.LastSend
	d.fake.Unlock()
	if d.message(id).AcknowledgedAt != nil || d.message(other).ReadAt != nil || sent.Text != "" {
		t.Errorf("a button that is no longer there was pressed: %+v, %+v, sent %q", d.message(id), d.message(other), sent.Text)
	}
}

// What a person acknowledges while the service is away it learns when it is back.
func TestAcknowledgedWhileTheServiceIsAway(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	id := d.arrive(control.Message{From: "alice", Via: "local", Text: "x", Level: messngr.LevelUrgent})
	note := d.daemon.AwaitCount(1)[0]
	deny := func(on bool) {
		d.fake.Lock()
		defer d.fake.Unlock()
		d.fake.Deny = on
	}
	deny(true)
	d.daemon.Invoke(note.ID, "acknowledge", "")
	d.daemon.Await("the person to be told", func(s []traytest.Note) bool {
		return len(s) == 1 && strings.HasPrefix(s[0].Body, "The Messenger service could not be told.")
	})
	if d.message(id).AcknowledgedAt != nil {
		t.Fatal("the service has taken it")
	}
	deny(false)
	d.fake.HangUp()
	d.eventually("the service knows", func() bool { m := d.message(id); return m.AcknowledgedAt != nil && m.ReadAt != nil })
}

// A daemon that shows what is the same in one place.
func TestADaemonThatMerges(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.daemon.Merge()
	d.run()
	first := d.arrive(hello())
	d.daemon.AwaitCount(1)
	second := d.arrive(hello())
	d.eventually("both were shown", func() bool { return len(d.daemon.Calls()) == 2 })
	d.fake.Mark("read", first)
	settle()
	note := d.daemon.AwaitCount(1)[0]
	d.daemon.Invoke(note.ID, "acknowledge", "")
	d.eventually("the second one is acknowledged", func() bool { return d.message(second).AcknowledgedAt != nil })
	if d.message(first).AcknowledgedAt != nil {
		t.Error("the first one is acknowledged")
	}
}

func TestLevels(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	for _, tt := range []struct {
		level   messngr.Level
		drill   bool
		urgency int
		timeout int32
		summary string
	}{
		{messngr.LevelInfo, false, 1, -1, "alice (vouched, this computer)"},
		{messngr.LevelNotice, false, 1, -1, "alice (vouched, this computer)"},
		{messngr.LevelUrgent, false, 2, 0, "URGENT: alice (vouched, this computer)"},
		{messngr.LevelEmergency, false, 2, 0, "EMERGENCY: alice (vouched, this computer)"},
		{messngr.LevelEmergency, true, 2, 0, "DRILL: EMERGENCY: alice (vouched, this computer)"},
	} {
		id := d.arrive(control.Message{From: "alice", Proven: "alice", Trust: messngr.Vouched, Via: "local", Text: "x", Level: tt.level, Drill: tt.drill})
		n := d.daemon.AwaitCount(1)[0]
		if n.Urgency() != tt.urgency || n.Timeout != tt.timeout || n.Summary != tt.summary {
			t.Errorf("%v: urgency %d, timeout %d, %q", tt.level, n.Urgency(), n.Timeout, n.Summary)
		}
		d.fake.Mark("acknowledged", id)
		d.daemon.AwaitCount(0)
	}
}

func TestItGoesWhenSomebodyElseHasDealtWithIt(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	c := control.NewClient(d.socket)
	for _, how := range []string{"read", "acknowledged", "deleted"} {
		id := d.arrive(hello())
		d.daemon.AwaitCount(1)
		if how == "deleted" {
			if err := c.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		} else {
			d.fake.Mark(how, id)
		}
		d.daemon.AwaitCount(0)
	}
	m := hello()
	soon := time.Now().Add(300 * time.Millisecond)
	m.ExpiresAt = &soon
	d.arrive(m)
	d.daemon.AwaitCount(1)
	d.daemon.AwaitCount(0)
	if time.Now().Before(soon) {
		t.Error("it went before it expired")
	}
	// What has been dealt with before it comes is not shown at all.
	at := time.Now()
	m = hello()
	m.ReadAt = &at
	d.arrive(m)
	m = hello()
	m.ExpiresAt = &at
	d.arrive(m)
	settle()
	if n := len(d.daemon.Calls()); n != 4 {
		t.Errorf("%d notifications in all, want 4", n)
	}
}

func TestActions(t *testing.T) {
	d := newDesk(t, append(traytest.Everything(), "inline-reply")...)
	d.run()
	id := d.arrive(hello())
	d.daemon.Invoke(d.daemon.AwaitCount(1)[0].ID, "acknowledge", "")
	d.eventually("acknowledged and read", func() bool {
		m := d.message(id)
		return m.AcknowledgedAt != nil && m.ReadAt != nil
	})

	id = d.arrive(hello())
	d.daemon.Reply(d.daemon.AwaitCount(1)[0].ID, "on my way")
	d.eventually("the answer is sent", func() bool { return d.message(id).AcknowledgedAt != nil })
	d.fake.Lock()
	sent := d.fake.LastSend
	d.fake.Unlock()
	want := control.SendRequest{To: []string{"BOSS"}, Address: "10.0.0.7", Text: "on my way", InReplyTo: id}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("the answer, -want +got:\n%s", diff)
	}

	// Answers that are asked for are buttons.
	m := hello()
	m.Answers = []string{"Yes", "No"}
	id = d.arrive(m)
	n := d.daemon.AwaitCount(1)[0]
	if keys := n.Keys(); !slices.Equal(keys, []string{"default", "answer-0", "answer-1"}) || !strings.Contains(n.Body, "Please answer: Yes / No") {
		t.Errorf("actions %q, body %q", n.Actions, n.Body)
	}
	d.daemon.Invoke(n.ID, "answer-1", "")
	d.eventually("the answer is sent", func() bool { return d.message(id).AcknowledgedAt != nil })
	if d.fake.LastSend.Text != "No" {
		t.Errorf("the answer is %q", d.fake.LastSend.Text)
	}

	// A reply that nobody takes is told, and nothing is acknowledged.
	m = hello()
	m.From, m.Address, m.Via = "BUSY", "", "mailslot"
	id = d.arrive(m)
	d.daemon.Reply(d.daemon.AwaitCount(1)[0].ID, "hello?")
	n = d.daemon.AwaitCount(1)[0]
	if !strings.HasPrefix(n.Body, "Not sent: ") || d.message(id).AcknowledgedAt != nil {
		t.Errorf("%q", n.Body)
	}
}

func TestDismissedIsReadButExpiredIsNot(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	read := d.arrive(hello())
	d.daemon.Dismiss(d.daemon.AwaitCount(1)[0].ID)
	d.eventually("read", func() bool { return d.message(read).ReadAt != nil })

	unseen := d.arrive(hello())
	d.daemon.Expire(d.daemon.AwaitCount(1)[0].ID)
	long := hello()
	long.Text = strings.Repeat("line\n", 50)
	cut := d.arrive(long)
	n := d.daemon.AwaitCount(1)[0]
	if !strings.Contains(n.Body, "… 38 more lines: messngr inbox show 3") {
		t.Errorf("body %q", n.Body)
	}
	d.daemon.Dismiss(n.ID)
	emergency := d.arrive(control.Message{From: "alice", Via: "local", Text: "Fire", Level: messngr.LevelEmergency})
	d.daemon.Dismiss(d.daemon.AwaitCount(1)[0].ID)
	settle()
	for _, id := range []messngr.ID{unseen, cut, emergency} {
		if m := d.message(id); m.ReadAt != nil {
			t.Errorf("%q counts as read", m.Text)
		}
	}
}

// Without the desktop program a notification says how to do it.
func TestHintsWithoutTheDesktopProgram(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	for key, want := range map[string]string{"reply": `messngr reply %d "your text"`, "default": "messngr inbox show %d"} {
		id := d.arrive(hello())
		first := d.daemon.Await("the message", func(s []traytest.Note) bool {
			return len(s) > 0 && strings.Contains(s[len(s)-1].Body, "call me")
		})
		d.daemon.Invoke(first[len(first)-1].ID, key, "")
		want = fmt.Sprintf(want, d.message(id).Seq)
		d.daemon.Await("the hint "+want, func(s []traytest.Note) bool {
			return len(s) == 1 && strings.Contains(strings.ReplaceAll(s[0].Body, "&quot;", `"`), want)
		})
	}
}

func TestTheDesktopProgram(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	log := d.install("messngr-desktop", `echo "token $XDG_ACTIVATION_TOKEN" >>`+d.home+`/token`)
	d.run()
	lines := func() []string {
		b, _ := os.ReadFile(log)
		return strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	id := d.arrive(hello())
	d.daemon.Invoke(d.daemon.AwaitCount(1)[0].ID, "default", "token-7")
	d.eventually("the window opens at the message", func() bool {
		return slices.Contains(lines(), "window --message "+id.String()+" --socket "+d.socket)
	})
	d.eventually("it may take the focus", func() bool {
		b, _ := os.ReadFile(filepath.Join(d.home, "token"))
		return strings.Contains(string(b), "token token-7\n")
	})
	id = d.arrive(hello())
	answer := d.daemon.Await("the next message", func(s []traytest.Note) bool { return len(s) > 0 && s[len(s)-1].ID > 1 })
	d.daemon.Invoke(answer[len(answer)-1].ID, "reply", "")
	d.eventually("the window opens to answer", func() bool {
		return slices.Contains(lines(), "window --reply "+id.String()+" --socket "+d.socket)
	})
	host := traytest.StartHost(t, d.bus)
	if err := host.Activate(host.Item()); err != nil {
		t.Fatal(err)
	}
	d.eventually("a click on the icon opens the window", func() bool { return slices.Contains(lines(), "window --tray --socket "+d.socket) })
	// What must be seen pops up, and is a notification all the same.
	d.arrive(control.Message{From: "alice", Via: "local", Text: "Fire!", Level: messngr.LevelEmergency})
	d.daemon.Await("the emergency", func(s []traytest.Note) bool { return len(s) == 1 && strings.HasPrefix(s[0].Summary, "EMERGENCY") })
	d.eventually("the pop-up", func() bool {
		return slices.Contains(lines(), "popup --screen --level urgent --once --socket "+d.socket)
	})
	if n := len(lines()); n != 4 {
		t.Errorf("it was started %d times: %q", n, lines())
	}
}

func TestADesktopProgramThatFails(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.install("messngr-desktop", "exit 1")
	d.run()
	d.arrive(hello())
	d.daemon.Invoke(d.daemon.AwaitCount(1)[0].ID, "default", "")
	d.daemon.Await("the hint", func(s []traytest.Note) bool { return len(s) == 1 && strings.Contains(s[0].Body, "messngr inbox show") })
}

// An emergency pops up at once, however long the notification daemon takes.
func TestPopUpsDoNotWaitForTheDaemon(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	log := d.install("messngr-desktop", "")
	d.run()
	release := d.daemon.Hold()
	defer release()
	d.arrive(control.Message{From: "alice", Via: "local", Text: "Fire!", Level: messngr.LevelEmergency})
	d.eventually("the pop-up", func() bool {
		b, _ := os.ReadFile(log)
		return strings.Contains(string(b), "popup --screen --level urgent --once")
	})
	if n := len(d.daemon.Calls()); n != 0 {
		t.Errorf("the daemon has shown %d notifications", n)
	}
	release()
	d.daemon.AwaitCount(1)
}

// The icon and its menu do not wait for a notification daemon that hangs.
func TestTheIconDoesNotWaitForTheDaemon(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	host := traytest.StartHost(t, d.bus)
	item := host.Item()
	release := d.daemon.Hold()
	defer release()
	began := time.Now()
	first := d.arrive(hello())
	tip := func(want string) {
		t.Helper()
		d.eventually("the icon says "+want, func() bool {
			v, err := host.Property(item, "ToolTip")
			return err == nil && strings.Contains(fmt.Sprint(v), want)
		})
	}
	tip("One unread message")
	d.arrive(hello())
	tip("2 unread messages")
	for range 2 {
		if found, err := host.Choose(item, "Do not disturb"); err != nil || !found {
			t.Fatalf("do not disturb: %v, %v", found, err)
		}
		tip("2 unread messages")
	}
	d.fake.Mark("read", first)
	tip("One unread message")
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := len(d.daemon.Calls()); n != 0 {
		t.Errorf("the daemon has shown %d notifications", n)
	}
	// What was withdrawn while it was on its way does not stay.
	release()
	d.daemon.Await("the second message alone", func(s []traytest.Note) bool {
		return len(s) == 1 && len(d.daemon.Calls()) == 2 && s[0].ID == 2
	})
	settle()
	d.daemon.AwaitCount(1)
}

// Pop-ups that fall over are tried again for as long as something has to be seen.
func TestPopUpsThatFallOver(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	log := d.install("messngr-desktop", "exit 1")
	d.run()
	d.arrive(control.Message{From: "alice", Via: "local", Text: "Fire!", Level: messngr.LevelEmergency})
	d.eventually("they are started twice", func() bool {
		b, _ := os.ReadFile(log)
		return strings.Count(string(b), "popup --screen --level urgent --once") == 2
	})
}

func TestPopUpsForEverything(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	log := d.install("messngr-desktop", "trap 'echo stopped >>"+d.home+"/stopped; exit 0' INT\nwhile :; do /bin/sleep 0.05; done")
	d.configure(`popup = "info"`)
	stop := d.run()
	started := func() int {
		b, _ := os.ReadFile(log)
		return strings.Count(string(b), "popup --screen --level info --socket")
	}
	stopped := func() int {
		b, _ := os.ReadFile(filepath.Join(d.home, "stopped"))
		return strings.Count(string(b), "stopped")
	}
	d.eventually("pop-ups wait from the beginning", func() bool { return started() == 1 })
	d.arrive(hello())
	d.daemon.AwaitCount(1)
	getenv := d.options().Getenv
	if err := tray.SetDoNotDisturb(t.Context(), getenv, true); err != nil {
		t.Fatal(err)
	}
	d.eventually("they end when nobody is to be disturbed", func() bool { return stopped() == 1 })
	if err := tray.SetDoNotDisturb(t.Context(), getenv, false); err != nil {
		t.Fatal(err)
	}
	d.eventually("and come back", func() bool { return started() == 2 })
	stop()
	d.eventually("and end with the tray", func() bool { return stopped() == 2 })
}

// The pop-ups are told whether the screen is locked, for nobody sees them behind
// a lock.
func TestPopUpsAreToldOfTheLock(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	saver := traytest.StartSaver(t, d.bus, true)
	screen := filepath.Join(d.home, "screen")
	d.install("messngr-desktop", "while read line; do echo $line >>"+screen+"; done; echo over >>"+screen)
	stop := d.run()
	d.arrive(control.Message{From: "alice", Via: "local", Text: "Fire!", Level: messngr.LevelEmergency})
	told := func(want string) {
		t.Helper()
		d.eventually(fmt.Sprintf("the pop-ups are told %q", want), func() bool {
			b, _ := os.ReadFile(screen)
			return string(b) == want
		})
	}
	told("locked\n")
	saver.Lock(t, false)
	told("locked\nunlocked\n")
	saver.Lock(t, true)
	told("locked\nunlocked\nlocked\n")
	stop()
	told("locked\nunlocked\nlocked\nover\n")
}

func TestAnotherInstance(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	log := d.install("messngr-desktop", "")
	d.run()
	host := traytest.StartHost(t, d.bus)
	host.Item() // it runs
	if err := tray.Run(t.Context(), d.options()); !errors.Is(err, tray.ErrRunning) {
		t.Errorf("a second one = %v, want ErrRunning", err)
	}
	if _, err := os.Stat(log); err == nil {
		t.Error("a second one that is to be minimized opens the window")
	}
	o := d.options()
	o.Minimized = false
	if err := tray.Run(t.Context(), o); !errors.Is(err, tray.ErrRunning) {
		t.Errorf("a third one = %v, want ErrRunning", err)
	}
	d.eventually("the window opens", func() bool { _, err := os.Stat(log); return err == nil })
}

func TestWithoutASession(t *testing.T) {
	d := newDesk(t)
	for _, address := range []string{"", "unix:path=" + d.home + "/none"} {
		d.env["DBUS_SESSION_BUS_ADDRESS"] = address
		if err := tray.Run(t.Context(), d.options()); !errors.Is(err, tray.ErrNoSession) {
			t.Errorf("Run = %v, want ErrNoSession", err)
		}
	}
}

// The end of the session's bus is the end of the session.
func TestTheSessionEnds(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	proxy := traytest.NewCutter(t, strings.TrimPrefix(strings.Split(d.bus, ",")[0], "unix:path="))
	d.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + proxy.Path()
	done := make(chan error, 1)
	go func() { done <- tray.Run(t.Context(), d.options()) }()
	d.arrive(hello())
	d.daemon.AwaitCount(1)
	proxy.Cut()
	select {
	case err := <-done:
		if err == nil {
			t.Error("Run = nil when the bus went away")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on without a bus")
	}
}

func TestRefusals(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.daemon.Refuse(dbus.NewError("org.freedesktop.Notifications.MaxNotificationsExceeded", []any{"enough"}))
	d.run()
	d.arrive(hello())
	d.arrive(hello())
	settle()
	d.daemon.Refuse(nil)
	d.daemon.AwaitCount(2)
}

func TestADaemonThatComesLate(t *testing.T) {
	d := newDesk(t)
	d.run()
	d.arrive(hello())
	d.arrive(hello())
	settle()
	d.daemon = traytest.StartDaemon(t, d.bus, traytest.Everything())
	began := time.Now()
	d.daemon.AwaitCount(2)
	if time.Since(began) > 800*time.Millisecond {
		t.Errorf("it was noticed only after %v", time.Since(began))
	}
}

func TestADaemonThatRestarts(t *testing.T) {
	d := newDesk(t, traytest.Everything()...)
	d.run()
	d.arrive(hello())
	kept := d.arrive(hello())
	first := d.daemon.AwaitCount(2)
	d.daemon.Dismiss(first[0].ID)
	d.daemon.AwaitCount(1)
	d.daemon.Stop()
	// The new one can do less, and gives the same ids to others.
	d.daemon = traytest.StartDaemon(t, d.bus, []string{"body"})
	n := d.daemon.AwaitCount(1)[0]
	if n.Replaces != 0 || len(n.Actions) != 0 || n.Hints["sound-name"].Value() != nil {
		t.Errorf("shown again as %+v", n)
	}
	d.fake.Mark("read", kept)
	d.daemon.AwaitCount(0)
}
