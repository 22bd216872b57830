//go:build linux

package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"messngr/interop/hammer"
	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/screen"
)

var screens = flag.String("screens", "", "keep pictures of the desktops in this folder")

// desktop is a host that people use, and another one that writes to them.
type desktop struct {
	t    *testing.T
	ctx  context.Context
	ours *program.Program
	from *lab.Host
}

// newDesktop starts our service in a host.
func newDesktop(t *testing.T, limit time.Duration, config string, programs ...string) *desktop {
	t.Helper()
	labtest.Need(t, append(screen.Programs(), programs...)...)
	ctx := labtest.Context(t, limit)
	hosts := labtest.Hosts(t, labtest.Subnet(t, labtest.New(t), "10.77.0.0/24"), "alpha", "beta")
	ours, _ := serve(ctx, t, hosts[0], config)
	// People run it, and not only root.
	if err := os.Chmod(filepath.Dir(ours.Path()), 0o755); err != nil {
		t.Fatal(err)
	}
	return &desktop{t: t, ctx: ctx, ours: ours, from: hosts[1]}
}

// login opens a session of a user of the system.
func (d *desktop) login(user string, width, height int) *screen.Session {
	d.t.Helper()
	s, err := screen.Open(d.ctx, d.ours.Host(), user, width, height)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			d.t.Error(err)
		}
	})
	// As the package does for everybody.
	icons := filepath.Join(s.Home(), ".local/share/icons/hicolor/48x48/apps")
	for _, args := range [][]string{
		{"install", "-D", "-m", "644", "-t", icons, "../packaging/desktop/icons/48x48/messngr.png"},
		{"chown", "-R", user, filepath.Join(s.Home(), ".local")},
	} {
		if out, err := command(d.ctx, ".", args[0], args[1:]...); err != nil {
			d.t.Fatalf("%v: %s", err, out)
		}
	}
	return s
}

// start starts a program in a session and waits until it has the name on the session's bus.
func (d *desktop) start(s *screen.Session, name string, args ...string) *lab.Daemon {
	d.t.Helper()
	p, err := s.Daemon(filepath.Base(args[0]), args...)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(d.ctx, 20*time.Second)
	defer cancel()
	if err := s.Owned(ctx, name); err != nil {
		d.t.Fatalf("%s: %v\n%s", args[0], err, p.Log())
	}
	return p
}

// tray starts our part of the session.
func (d *desktop) tray(s *screen.Session, args ...string) *lab.Daemon {
	d.t.Helper()
	return d.start(s, "org.messngr.Tray", append([]string{d.ours.Path(), "tray", "--min"}, args...)...)
}

// configure writes a person's configuration of the tray.
func (d *desktop) configure(s *screen.Session, text string) {
	d.t.Helper()
	if out, err := s.Output(d.ctx, "sh", "-c", `mkdir -p "$HOME/.config/messngr" && echo "$0" >"$HOME/.config/messngr/tray.toml"`, text); err != nil {
		d.t.Fatalf("%v: %s", err, out)
	}
}

// send sends a message over the network, as an old machine does.
func (d *desktop) send(to, text string) {
	d.t.Helper()
	if err := d.from.Do(func() error { return hammer.New("BOSS", to, text).Deliver(messages(d.ours.Host())) }); err != nil {
		d.t.Fatal(err)
	}
}

