//go:build linux

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
)

// beside is a host on which Samba serves a share, a second one whose people use it, and a third one of ours.
type beside struct {
	t                       *testing.T
	ctx                     context.Context
	server, client, another *lab.Host
	more                    []*lab.Host
	samba, user             *samba.Samba
	ours                    *program.Program // on the server
	other                   *program.Program // on the third
	config                  string           // of the service on the server
}

// newBeside starts nothing but the service of the third host.
func newBeside(t *testing.T, o samba.Options, more ...string) *beside {
	t.Helper()
	b := &beside{t: t, ctx: labtest.Context(t, 4*time.Minute)}
	hosts := lan(t, append([]string{"server", "client", "another"}, more...)...)
	b.server, b.client, b.another, b.more = hosts[0], hosts[1], hosts[2], hosts[3:]
	share := filepath.Join(b.server.Dir(), "pub")
	if err := os.Mkdir(share, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(share, "file"), []byte(contents), 0o644); err != nil {
		t.Fatal(err)
	}
	// smbd's guest must be able to run the program.
	b.ours = install(t, b.server)
	copied := filepath.Join(b.server.Dir(), "messngr")
	if out, err := exec.Command("cp", b.ours.Path(), copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var err error
	if b.ours, err = program.New(b.server, copied); err != nil {
		t.Fatal(err)
	}
	b.config = fmt.Sprintf("workgroup = \"TESTGRP\"\n[samba]\ncache = \"/run/samba/cache\"\n[transport.samba]\nspool = %q\n", b.spool())
	o.Lines = append(o.Lines, "[pub]", "path = "+share, "guest ok = yes", "read only = yes")
	if b.samba, err = samba.New(b.server, o); err != nil {
		t.Fatal(err)
	}
	if b.user, err = samba.New(b.client, samba.Options{}); err != nil {
		t.Fatal(err)
	}
	watch(b.ctx, t, b.server)
	b.other, _ = serve(b.ctx, t, b.another, "", "--workgroup", "TESTGRP")
	return b
}

const contents = "what people have on their server\n"

func (b *beside) spool() string { return filepath.Join(b.server.Dir(), "waiting") }

// smbd starts the file server and waits until it has the port.
func (b *beside) smbd(port uint16) *lab.Daemon {
	b.t.Helper()
	d, err := b.server.Daemon("smbd", b.samba.SMBDCommand())
	if err != nil {
		b.t.Fatal(err)
	}
	b.until("smbd", func() error {
		select {
		case <-d.Ended():
			return lab.Stop{Err: fmt.Errorf("smbd ended: %s", d.Log())}
		default:
		}
		conn, err := b.client.Dial(b.ctx, "tcp4", netip.AddrPortFrom(b.server.Addr(), port).String())
		if err == nil {
			conn.Close()
		}
		return err
	})
	return d
}

// nmbd starts the name server and waits until it answers.
func (b *beside) nmbd() *lab.Daemon {
	b.t.Helper()
	d, err := b.samba.NMBD(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func (b *beside) until(what string, f func() error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := lab.Until(ctx, f); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// serve starts our service beside Samba.
func (b *beside) serve() *lab.Daemon {
	b.t.Helper()
	d, err := b.ours.Serve(b.ctx, b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// arrangement is what status says of Samba.
func (b *beside) arrangement() (n int, said string) {
	b.t.Helper()
	out, stderr, err := b.server.Output(b.ctx, b.ours.Path(), "status", "--json")
	if err != nil {
		b.t.Fatalf("status: %v: %s", err, stderr)
	}
	var st struct {
		Samba struct {
			Arrangement int
			State       []string
			Hint        string
		}
	}
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		b.t.Fatal(err)
	}
	return st.Samba.Arrangement, strings.Join(append(st.Samba.State, st.Samba.Hint), "\n")
}

// in waits until the service says that it lives in an arrangement, in words that contain some.
func (b *beside) in(arrangement int, words ...string) {
	b.t.Helper()
	b.until(fmt.Sprintf("arrangement %d, %q", arrangement, words), func() error {
		n, said := b.arrangement()
		if n != arrangement || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(said, w) }) {
			return fmt.Errorf("it is %d, %s", n, said)
		}
		return nil
	})
}

// received waits for message number n and compares it.
func (b *beside) received(n int, want program.Message) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	all, err := b.ours.Received(ctx, n)
	if err != nil {
		b.t.Fatal(err)
	}
	got := all[n-1]
	if !same(got.Text, want.Text) || got.Via != want.Via || !strings.EqualFold(got.From, want.From) || got.To != want.To ||
		got.Address != want.Address || got.Trust != "unverified" {
		b.t.Errorf("message %d: got %+v, want %+v", n, got, want)
	}
	if len(all) > n {
		b.t.Errorf("%d messages, want %d: %+v", len(all), n, all)
	}
}

// work is what Samba's users do without end: ask for names, list shares, fetch a file.
type work struct {
	stop func()

	mu       sync.Mutex
	rounds   int
	failures []string
}

// work begins. names are what is asked for by broadcast; they must be found at the server.
func (b *beside) work(names ...string) *work {
	w := &work{}
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan struct{})
	w.stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(w.stop)
	server := b.server.Addr().String()
	do := func(what string, want string, name string, args ...string) {
		out, stderr, err := b.client.Output(ctx, name, args...)
		if ctx.Err() == nil && (err != nil || !strings.Contains(out, want)) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failures = append(w.failures, fmt.Sprintf("round %d: %s: %v: %s%s", w.rounds, what, err, out, stderr))
		}
	}
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			for _, n := range names {
				do("nmblookup "+n, server+" ", "nmblookup", "-s", b.user.Config(), n)
			}
			do("list", "pub", "smbclient", "-s", b.user.Config(), "-N", "-L", server)
			do("get", strings.TrimSpace(contents), "smbclient", "-s", b.user.Config(), "-N", "//"+server+"/pub", "-c", "get file -")
			w.mu.Lock()
			w.rounds++
			w.mu.Unlock()
		}
	}()
	return w
}

