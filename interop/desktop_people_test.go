//go:build linux

package interop_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/labtest"
	"messngr/interop/screen"
	"messngr/tray/traytest"
)

// Two people and root on one host, each in a session: each sees the own messages and those for the machine. Nobody reads
// another's, by the API, by the bus or in files, and root's session does not show them although root may read them.
func TestDesktopPeople(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "tmux", "who", "mesg", "dbus-send")
	d := newDesktop(t, 2*time.Minute, "")
	// Names of people are ours while they are logged in.
	terminals := newTerminals(t, d.ours.Host())
	people := map[string]*screen.Session{}
	daemons := map[string]*traytest.Daemon{}
	for _, user := range []string{"games", "news", "root"} {
		if user != "root" {
			terminals.login(d.ctx, t, user)
		}
		s := d.login(user, 640, 480)
		people[user] = s
		daemons[user] = traytest.StartDaemon(t, s.Bus(), traytest.Everything()) // root may be on every bus
		d.tray(s)
	}
	d.until(people["root"], "the names of people", func() error {
		_, err := says(d.ctx, d.ours, "write", "news", "first")
		return err
	})

	d.says("write", "games", "a secret of games")
	d.says("write", "news", "a secret of news")
	d.send("ALPHA", "for everybody")
	sees := func(user, text string) bool {
		for _, n := range daemons[user].Calls() {
			if strings.Contains(n.Body, text) {
				return true
			}
		}
		return false
	}
	for user := range people {
		daemons[user].Await(user+" sees what is for everybody", func([]traytest.Note) bool { return sees(user, "for everybody") })
		for _, of := range []string{"games", "news"} {
			if got, want := sees(user, "a secret of "+of), user == of; got != want {
				t.Errorf("%s sees the secret of %s: %v", user, of, got)
			}
		}
	}

	// By the API, by the bus, in files.
	games, news := people["games"], people["news"]
	out, err := news.Output(d.ctx, d.ours.Path(), "inbox", "export")
	if err != nil || !strings.Contains(out, "a secret of news") || strings.Contains(out, "a secret of games") {
		t.Errorf("the inbox of news: %v: %s", err, out)
	}
	id := strings.Fields(d.says("inbox", "search", "secret", "games"))
	if out, err := news.Output(d.ctx, d.ours.Path(), "inbox", "show", id[len(id)-1]); err == nil {
		t.Errorf("news reads %q", out)
	}
	out, err = news.Output(d.ctx, "dbus-send", "--bus="+games.Bus(), "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames")
	if err == nil {
		t.Errorf("news is on the bus of games: %s", out)
	}
	for _, file := range []string{"bus", "home", "home/.local/state/messngr"} {
		if out, err := news.Output(d.ctx, "ls", filepath.Join(filepath.Dir(games.Home()), file)); err == nil {
			t.Errorf("news sees %s", out)
		}
	}
	state := filepath.Join(d.ours.Host().Dir(), "lib/messngr")
	if out, err := news.Output(d.ctx, "sh", "-c", "cat "+state+"/* /var/lib/messngr/*"); err == nil || strings.Contains(out, "secret") {
		t.Errorf("news reads the service's files: %s", out)
	}

	// Everybody reads what is for everybody for himself; deleted, it is gone for all.
	shows := func(screen []traytest.Note) bool {
		return slices.ContainsFunc(screen, func(n traytest.Note) bool { return strings.Contains(n.Body, "for everybody") })
	}
	d.asks(news, "inbox", "mark", "last")
	daemons["news"].Await("what was read is gone", func(s []traytest.Note) bool { return !shows(s) })
	for _, user := range []string{"games", "root"} {
		daemons[user].Await("what "+user+" has not read", shows)
	}
	d.says("inbox", "delete", "last")
	for _, user := range []string{"games", "root"} {
		daemons[user].Await("what was deleted is gone", func(s []traytest.Note) bool { return !shows(s) })
	}
	daemons["games"].Await("only the secret is left", func(s []traytest.Note) bool {
		return len(s) == 1 && strings.Contains(s[0].Body, "a secret of games")
	})
}