// says runs our program as root.
func (d *desktop) says(args ...string) string {
	d.t.Helper()
	out, err := says(d.ctx, d.ours, args...)
	if err != nil {
		d.t.Fatalf("messngr %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// asks runs our program as the person of a session.
func (d *desktop) asks(s *screen.Session, args ...string) string {
	d.t.Helper()
	out, err := s.Output(d.ctx, append([]string{d.ours.Path()}, args...)...)
	if err != nil {
		d.t.Fatalf("messngr %s, as %s: %v: %s", strings.Join(args, " "), s.User(), err, out)
	}
	return out
}

// last is the newest message of the person's inbox.
func (d *desktop) last(s *screen.Session) (m struct {
	Text, ID       string
	ShownAt        *time.Time `json:"shown_at"`
	ReadAt         *time.Time `json:"read_at"`
	AcknowledgedAt *time.Time `json:"acknowledged_at"`
}) {
	d.t.Helper()
	out := d.asks(s, "inbox", "list", "--limit", "1", "--json")
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		d.t.Fatalf("%v: %q", err, out)
	}
	return m
}

// look takes a picture.
func (d *desktop) look(s *screen.Session) *screen.Image {
	d.t.Helper()
	i, err := s.Look(d.ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	return i
}

// until calls f until it returns nil, for ten seconds. A picture of what was there instead is kept.
func (d *desktop) until(s *screen.Session, what string, f func() error) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, 10*time.Second)
	defer cancel()
	if err := lab.Until(ctx, f); err != nil {
		d.keep(s, "failed-"+what)
		d.t.Fatalf("%s: %v", what, err)
	}
}

// appears waits until something is on the screen that was not there before and no longer moves, and returns where.
func (d *desktop) appears(s *screen.Session, what string, before *screen.Image) (where image.Rectangle) {
	d.t.Helper()
	var last *screen.Image
	d.until(s, what, func() error {
		now := d.look(s)
		where = before.Differs(now)
		moving := last == nil || !last.Differs(now).Empty()
		last = now
		switch {
		case where.Dx() < 100 || where.Dy() < 30:
			return fmt.Errorf("only %v differs", where)
		case moving:
			return errors.New("it moves")
		}
		return nil
	})
	return where
}

// disappears waits until the screen looks as it did before.
func (d *desktop) disappears(s *screen.Session, what string, before *screen.Image) {
	d.t.Helper()
	d.until(s, what, func() error {
		if r := before.Differs(d.look(s)); !r.Empty() {
			return fmt.Errorf("%v still differs", r)
		}
		return nil
	})
}

// keep keeps a picture where the command line says.
func (d *desktop) keep(s *screen.Session, name string) {
	d.t.Helper()
	if *screens == "" {
		return
	}
	if err := d.look(s).Save(filepath.Join(*screens, strings.ReplaceAll(d.t.Name()+"-"+name+".png", "/", "-"))); err != nil {
		d.t.Error(err)
	}
}

// notificationDaemons are the programs of several desktops that show notifications.
var notificationDaemons = []struct {
	name string
	path string // with an asterisk for the kind of machine
	// acknowledge is where the button of that name is, from the lower right corner of what appeared.
	acknowledge image.Point
}{
	{"dunst", "/usr/bin/dunst", image.Point{}}, // its buttons are in a menu of another program
	{"notification-daemon", "/usr/lib/notification-daemon/notification-daemon", image.Pt(100, 37)},
	{"xfce4-notifyd", "/usr/lib/*/xfce4/notifyd/xfce4-notifyd", image.Pt(70, 25)},
	{"lxqt-notificationd", "/usr/bin/lxqt-notificationd", image.Pt(85, 35)},
}

// installedAt is where a program is, or where it was looked for.
func installedAt(pattern string) string {
	if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
		return found[0]
	}
	return pattern
}

// On every desktop a message appears, can be acknowledged by a click, and goes when it is read elsewhere.
func TestDesktopNotifications(t *testing.T) {
	t.Parallel()
	for _, nd := range notificationDaemons {
		t.Run(nd.name, func(t *testing.T) {
			t.Parallel()
			path := installedAt(nd.path)
			d := newDesktop(t, 2*time.Minute, "", path)
			s := d.login("games", 1000, 600)
			d.start(s, "org.freedesktop.Notifications", path)
			d.tray(s)
			time.Sleep(500 * time.Millisecond) // for what a desktop draws when it begins
			before := d.look(s)

			d.send("ALPHA", "Please look <b>now</b> & call\x14<img src=\"x\">")
			where := d.appears(s, "a message", before)
			d.keep(s, "message")
			if nd.acknowledge != (image.Point{}) {
				if err := s.Click(d.ctx, where.Max.X-nd.acknowledge.X, where.Max.Y-nd.acknowledge.Y, 1); err != nil {
					t.Fatal(err)
				}
				d.until(s, "acknowledged", func() error {
					if m := d.last(s); m.AcknowledgedAt == nil || m.ReadAt == nil || m.ShownAt == nil {
						return fmt.Errorf("it is %+v", m)
					}
					return nil
				})
				s.Click(d.ctx, 10, 10, 1) // away, so that nothing is highlighted
			} else {
				d.asks(s, "inbox", "mark", "last")
			}
			d.disappears(s, "after the click", before)

			d.says("send", "--level", "urgent", "--title", "Printer", "ALPHA", "Out of paper")
			d.appears(s, "an urgent message", before)
			d.keep(s, "urgent")
			d.asks(s, "inbox", "mark", "last")
			d.disappears(s, "after it was read elsewhere", before)
		})
	}
}

