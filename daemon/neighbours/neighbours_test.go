package neighbours_test

import (
	"context"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier/browser"
	"messngr/control"
	"messngr/daemon/neighbours"
	"messngr/wire/browse"
	"messngr/wire/oem"
)

// network is what the browser service of a made-up network knows.
type network struct {
	heard []browser.Machine
	list  browser.List
	err   error
	asked int
}

func (n *network) Heard() []browser.Machine { return n.heard }

func (n *network) List(context.Context) (browser.List, error) {
	n.asked++
	return n.list, n.err
}

func config(t *testing.T, n *network) neighbours.Config {
	t.Helper()
	page, err := oem.Lookup("850")
	if err != nil {
		t.Fatal(err)
	}
	return neighbours.Config{
		Page: page, Workgroup: "OFFICE", Browser: n,
		Self: func() control.Machine { return control.Machine{Name: "PC17", Workgroup: "OFFICE"} },
		NMBD: func() ([]browse.Record, error) { return nil, nil },
	}
}

// summary is one line for each machine, and then the notes.
func summary(l control.WhoList) string {
	var b strings.Builder
	for _, m := range l.Machines {
		fields := strings.Fields(strings.Join([]string{m.Workgroup, m.Name, m.Address, strings.Join(m.Sources, ",")}, " "))
		b.WriteString(strings.Join(fields, " ") + "\n")
	}
	return b.String() + strings.Join(l.Notes, "\n")
}

func TestAsk(t *testing.T) {
	addr := netip.MustParseAddr
	n := &network{
		heard: []browser.Machine{{Name: "B\x9aRO", Workgroup: "OFFICE", Address: addr("10.0.0.2"), Seen: time.Now()}},
		list: browser.List{
			Master: "FS01", Address: addr("10.0.0.1"), Available: 9,
			Entries: []browse.Entry{{Name: "B\x9aRO"}, {Name: "PC18"}},
		},
	}
	cfg := config(t, n)
	cfg.NMBD = func() ([]browse.Record, error) {
		return []browse.Record{{Name: "LAB1", Workgroup: "LAB"}, {Name: "LAB", Type: browse.Workgroups}}, nil
	}
	got := summary(neighbours.New(cfg).Ask(t.Context(), true))
	want := "OFFICE BÜRO 10.0.0.2 announced,list\nOFFICE FS01 10.0.0.1 list\nOFFICE PC17 self\nOFFICE PC18 list\nLAB LAB1 nmbd\n" +
		"the master browser FS01 (10.0.0.1) has more machines than it lists"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAskWithoutMaster(t *testing.T) {
	cfg := config(t, &network{err: browser.ErrNoMaster})
	cfg.NMBD = func() ([]browse.Record, error) { return nil, fs.ErrPermission }
	got := summary(neighbours.New(cfg).Ask(t.Context(), true))
	want := "OFFICE PC17 self\nno master browser was found: without one only machines are known that announce themselves, every 12 minutes\n" +
		"permission denied"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// However often people ask, the network is asked only now and then.
func TestAskIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		who := neighbours.New(config(t, n))
		for range 5 {
			who.Ask(t.Context(), false)
		}
		if n.asked != 1 {
			t.Errorf("the network was asked %d times at once, want once", n.asked)
		}
		time.Sleep(11 * time.Second)
		if who.Ask(t.Context(), false); n.asked != 2 {
			t.Errorf("the network was asked %d times, want again after a while", n.asked)
		}
	})
}
