package browser_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/carrier"
	"messngr/carrier/browser"
	"messngr/wire/browse"
	"messngr/wire/netbios"
	"messngr/wire/smb"
)

func name(label string, suffix netbios.Suffix) netbios.Name {
	n, err := netbios.New(label, suffix)
	if err != nil {
		panic(err)
	}
	return n
}

var (
	pc17      = name("PC17", netbios.Workstation)
	workgroup = name("OFFICE", netbios.Workstation)
	master    = name("OFFICE", netbios.MasterBrowser)
)

// network is a NetBIOS network with hand-made answers; what it lacks is not asked.
type network struct {
	carrier.NetBIOS
	hear func(carrier.Datagram)

	mu    sync.Mutex
	state carrier.NameState // of PC17
	sent  []string
	start time.Time

	addrs   []netip.Addr // of the master
	entries []carrier.NameEntry
	session carrier.Session
	called  netbios.Name
	fail    error // of Dial
}

func (n *network) OverhearDatagrams(h func(carrier.Datagram)) { n.hear = h }

func (n *network) Names() []carrier.NameEntry {
	n.mu.Lock()
	defer n.mu.Unlock()
	return []carrier.NameEntry{{Name: pc17, State: n.state}}
}

func (n *network) SendDatagram(_ context.Context, addr netip.Addr, to, from netbios.Name, data []byte) error {
	w, err := smb.ParseMailslotWrite(data)
	if err != nil {
		return err
	}
	f, err := browse.Parse(w.Data)
	if err != nil {
		return err
	}
	a := f.(browse.Announcement)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, fmt.Sprintf("%v: %s to %v at %v from %v: kind %d, %s %d.%d type %#x every %v %q", time.Since(n.start).Round(time.Second),
		w.Name, to, addr, from, a.Kind, a.Name, a.Major, a.Minor, uint32(a.Type), a.Period, a.Comment))
	return nil
}

// announcements returns what was sent since the last call.
func (n *network) announcements() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	sent := n.sent
	n.sent = nil
	return sent
}

// says makes a machine say a frame.
func (n *network) says(t *testing.T, f browse.Frame, from string, to netbios.Name) {
	t.Helper()
	b, err := f.Append(nil)
	if err == nil {
		b, err = smb.MailslotWrite{Name: `\mailslot\browse`, Data: b}.Append(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.hear(carrier.Datagram{To: to, Group: true, Source: netip.AddrPortFrom(netip.MustParseAddr(from), 138), Data: b})
}

// run runs a browser until stop is called, or the test ends.
func run(t *testing.T, cfg browser.Config) (b *browser.Browser, n *network, stop func()) {
	t.Helper()
	n = &network{start: time.Now(), state: carrier.Owned}
	cfg.Networks, cfg.Name, cfg.Workgroup = []carrier.NetBIOS{n}, pc17, workgroup
	b = browser.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	t.Cleanup(stop)
	synctest.Wait()
	return b, n, stop
}

// announced is one announcement of PC17.
func announced(at, every string) string {
	return at + `: \MAILSLOT\BROWSE to OFFICE<1d> at invalid IP from PC17<00>: kind 1, PC17 4.9 type 0x803 every ` + every + ` "a comment"`
}

// TestAnnounces has the times of MS-BRWS 3.2.6.
func TestAnnounces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n, stop := run(t, browser.Config{Comment: "a comment"})
		time.Sleep(41*time.Minute + time.Second)
		want := []string{
			announced("0s", "1m0s"), announced("1m0s", "1m0s"), announced("2m0s", "2m0s"), announced("4m0s", "4m0s"),
			announced("8m0s", "8m0s"), announced("16m0s", "12m0s"), announced("28m0s", "12m0s"), announced("40m0s", "12m0s"),
		}
		if diff := cmp.Diff(want, n.announcements()); diff != "" {
			t.Errorf("announcements (-want +got):\n%s", diff)
		}
		stop()
		want = []string{`41m1s: \MAILSLOT\BROWSE to OFFICE<1d> at invalid IP from PC17<00>: kind 1, PC17 4.9 type 0x0 every 0s "a comment"`}
		if diff := cmp.Diff(want, n.announcements()); diff != "" {
			t.Errorf("at the end (-want +got):\n%s", diff)
		}
	})
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n, stop := run(t, browser.Config{Silent: true})
		n.says(t, browse.AnnouncementRequest{Name: "ALPHA"}, "10.0.0.1", workgroup)
		time.Sleep(time.Hour)
		stop()
		if sent := n.announcements(); len(sent) != 0 {
			t.Errorf("a silent machine says %q", sent)
		}
	})
}