// What came before anybody was logged in waits. What has to be seen pops up in a window of its own, and the notification goes when it is acknowledged there.
func TestDesktopPopUp(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 3*time.Minute, "", "dunst")
	bin := t.TempDir()
	if out, err := command(d.ctx, "../desktop", "go", "build", "-o", filepath.Join(bin, "messngr-desktop"), "./cmd/messngr-desktop"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for dir := bin; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d.send("ALPHA", "while nobody was logged in")
	s := d.login("games", 1000, 600)
	d.start(s, "org.freedesktop.Notifications", "dunst")
	time.Sleep(500 * time.Millisecond)
	before := d.look(s)
	d.start(s, "org.messngr.Tray", "env", "PATH="+bin+":"+os.Getenv("PATH"), "GDK_GL=disable", d.ours.Path(), "tray", "--min")
	d.appears(s, "what has waited", before)
	if m := d.last(s); m.Text != "while nobody was logged in" || m.ReadAt != nil {
		t.Errorf("what has waited is %+v", m)
	}
	d.asks(s, "inbox", "mark", "last")
	d.disappears(s, "what has waited", before)
	windows := func() int {
		out, _ := s.Output(d.ctx, "xdotool", "search", "--onlyvisible", "--class", "messngr")
		return strings.Count(out, "\n")
	}
	d.send("ALPHA", "Lunch?")
	d.appears(s, "a message that does not pop up", before)
	if n := windows(); n != 0 {
		t.Errorf("%d windows", n)
	}
	d.asks(s, "inbox", "mark", "last")
	d.disappears(s, "after it was read", before)

	d.says("send", "--level", "urgent", "ALPHA", "The server room is on fire")
	d.until(s, "the pop-up", func() error {
		if n := windows(); n != 1 {
			return fmt.Errorf("%d windows", n)
		}
		return nil
	})
	d.appears(s, "the pop-up and the notification", before)
	d.keep(s, "urgent")
	// There is no window manager here that would give it the keyboard. A key that comes too early for a person to have read
	// the message is no answer, so it may take two.
	window, err := s.Output(d.ctx, "xdotool", "search", "--onlyvisible", "--class", "messngr")
	if err != nil {
		t.Fatalf("%v: %s", err, window)
	}
	d.until(s, "acknowledged", func() error {
		if m := d.last(s); m.AcknowledgedAt != nil {
			return nil
		}
		_, err := s.Output(d.ctx, "xdotool", "windowfocus", "--sync", strings.TrimSpace(window))
		if err == nil {
			_, err = s.Output(d.ctx, "xdotool", "key", "Return") // as the keyboard does, which an event sent to a window does not
		}
		time.Sleep(300 * time.Millisecond)
		return errors.Join(errors.New("nobody has acknowledged it"), err)
	})
	d.disappears(s, "after the key", before)
}

// A thousand messages in a second: a few notifications and a digest, everything in the inbox, a desktop that answers.
func TestDesktopStorm(t *testing.T) {
	t.Parallel()
	path := installedAt(notificationDaemons[2].path)
	d := newDesktop(t, 2*time.Minute, unlimited+"pop_up_per_source = { rate = 0, burst = 0 }\npop_up_in_all = { rate = 0, burst = 0 }\n", path, "gdbus")
	s := d.login("games", 1280, 1024)
	d.start(s, "org.freedesktop.Notifications", path)
	d.tray(s)
	time.Sleep(500 * time.Millisecond)
	before := d.look(s)

	m := hammer.New("BOSS", "ALPHA", "Reboot at 18:00")
	began := time.Now()
	var senders errgroup.Group
	for range 20 {
		senders.Go(func() error {
			return d.from.Do(func() error {
				for range 50 {
					if err := m.Deliver(messages(d.ours.Host())); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	if err := senders.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("1,000 messages in %v", time.Since(began).Round(time.Millisecond))
	d.appears(s, "a digest", before)
	d.keep(s, "storm")
	out, err := s.Output(d.ctx, "xdotool", "search", "--onlyvisible", "--class", "xfce4-notifyd")
	if n := strings.Count(out, "\n"); err != nil || n < 1 || n > 11 {
		t.Errorf("%d windows, %v: %s", n, err, out)
	}
	if got := d.says("status"); !strings.Contains(got, "1000") {
		t.Errorf("status says\n%s", got)
	}
	list := d.says("inbox", "list", "--unread", "--limit", "2000")
	if !strings.Contains(list, "1000 of 1000, 1000 unread") {
		t.Errorf("the inbox ends with %q", list[max(0, len(list)-100):])
	}
	// Somebody else's notification is taken as ever.
	began = time.Now()
	if out, err := s.Output(d.ctx, "gdbus", "call", "--session", "--dest", "org.freedesktop.Notifications", "--object-path", "/org/freedesktop/Notifications",
		"--method", "org.freedesktop.Notifications.GetServerInformation"); err != nil || time.Since(began) > time.Second {
		t.Errorf("the daemon answers after %v: %v: %s", time.Since(began), err, out)
	}
}