// round waits for two more rounds, so that one of them began after now.
func (w *work) round(b *beside) {
	b.t.Helper()
	count := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.rounds
	}
	begin := count()
	b.until("Samba's users", func() error {
		if count() < begin+2 {
			return fmt.Errorf("round %d", count())
		}
		return nil
	})
}

// check ends the work and tells what failed.
func (w *work) check(t *testing.T, least int) {
	t.Helper()
	w.stop()
	for _, f := range w.failures {
		t.Errorf("Samba's users were disturbed: %s", f)
	}
	if w.rounds < least {
		t.Errorf("Samba's users came to %d rounds, want %d", w.rounds, least)
	}
	t.Logf("%d rounds of Samba's users", w.rounds)
}

// First arrangement: smbd is content with port 445, and messngr has 139 and the names.
func TestBesideFileServer(t *testing.T) {
	t.Parallel()
	b := newBeside(t, samba.Options{Ports: "445"})
	b.smbd(445)
	w := b.work()
	w.round(b)
	for i := range 3 {
		d := b.serve()
		b.in(1, "messngr has 139")
		owners(b.ctx, t, b.user, "SERVER#03", b.server.Addr())
		if err := b.user.Send(b.ctx, "SERVER", "bob", fmt.Sprintf("whole, number %d\n", i)); err != nil {
			t.Fatal(err)
		}
		b.received(i+1, program.Message{From: "bob", To: "SERVER", Text: fmt.Sprintf("whole, number %d\n", i), Via: "smb", Address: b.client.Addr().String()})
		w.round(b)
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		w.round(b)
	}
	w.check(t, 5)
}

// Second arrangement: nmbd has the names and datagrams, and hands on what goes to everybody.
func TestBesideNameServer(t *testing.T) {
	t.Parallel()
	b := newBeside(t, samba.Options{Ports: "445"})
	b.smbd(445)
	nmbd := b.nmbd()
	w := b.work("SERVER#20", "SERVER#00")
	w.round(b)
	n := 0
	everyone := func(text string) {
		t.Helper()
		if outcomes, code, err := b.other.Send(b.ctx, text, "--as", "carol", "--yes", "everyone"); err != nil || code != 0 {
			t.Fatalf("%+v, exit code %d, %v", outcomes, code, err)
		}
		n++
		b.received(n, program.Message{From: "carol", To: "TESTGRP", Text: text, Via: "mailslot", Address: b.another.Addr().String()})
	}
	for i := range 3 {
		d := b.serve()
		b.in(2, "messngr has 139", "arrive through its socket")
		if err := b.user.Send(b.ctx, "SERVER", "bob", "directed\n"); err != nil {
			t.Fatal(err)
		}
		n++
		b.received(n, program.Message{From: "bob", To: "SERVER", Text: "directed\n", Via: "smb", Address: b.client.Addr().String()})
		everyone(fmt.Sprint("to everyone ", i))
		w.round(b)
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		w.round(b)
	}

	// nmbd is started anew while we run, and we while it is down: it gets its ports back.
	d := b.serve()
	b.in(2, "arrive through its socket")
	w.check(t, 5)
	if err := nmbd.Stop(); err != nil {
		t.Error(err)
	}
	b.in(2, "it is not running")
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	d = b.serve()
	b.in(2, "it is not running")
	b.nmbd()
	b.in(2, "arrive through its socket")
	everyone("after nmbd's restart")
	owners(b.ctx, t, b.user, "SERVER#20", b.server.Addr())
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}

