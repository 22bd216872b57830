//go:build linux

package interop_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/lab"
	"messngr/interop/labtest"
	"messngr/interop/program"
	"messngr/interop/samba"
	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
	"messngr/wire/msgsvc"
	"messngr/wire/wkssvc"
)

// python is Debian's own, which has Samba's bindings; another one may come first in the path.
const python = "/usr/bin/python3"

// caller makes one call by Samba's own runtime and prints the response.
const caller = `
import sys
from samba import credentials, param
from samba.dcerpc import ClientConnection
conf, binding, uuid, user, password, op, stub = sys.argv[1:]
lp = param.LoadParm()
lp.load(conf)
who = credentials.Credentials()
who.guess(lp)
if user:
    who.set_username(user)
    who.set_password(password)
else:
    who.set_anonymous()
print(ClientConnection(binding, (uuid, 1), lp, who).request(int(op), bytes.fromhex(stub)).hex())
`

// pipes is a server with smbd and our program, and a client with Samba's tools.
type pipes struct {
	t              *testing.T
	ctx            context.Context
	client, server *lab.Host
	conf           string // of the client
	smbd           *samba.Samba
	program        *program.Program
	service        *lab.Daemon
}

// The users of the server: of Debian's own, one that is nobody special, and root.
const (
	user, password = "games", "a password"
)

func newPipes(t *testing.T, o samba.Options) *pipes {
	t.Helper()
	p := &pipes{t: t, ctx: labtest.Context(t, 3*time.Minute)}
	l := labtest.New(t, append(samba.Programs(), "tcpdump", "tshark", "rpcclient", "smbpasswd", python)...)
	if out, err := exec.Command(python, "-c", "import samba.dcerpc").CombinedOutput(); err != nil {
		t.Fatalf("Samba's Python bindings: %v: %s", err, out)
	}
	hosts := labtest.Hosts(t, labtest.Subnet(t, l, "10.77.0.0/24"), "alpha", "beta")
	p.client, p.server = hosts[0], hosts[1]
	o.Ports = "445"
	var err error
	if p.smbd, err = samba.New(p.server, o); err != nil {
		t.Fatal(err)
	}
	p.conf = filepath.Join(p.client.Dir(), "client.conf")
	const lines = "[global]\nclient min protocol = NT1\nclient ipc min protocol = NT1\nclient ipc max protocol = SMB3_11\n"
	if err := os.WriteFile(p.conf, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root", user} {
		cmd := exec.CommandContext(p.ctx, "smbpasswd", "-c", p.smbd.Config(), "-s", "-a", name)
		cmd.Stdin = strings.NewReader(password + "\n" + password + "\n")
		if err := p.server.Run(cmd); err != nil {
			t.Fatalf("smbpasswd: %v", err)
		}
	}
	return p
}

// samba starts smbd, which listens on no other port than 445.
func (p *pipes) samba() *lab.Daemon {
	p.t.Helper()
	d, err := p.server.Daemon("smbd", p.smbd.SMBDCommand())
	if err != nil {
		p.t.Fatal(err)
	}
	p.until("smbd", func() error {
		conn, err := p.client.Dial(p.ctx, "tcp4", p.server.Addr().String()+":445")
		if err == nil {
			conn.Close()
		}
		return err
	})
	return d
}

func (p *pipes) serve(config string) {
	p.t.Helper()
	p.program, p.service = serve(p.ctx, p.t, p.server, config)
}

func (p *pipes) until(what string, f func() error) {
	p.t.Helper()
	if err := lab.Until(p.ctx, f); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// call makes one call and returns its response, or what the client's runtime says of it.
func (p *pipes) call(who, options string, pipe string, to dcerpc.Syntax, op uint16, stub []byte) ([]byte, error) {
	p.t.Helper()
	binding := fmt.Sprintf("ncacn_np:%v[%s%s]", p.server.Addr(), pipe, options)
	out, stderr, err := p.client.Output(p.ctx, python, "-c", caller, p.conf, binding, to.ID.String(), who, password,
		fmt.Sprint(op), hex.EncodeToString(stub))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr)
	}
	b, err := hex.DecodeString(strings.TrimSpace(out))
	if err != nil {
		p.t.Fatalf("the client printed %q, %v", out, err)
	}
	return b, nil
}