// Who has not its own name, because nmbd of the same host has it, is not announced twice.
func TestAnnouncesItsOwnNameOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n, stop := run(t, browser.Config{Comment: "a comment"})
		n.announcements()
		n.mu.Lock()
		n.state = carrier.Conflict
		n.mu.Unlock()
		time.Sleep(time.Hour)
		stop()
		if sent := n.announcements(); len(sent) != 0 {
			t.Errorf("without its name the machine says %q", sent)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		n := &network{start: time.Now(), state: carrier.Claiming}
		b := browser.New(browser.Config{Networks: []carrier.NetBIOS{n}, Name: pc17, Workgroup: workgroup, Comment: "a comment"})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		time.Sleep(10*time.Second + time.Millisecond)
		n.mu.Lock()
		n.state = carrier.Owned
		n.mu.Unlock()
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff([]string{announced("11s", "1m0s")}, n.announcements()); diff != "" {
			t.Errorf("announcements (-want +got):\n%s", diff)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A master that comes asks for announcements, and gets one within half a minute, however
// often it asks; what is asked of others is not for us.
func TestRequested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n, _ := run(t, browser.Config{})
		time.Sleep(30 * time.Minute)
		n.announcements()
		n.says(t, browse.AnnouncementRequest{Name: "ALPHA"}, "10.0.0.1", name("OTHERS", netbios.Workstation))
		n.says(t, browse.AnnouncementRequest{Name: "ALPHA"}, "10.0.0.1", master)
		time.Sleep(31 * time.Second)
		if sent := n.announcements(); len(sent) != 0 {
			t.Errorf("to others' requests we say %q", sent)
		}
		for range 1000 {
			n.says(t, browse.AnnouncementRequest{}, "10.0.0.1", workgroup)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(21 * time.Second)
		if sent := n.announcements(); len(sent) == 0 || len(sent) > 20 {
			t.Errorf("to requests without end we say %d announcements", len(sent))
		}
	})
}

func TestHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, n, _ := run(t, browser.Config{Silent: true})
		says := func(kind browse.Kind, label string, bits browse.ServerType, from string, to netbios.Name) {
			n.says(t, browse.Announcement{Kind: kind, Period: 12 * time.Minute, Name: label, Type: bits, Comment: "of " + label}, from, to)
		}
		says(browse.Host, "BETA", browse.Workstation, "10.0.0.2", master)
		says(browse.LocalMaster, "ALPHA", browse.Server, "10.0.0.1", name("OFFICE", netbios.BrowserElection))
		says(browse.Workgroup, "OFFICE", browse.Workgroups, "10.0.0.1", netbios.MSBrowse())
		says(browse.Host, "ZETA", browse.Workstation, "10.0.0.9", name("LAB", netbios.MasterBrowser))
		n.hear(carrier.Datagram{To: workgroup, Data: []byte("rubbish")})
		start := time.Now()
		time.Sleep(20 * time.Minute)
		says(browse.Host, "BETA", browse.Workstation|browse.MasterBrowser, "10.0.0.22", master)
		want := []browser.Machine{
			{Name: "ZETA", Workgroup: "LAB", Type: browse.Workstation, Comment: "of ZETA", Address: netip.MustParseAddr("10.0.0.9"), Seen: start},
			{Name: "ALPHA", Workgroup: "OFFICE", Type: browse.Server, Comment: "of ALPHA", Address: netip.MustParseAddr("10.0.0.1"), Seen: start, Master: true},
			{Name: "BETA", Workgroup: "OFFICE", Type: browse.Workstation | browse.MasterBrowser, Comment: "of BETA", Address: netip.MustParseAddr("10.0.0.22"), Seen: time.Now(), Master: true},
		}
		if diff := cmp.Diff(want, b.Heard(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("heard (-want +got):\n%s", diff)
		}
		// Who misses three announcements is gone, who says so goes at once, and nobody can
		// say so of another.
		time.Sleep(17 * time.Minute)
		says(browse.Host, "BETA", 0, "10.0.0.66", master)
		if got := b.Heard(); len(got) != 1 || got[0].Name != "BETA" {
			t.Errorf("heard %+v, want BETA only", got)
		}
		says(browse.Host, "BETA", 0, "10.0.0.22", master)
		if got := b.Heard(); len(got) != 0 {
			t.Errorf("heard %+v, want nobody", got)
		}
	})
}

func TestHeardIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, n, _ := run(t, browser.Config{Silent: true})
		says := func(i int) {
			time.Sleep(time.Millisecond)
			n.says(t, browse.Announcement{Kind: browse.Host, Period: time.Hour, Name: fmt.Sprint("PC", i), Type: 1}, "10.0.0.1", master)
		}
		for i := range 4096 {
			says(i)
		}
		says(0) // heard again, and so not the one that was heard longest ago
		for i := range 904 {
			says(4096 + i)
		}
		got := b.Heard()
		has := func(name string) bool {
			return slices.ContainsFunc(got, func(m browser.Machine) bool { return m.Name == name })
		}
		if len(got) != 4096 || !has("PC0") || has("PC1") || has("PC904") || !has("PC905") {
			t.Errorf("%d machines are remembered, want the latest 4,096", len(got))
		}
	})
}