// Third arrangement: smbd keeps port 139, and its message command is LinPopUp's, with our name in the place of that.
func TestBesideMessageCommand(t *testing.T) {
	t.Parallel()
	b := newBeside(t, samba.Options{MinProtocol: "NT1"})
	line := func(command string) {
		t.Helper()
		conf, err := os.ReadFile(b.samba.Config())
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for l := range strings.Lines(string(conf)) {
			if strings.Contains(l, "message command") {
				l = "\tmessage command = " + command + "\n"
			}
			lines = append(lines, l)
		}
		if err := os.WriteFile(b.samba.Config(), []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	send := func(from, text, address string) {
		t.Helper()
		if err := b.user.Send(b.ctx, "SERVER", from, text, "-I", b.server.Addr().String()); err != nil {
			t.Fatal(err)
		}
		n++
		b.received(n, program.Message{From: from, To: "(unknown)", Text: text, Via: "samba", Address: address})
	}
	receive := b.ours.Path() + " receive --spool " + b.spool()
	line(receive + ` "%f" "%m" %s; rm %s`)
	file := b.smbd(139)
	b.nmbd()
	w := b.work("SERVER#20", "SERVER#00")
	w.round(b)
	client := b.client.Addr().String()

	d := b.serve()
	b.in(3, "smbd has TCP port 139", "smb ports = 445")
	send("bob", "by LinPopUp's line: größer\nzweite Zeile\n", "")
	w.round(b)

	// While the service is down messages wait, and come in once.
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	for i := range 3 {
		if err := b.user.Send(b.ctx, "SERVER", "bob", fmt.Sprintf("while it was down %d\n", i), "-I", b.server.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	b.until("messages that wait", func() error {
		waiting, err := filepath.Glob(filepath.Join(b.spool(), "*.json"))
		if err == nil && len(waiting) != 3 {
			err = fmt.Errorf("%d messages wait", len(waiting))
		}
		return err
	})
	info, err := os.Stat(b.spool())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder where they wait: %v, %v", info.Mode(), err)
	}
	d = b.serve()
	n += 3
	b.received(n, program.Message{From: "bob", To: "(unknown)", Text: "while it was down 2\n", Via: "samba"})
	d.Kill()
	d = b.serve()
	time.Sleep(2 * time.Second)
	b.received(n, program.Message{From: "bob", To: "(unknown)", Text: "while it was down 2\n", Via: "samba"})
	w.round(b)
	w.check(t, 5)

	// With the address, and -min; and nothing of what a sender says reaches a shell.
	if err := file.Stop(); err != nil {
		t.Logf("smbd: %v", err) // it ends with an error when it is told to end
	}
	line(receive + ` -min --ip %I -- "%f" "%m" %s`)
	b.smbd(139)
	send("bob", "with the address\n", client)
	trap := filepath.Join(b.server.Dir(), "trap")
	if err := b.user.Send(b.ctx, "SERVER", "$(touch "+trap+")", "`touch "+trap+"`; touch "+trap+"\n", "-I", b.server.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ours.Received(b.ctx, n+1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(trap); err == nil {
		t.Error("a sender ran a command")
	}
	if left, err := filepath.Glob("/tmp/smb*"); err == nil {
		for _, f := range left {
			if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), trap) {
				t.Errorf("smbd's file %s is still there", f)
			}
		}
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}

// Nobody but smbd's user, root and the service's own user hands messages over, the group messngr's members neither.
func TestInjectionByOthers(t *testing.T) {
	t.Parallel()
	b := newBeside(t, samba.Options{Ports: "445"})
	b.serve()
	file := filepath.Join(b.client.Dir(), "text") // a folder that everybody may enter
	as := func(uid, text string) (string, error) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, stderr, err := b.server.Output(b.ctx, "setpriv", "--reuid", uid, "--clear-groups",
			b.ours.Path(), "receive", "--keep", "--spool", "/nowhere/spool", "bob", "pc17", file)
		return out + stderr, err
	}
	if out, err := as("65534", "from smbd"); err != nil {
		t.Errorf("as smbd's user: %v: %s", err, out)
	}
	if out, err := as("12345", "forged"); err == nil || !strings.Contains(out, "may hand over messages") {
		t.Errorf("as anybody: %v: %s", err, out)
	}
	b.received(1, program.Message{From: "bob", To: "(unknown)", Text: "from smbd", Via: "samba"})
}