// names calls the interface that manages message names.
func (p *pipes) names(who, options string, op uint16, q msgnames.Request) msgnames.Answer {
	p.t.Helper()
	stub, err := p.call(who, options, msgnames.Pipe, msgnames.Interface(), op, q.Append(nil, op, false))
	if err != nil {
		p.t.Fatal(err)
	}
	a, err := msgnames.ParseAnswer(op, stub, false)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// reached waits until smbd leads clients to us.
func (p *pipes) reached() {
	p.t.Helper()
	p.until("the pipe", func() error {
		q := msgnames.Request{PrefMaxLen: msgnames.AllBytes}
		_, err := p.call(user, "", msgnames.Pipe, msgnames.Interface(), msgnames.Enum, q.Append(nil, msgnames.Enum, false))
		return err
	})
}

// dialects are what clients may speak below the calls, as Samba's runtime and its programs name them.
var dialects = []struct{ name, option, program string }{{"SMB1", ",smb1", "NT1"}, {"SMB2", ",smb2", "SMB2_10"}, {"SMB3", "", "SMB3_11"}}

// Message names are managed from another machine, over every SMB, by who may.
func TestPipeNames(t *testing.T) {
	t.Parallel()
	pipeNames(t, samba.Options{MinProtocol: "NT1"})
}

// The same where smbd takes nothing that is not signed.
func TestPipeNamesSigned(t *testing.T) {
	t.Parallel()
	pipeNames(t, samba.Options{MinProtocol: "NT1", Lines: []string{"server signing = mandatory"}})
}

func pipeNames(t *testing.T, o samba.Options) {
	p := newPipes(t, o)
	p.samba()
	p.serve("")
	p.reached()
	watch(p.ctx, t, p.server)
	for _, d := range dialects {
		name := "via" + d.name
		if a := p.names("root", d.option, msgnames.Add, msgnames.Request{Server: "BETA", Name: name}); a.Status != msgnames.Success {
			t.Errorf("%s: add: %v", d.name, a.Status)
		}
		if a := p.names("root", d.option, msgnames.Add, msgnames.Request{Name: name}); a.Status != msgnames.AlreadyExists {
			t.Errorf("%s: add again: %v", d.name, a.Status)
		}
		for level := range uint32(2) {
			a := p.names(user, d.option, msgnames.Enum, msgnames.Request{Level: level, PrefMaxLen: msgnames.AllBytes, HasResume: true})
			if want := []string{"BETA", strings.ToUpper(name)}; a.Status != msgnames.Success || !slices.Equal(a.Names, want) || a.Level != level {
				t.Errorf("%s: list of level %d: %+v, want %q", d.name, level, a, want)
			}
			a = p.names(user, d.option, msgnames.GetInfo, msgnames.Request{Name: name, Level: level})
			if want := []string{strings.ToUpper(name)}; a.Status != msgnames.Success || !slices.Equal(a.Names, want) {
				t.Errorf("%s: info of level %d: %+v, want %q", d.name, level, a, want)
			}
		}
		var resume uint32
		for _, want := range []string{"BETA", strings.ToUpper(name)} {
			a := p.names(user, d.option, msgnames.Enum, msgnames.Request{PrefMaxLen: 20, HasResume: true, Resume: resume})
			if len(a.Names) != 1 || a.Names[0] != want || (a.Status == msgnames.BufTooSmall) != (want == "BETA") {
				t.Errorf("%s: list from %d: %+v, want %q", d.name, resume, a, want)
			}
			resume = a.Resume
		}
		// The name is ours for others as well.
		if a := p.names("root", d.option, msgnames.Del, msgnames.Request{Name: name}); a.Status != msgnames.Success {
			t.Errorf("%s: delete: %v", d.name, a.Status)
		}
		for who, want := range map[string]msgnames.Status{user: msgnames.AccessDenied, "": msgnames.AccessDenied, "root": msgnames.DelComputerName} {
			if a := p.names(who, d.option, msgnames.Del, msgnames.Request{Name: "BETA"}); a.Status != want {
				t.Errorf("%s: %q deletes the computer's name: %v, want %v", d.name, who, a.Status, want)
			}
		}
		if a := p.names("", d.option, msgnames.Enum, msgnames.Request{PrefMaxLen: msgnames.AllBytes}); a.Status != msgnames.AccessDenied {
			t.Errorf("%s: list for nobody: %+v", d.name, a)
		}
	}
	if _, err := p.call("root", "", msgnames.Pipe, msgnames.Interface(), 77, nil); err == nil {
		t.Error("procedure 77 exists")
	}
}

// A sender whom Samba knows is vouched for; a message from nobody is what it would be by any other way.
func TestPipeMessages(t *testing.T) {
	t.Parallel()
	p := newPipes(t, samba.Options{MinProtocol: "NT1"})
	p.samba()
	p.serve("")
	p.reached()
	send := func(who, option, from, to, text string) msgsvc.Status {
		t.Helper()
		m := msgsvc.Message{From: []byte(from), To: []byte(to), Text: []byte(text)}
		stub, err := p.call(who, option, msgnames.Pipe, msgsvc.Interface(), msgsvc.SendMessage, m.Append(nil, false))
		if err != nil {
			t.Fatal(err)
		}
		status, err := msgsvc.ParseStatus(stub, false)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	n := 0
	for _, d := range dialects {
		for who, trust := range map[string]string{user: "vouched", "": "unverified"} {
			if status := send(who, d.option, "ALICE", "beta", "by "+d.name+": Gr\x81\xe1e"); status != msgsvc.Success {
				t.Errorf("%s, %q: %v", d.name, who, status)
			}
			n++
			all, err := p.program.Received(p.ctx, n)
			if err != nil {
				t.Fatal(err)
			}
			want := program.Message{
				From: "ALICE", To: "beta", Text: "by " + d.name + ": Grüße", Via: "pipe", Trust: trust, Proven: who,
				Address: p.client.Addr().String(), Level: "info",
			}
			got := all[len(all)-1]
			want.ID, want.ReceivedAt = got.ID, got.ReceivedAt
			if got != want {
				t.Errorf("%s, %q: got %+v, want %+v", d.name, who, got, want)
			}
		}
	}
	if status := send(user, "", "ALICE", "NOBODY", "x"); status != msgsvc.NameNotFound {
		t.Errorf("to nobody: %v", status)
	}
	long := strings.Repeat("0123456789", 960)
	if status := send(user, "", "ALICE", "BETA", long); status != msgsvc.Success {
		t.Errorf("9,600 bytes: %v", status)
	}
	if all, err := p.program.Received(p.ctx, n+1); err != nil || all[n].Text != long {
		t.Errorf("9,600 bytes: %v", err)
	}
}

// The pipe is there when smbd and we are, in whichever order we come and go, and Samba's own pipes go on.
func TestPipesComeAndGo(t *testing.T) {
	t.Parallel()
	p := newPipes(t, samba.Options{})
	const config = "[nbt]\ndirect = false\n" // port 445 is to be smbd's, although we come first
	p.serve(config)
	smbd := p.samba()
	p.reached()
	own := func() {
		t.Helper()
		for _, ask := range []string{"srvinfo", "lsaquery", "wkssvc_wkstagetinfo"} {
			out, stderr, err := p.client.Output(p.ctx, "rpcclient", "-s", p.conf, "-U", "root%"+password, "-c", ask, p.server.Addr().String())
			if err != nil || strings.Contains(out+stderr, "NT_STATUS") {
				t.Errorf("%s: %v: %s%s", ask, err, out, stderr)
			}
		}
	}
	own()
	p.reached() // Samba's own programs have been started meanwhile
	smbd.Stop()
	p.samba()
	p.reached()
	if err := p.service.Stop(); err != nil {
		t.Error(err)
	}
	q := msgnames.Request{PrefMaxLen: msgnames.AllBytes}
	if _, err := p.call(user, "", msgnames.Pipe, msgnames.Interface(), msgnames.Enum, q.Append(nil, msgnames.Enum, false)); err == nil || !strings.Contains(err.Error(), "0xC0000034") && !strings.Contains(err.Error(), "3221225524") {
		t.Errorf("without us the pipe can be opened: %v", err)
	}
	own()
	p.serve(config)
	p.reached()
}

// A service that is not root is found by a link that root has made, as the packages make it.
func TestPipesWithoutRoot(t *testing.T) {
	t.Parallel()
	p := newPipes(t, samba.Options{})
	p.samba()
	run := filepath.Join(p.server.Dir(), "run/messngr")
	state := filepath.Join(p.server.Dir(), "state")
	for _, dir := range []string{run, state} {
		if out, err := exec.Command("install", "-d", "-o", "daemon", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	p.program = install(t, p.server)
	if err := os.Chmod(filepath.Dir(p.program.Path()), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd, err := p.program.ServeCommand(p.ctx, fmt.Sprintf("state = '%s'\nsocket = '/run/messngr/messngr.sock'\n", state))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args = append([]string{"setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups",
		"--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service", cmd.Path}, cmd.Args[1:]...)
	if cmd.Path, err = exec.LookPath("setpriv"); err != nil {
		t.Fatal(err)
	}
	if p.service, err = p.program.Ready(p.ctx, cmd); err != nil {
		t.Fatal(err)
	}
	if out, stderr, err := p.server.Output(p.ctx, "ln", "-s", "/run/messngr/pipes/msgsvc", "/run/samba/ncalrpc/np/msgsvc"); err != nil {
		t.Fatalf("%v: %s%s", err, out, stderr)
	}
	p.reached()
	a := p.names("root", "", msgnames.Add, msgnames.Request{Name: "BACKUP"})
	if a.Status != msgnames.Success {
		t.Errorf("add: %v", a.Status)
	}
	// Nobody but smbd gets in.
	for _, who := range []string{"games", "nobody"} {
		out, stderr, err := p.server.Output(p.ctx, "setpriv", "--reuid="+who, "--clear-groups", python, "-c",
			"import socket; socket.socket(socket.AF_UNIX).connect('/run/messngr/pipes/msgsvc')")
		if err == nil || !strings.Contains(stderr, "PermissionError") {
			t.Errorf("%s opens the socket: %v: %s%s", who, err, out, stderr)
		}
	}
}

// example is what doc/samba.md says to do for messages to be passed on.
func example(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../doc/samba.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "<!-- TestPipeRelay runs this. -->\n```sh\n")
	script, _, ends := strings.Cut(rest, "```")
	if !ok || !ends {
		t.Fatal("doc/samba.md has no example")
	}
	return script
}

// Samba serves \PIPE\wkssvc itself. Where smb.conf says so, its clients come to us instead, and nothing else changes.
func TestPipeRelay(t *testing.T) {
	t.Parallel()
	const folder = "/run/smbd-links" // the host's own
	p := newPipes(t, samba.Options{MinProtocol: "NT1", Lines: []string{"external_rpc_pipe:socket_dir = " + folder}})
	if out, stderr, err := p.server.Output(p.ctx, "sh", "-ec", strings.ReplaceAll(example(t), "/etc/messngr/smbd", folder)); err != nil {
		t.Fatalf("the example of doc/samba.md: %v: %s%s", err, out, stderr)
	}
	p.samba()
	p.serve("")
	p.reached()
	other := labtest.Hosts(t, p.server.Subnet(), "gamma")[0]
	gamma, _ := serve(p.ctx, t, other, "")

	rpc := func(dialect, who, ask string) string {
		t.Helper()
		out, stderr, _ := p.client.Output(p.ctx, "rpcclient", "-s", p.conf, "-m", dialect, "--option=client min protocol="+dialect,
			"--option=client ipc min protocol="+dialect, "--option=client ipc max protocol="+dialect, "-U", who, "-c", ask, p.server.Addr().String())
		return out + stderr
	}
	for i, d := range dialects {
		text := "from rpcclient by " + d.name + ": Grüße"
		for who, want := range map[string]string{"root%" + password: "", user + "%" + password: "WERR_ACCESS_DENIED", "%": "WERR_ACCESS_DENIED"} {
			// rpcclient sends to the server, in the server's name: that is for administrators.
			if got := rpc(d.program, who, `wkssvc_messagebuffersend "`+text+`"`); (want == "") != (got == "") || !strings.Contains(got, want) {
				t.Errorf("%s, %s: rpcclient says %q, want %q", d.name, who, got, want)
			}
		}
		all, err := p.program.Received(p.ctx, i+1)
		if err != nil || len(all) != i+1 || all[i].Text != text {
			t.Errorf("%s: rpcclient's message: %+v, %v", d.name, all, err)
		}
	}
	for _, ask := range []string{"srvinfo", "lsaquery", "netshareenum"} {
		if got := rpc("SMB3_11", "root%"+password, ask); strings.Contains(got, "NT_STATUS") || strings.Contains(got, "WERR_") {
			t.Errorf("%s: %s", ask, got)
		}
	}

	pass := func(who, from, to, text string) msgsvc.Status {
		t.Helper()
		m := wkssvc.Message{Server: "BETA", To: to, From: from, Text: wkssvc.EncodeText(text)}
		stub, err := p.call(who, "", wkssvc.Pipe, wkssvc.Interface(), wkssvc.MessageBufferSend, m.Append(nil, false))
		if err != nil {
			t.Fatal(err)
		}
		status, err := msgsvc.ParseStatus(stub, false)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	for _, tt := range []struct {
		who, from, to string
		want          msgsvc.Status
	}{
		{user, "", "GAMMA", msgsvc.Success},
		{user, strings.ToUpper(user), "GAMMA", msgsvc.Success},
		{user, "BOSS", "GAMMA", msgsvc.AccessDenied},
		{user, "", "*", msgsvc.AccessDenied},
		{"root", "BOSS", "GAMMA", msgsvc.Success},
		{"", "", "GAMMA", msgsvc.AccessDenied},
		{user, "", "NOBODY", msgsvc.NameNotFound},
		{user, "", "/users", msgsvc.InvalidParameter},
	} {
		if got := pass(tt.who, tt.from, tt.to, "passed on: Grüße"); got != tt.want {
			t.Errorf("%q sends to %q as %q: %v, want %v", tt.who, tt.to, tt.from, got, tt.want)
		}
	}
	all, err := gamma.Received(p.ctx, 3)
	if err != nil || len(all) != 3 {
		t.Fatalf("gamma got %+v, %v", all, err)
	}
	var from []string
	for _, m := range all {
		from = append(from, m.From)
		if m.Text != "passed on: Grüße" || m.Address != p.server.Addr().String() || m.Trust != "unverified" {
			t.Errorf("gamma got %+v", m)
		}
	}
	if want := []string{user, strings.ToUpper(user), "BOSS"}; !slices.Equal(from, want) {
		t.Errorf("gamma got messages from %q, want %q", from, want)
	}
}
