//go:build linux

package interop_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
)

var (
	binary = flag.String("messngr", "", "test this binary (default: build one)")
	soak   = flag.Bool("soak", false, "run the long tests at their full length")
)

// build compiles the program once for all tests that need it.
var build = sync.OnceValues(func() (string, error) {
	if *binary != "" {
		return *binary, nil
	}
	return program.Build(context.Background(), ".", built)
})

// built is the folder of the compiled program.
var built string

func TestMain(m *testing.M) {
	var err error
	if built, err = os.MkdirTemp("", "messngr-built-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(built)
	os.Exit(code)
}

// install puts our program into a host.
func install(t testing.TB, h *lab.Host) *program.Program {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	p, err := program.New(h, path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve installs our program in a host, and runs the service, which others can find by its names.
func serve(ctx context.Context, t testing.TB, h *lab.Host, config string, args ...string) (*program.Program, *lab.Daemon) {
	t.Helper()
	p := install(t, h)
	d, err := p.Serve(ctx, config, args...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Registered(ctx); err != nil {
		t.Fatal(err)
	}
	return p, d
}

// peer is a Samba whose servers run.
func peer(ctx context.Context, t testing.TB, h *lab.Host, o samba.Options, servers ...func(*samba.Samba, context.Context) (*lab.Daemon, error)) *samba.Samba {
	t.Helper()
	s, err := samba.New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range servers {
		if _, err := start(s, ctx); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// smbd and nmbd are servers for peer.
var (
	smbd = (*samba.Samba).SMBD
	nmbd = (*samba.Samba).NMBD
)

// mistaken lists what tshark says of right frames, by a part of its text, with the reason why it is wrong.
var mistaken = map[string]string{}

// watch records a host's frames from now on, and at the end of the test fails if tshark finds fault with one that the
// host sent.
func watch(ctx context.Context, t testing.TB, h *lab.Host) *lab.Capture {
	t.Helper()
	c, err := h.Capture(ctx, "eth0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		complaints, err := c.Complaints(context.WithoutCancel(ctx))
		if err != nil {
			t.Error(err)
		}
	next:
		for _, c := range complaints {
			for part := range mistaken {
				if strings.Contains(c.Text, part) {
					continue next
				}
			}
			t.Errorf("host %s, frame %s (%s): tshark says: %s", h.Name(), c.Frame, c.Protocols, c.Text)
		}
	})
	return c
}

// texts are what people send, with a code page that has all its characters ("" for any).
var texts = []struct{ name, text, page string }{
	{"short", "Reboot at 18:00", ""},
	{"empty", "", ""},
	{"one block", strings.Repeat("x", 128), ""},
	{"1,598 bytes", numbered(1598), ""},
	{"lines", "first\nsecond\n\nfourth, after an empty one", ""},
	{"umlaut", "Bitte den Drucker im Büro prüfen: Größe Ä4", "850"},
	{"umlauts over blocks", strings.Repeat("äöü ß ", 100) + "Ende", "850"},
	{"euro", "Das kostet 5 € und nicht mehr", "858"},
	{"Cyrillic", "Сервер будет выключен в 18:00, сохраните работу", "866"},
	{"Cyrillic over blocks", strings.Repeat("Сохраните вашу работу немедленно. ", 12) + "Конец", "866"},
}

// numbered is a text of n bytes of which no part is like another.
func numbered(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%05d ", i)
	}
	return b.String()[:n-1] + "."
}

// first returns the start of a long text, for a message.
func first(s string) string {
	if len(s) <= 60 {
		return s
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:60], len(s))
}

// same compares texts but for the newline at the end, which a text from a file has and one from a window has not.
func same(got, want string) bool {
	return strings.TrimSuffix(got, "\n") == strings.TrimSuffix(want, "\n")
}

// lan is a lab with one subnet and hosts on it.
func lan(t *testing.T, names ...string) []*lab.Host {
	t.Helper()
	l := labtest.New(t, append(samba.Programs(), "tcpdump", "tshark")...)
	return labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), names...)
}
