package operate_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/cli"
	"messngr/cli/clitest"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/server"
)

// samba is a service that takes messages from smbd's message command, and the spool.
type samba struct {
	t             *testing.T
	socket, spool string
	folder        string // for what smbd writes

	mu   sync.Mutex
	got  []control.InjectRequest
	fail error
}

func newSamba(t *testing.T) *samba {
	t.Helper()
	folder, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return &samba{t: t, socket: folder + "/s", spool: folder + "/spool", folder: folder}
}

func (*samba) Injector() string { return "" }

func (s *samba) Inject(_ context.Context, r control.InjectRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.got = append(s.got, r)
	}
	return s.fail
}

// run runs the service until stop is called, or the test ends.
func (s *samba) run() (stop func()) {
	s.t.Helper()
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		s.t.Fatal(err)
	}
	srv := &http.Server{Handler: (&server.Service{Injection: s}).Handler(func(*http.Request) (messngr.Principal, bool) {
		return messngr.Principal{UID: os.Getuid()}, true
	})}
	done := make(chan struct{})
	go func() { srv.Serve(l); close(done) }()
	stop = sync.OnceFunc(func() { srv.Close(); <-done })
	s.t.Cleanup(stop)
	return stop
}

// file is a file as smbd makes it.
func (s *samba) file(text string) string {
	s.t.Helper()
	path := filepath.Join(s.folder, "smbmsg.x")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// receive runs messngr receive.
func (s *samba) receive(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(s.t.Context(), program.Env{
		Args: append([]string{"messngr", "--socket", s.socket, "receive", "--spool", s.spool}, args...), Stdin: strings.NewReader(""),
		Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" },
	})
	return out.String(), errs.String(), code
}

// taken compares what the service got, but for ids and times.
func (s *samba) taken(want ...control.InjectRequest) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.got, cmpopts.IgnoreFields(control.InjectRequest{}, "ID", "At"), cmpopts.EquateEmpty()); diff != "" {
		s.t.Errorf("taken (-want +got):\n%s", diff)
	}
	for _, r := range s.got {
		if r.ID == (messngr.ID{}) || r.At.IsZero() {
			s.t.Errorf("%+v has no id or no time", r)
		}
	}
}

func (s *samba) waiting() int {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.spool, "*.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(files)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestReceive(t *testing.T) {
	request := func(from, machine, address, to string) control.InjectRequest {
		return control.InjectRequest{From: from, Machine: machine, Address: address, To: to, Text: []byte("B\x81ro\n")}
	}
	for _, tt := range []struct {
		name string
		args string // FILE stands for the file
		want control.InjectRequest
	}{
		{"LinPopUp's line", "bob pc17 FILE", request("bob", "pc17", "", "")},
		{"LinPopUp's line as Samba 4 hands it over", "bob pc17 FILE; rm FILE", request("bob", "pc17", "", "")},
		{"a space before the semicolon", "bob pc17 FILE ; rm FILE", request("bob", "pc17", "", "")},
		{"LinPopUp 2's line as Samba 4 hands it over", "bob pc17 FILE time; rm FILE", request("bob", "pc17", "", "time")},
		{"a sender called -min in LinPopUp's line", "-min pc17 FILE; rm FILE", request("-min", "pc17", "", "")},
		{"LinPopUp 2's line", "bob pc17 FILE 20261121_192244", request("bob", "pc17", "", "20261121_192244")},
		{"-min", "-min bob pc17 FILE", request("bob", "pc17", "", "")},
		{"our own line", "--ip 10.77.0.9 -- bob pc17 FILE", request("bob", "pc17", "10.77.0.9", "")},
		{"one word", "--ip=::ffff:10.77.0.9 bob pc17 FILE", request("bob", "pc17", "10.77.0.9", "")},
		{"in old spelling", "-ip 10.77.0.9 -min bob pc17 FILE", request("bob", "pc17", "10.77.0.9", "")},
		{"no address", "--ip pc17 bob pc17 FILE", request("bob", "pc17", "", "")},
		{"a sender called -min", "-min pc17 FILE", request("-min", "pc17", "", "")},
		{"a sender called -min, behind -min", "-min -min pc17 FILE", request("-min", "pc17", "", "")},
		{"a sender called --ip", "--ip pc17 FILE", request("--ip", "pc17", "", "")},
		{"a sender called --", "-- -- pc17 FILE", request("--", "pc17", "", "")},
		{"a sender called --pending", "--pending pc17 FILE", request("--pending", "pc17", "", "")},
		{"a sender called --help", "--help -h FILE", request("--help", "-h", "", "")},
		{"options behind --", "-- --keep --spool FILE", request("--keep", "--spool", "", "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSamba(t)
			s.run()
			file := s.file("B\x81ro\n")
			stdout, stderr, code := s.receive(strings.Fields(strings.ReplaceAll(tt.args, "FILE", file))...)
			if code != 0 || stdout+stderr != "" {
				t.Errorf("exit code %d: %s%s", code, stdout, stderr)
			}
			s.taken(tt.want)
			if exists(file) || s.waiting() != 0 {
				t.Error("the message is still here too")
			}
		})
	}
}

func TestReceiveKeeps(t *testing.T) {
	s := newSamba(t)
	s.run()
	file := s.file("x")
	if _, stderr, code := s.receive("--keep", "bob", "pc17", file); code != 0 || !exists(file) {
		t.Errorf("exit code %d, %s: the file is there: %v", code, stderr, exists(file))
	}
}

// While the service is down the message waits, and is handed over once.
func TestReceiveWithoutService(t *testing.T) {
	s := newSamba(t)
	for i := range 2 {
		file := s.file(fmt.Sprint("message ", i))
		_, stderr, code := s.receive("bob", "pc17", file)
		if code != 0 || !strings.Contains(stderr, "waits in "+s.spool) || exists(file) {
			t.Errorf("exit code %d, %q, the file is there: %v", code, stderr, exists(file))
		}
	}
	if info, err := os.Stat(s.spool); err != nil || info.Mode().Perm() != 0o700 || s.waiting() != 2 {
		t.Errorf("the spool: %v, %v, %d messages", info, err, s.waiting())
	}
	if _, stderr, code := s.receive("--pending"); code != 1 || !strings.Contains(stderr, "no service is running") {
		t.Errorf("--pending without a service: exit code %d, %q", code, stderr)
	}
	s.run()
	one, two := control.InjectRequest{From: "bob", Machine: "pc17", Text: []byte("message 0")}, control.InjectRequest{From: "bob", Machine: "pc17", Text: []byte("message 1")}
	if stdout, stderr, code := s.receive("--pending"); code != 0 || stdout != "2 messages handed over\n" {
		t.Errorf("--pending: exit code %d, %q, %q", code, stdout, stderr)
	}
	s.taken(one, two)
	if stdout, _, code := s.receive("--pending"); code != 0 || stdout != "" || s.waiting() != 0 {
		t.Errorf("--pending again: exit code %d, %q", code, stdout)
	}
	s.taken(one, two)
}

// The next message takes those along that waited.
func TestReceiveTakesAlong(t *testing.T) {
	s := newSamba(t)
	s.receive("bob", "pc17", s.file("first"))
	s.run()
	if _, stderr, code := s.receive("bob", "pc17", s.file("second")); code != 0 || s.waiting() != 0 {
		t.Errorf("exit code %d, %s, %d wait", code, stderr, s.waiting())
	}
	s.taken(control.InjectRequest{From: "bob", Machine: "pc17", Text: []byte("first")},
		control.InjectRequest{From: "bob", Machine: "pc17", Text: []byte("second")})
}

func TestReceiveVerdicts(t *testing.T) {
	for _, tt := range []struct {
		fail    error
		code    int
		says    string
		waiting int
	}{
		{messngr.ErrRefused, 1, "not taken: refused", 0},
		{messngr.ErrBusy, 0, "waits in", 1},
		{messngr.ErrPaused, 0, "waits in", 1},
		{messngr.ErrUnavailable, 0, "waits in", 1},
	} {
		t.Run(tt.fail.Error(), func(t *testing.T) {
			s := newSamba(t)
			s.fail = tt.fail
			s.run()
			file := s.file("x")
			_, stderr, code := s.receive("bob", "pc17", file)
			if code != tt.code || !strings.Contains(stderr, tt.says) || s.waiting() != tt.waiting || exists(file) {
				t.Errorf("exit code %d, %q, %d wait, file is there: %v", code, stderr, s.waiting(), exists(file))
			}
		})
	}
}

// Where nothing can wait a message is handed over all the same, and its file stays if it
// is not.
func TestReceiveWithoutSpool(t *testing.T) {
	s := newSamba(t)
	if err := os.Mkdir(s.spool, 0o755); err != nil {
		t.Fatal(err)
	}
	file := s.file("x")
	if _, stderr, code := s.receive("bob", "pc17", file); code != 1 || !strings.Contains(stderr, "nor can it wait") || !exists(file) {
		t.Errorf("exit code %d, %q, the file is there: %v", code, stderr, exists(file))
	}
	s.run()
	if _, stderr, code := s.receive("bob", "pc17", file); code != 0 || exists(file) {
		t.Errorf("exit code %d, %q, the file is there: %v", code, stderr, exists(file))
	}
	s.taken(control.InjectRequest{From: "bob", Machine: "pc17", Text: []byte("x")})
}

// Of a long text the beginning is read.
func TestReceiveLong(t *testing.T) {
	s := newSamba(t)
	s.run()
	long := strings.Repeat("x", messngr.MaxText+1000)
	if _, stderr, code := s.receive("bob", "pc17", s.file(long)); code != 0 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	s.taken(control.InjectRequest{From: "bob", Machine: "pc17", Text: []byte(long[:messngr.MaxText]), Length: messngr.MaxText + 1000})
}

func TestReceiveMisuse(t *testing.T) {
	s := newSamba(t)
	for _, args := range [][]string{
		{}, {"bob"}, {"bob", "pc17"}, {"bob", "pc17", "f", "to", "more"}, {"--ip", "10.0.0.1"}, {"--pending", "a", "b", "c", "d"},
	} {
		// Without the options of s.receive, which could be a sender's names too.
		if _, stderr, code := clitest.Run(t, append([]string{"receive"}, args...)...); code != 2 || !strings.Contains(stderr, "messngr receive --help") {
			t.Errorf("%q: exit code %d, %q, want misuse", args, code, stderr)
		}
	}
	for _, file := range []string{filepath.Join(s.folder, "none"), s.folder} {
		if _, stderr, code := s.receive("bob", "pc17", file); code != 1 || stderr == "" || s.waiting() != 0 {
			t.Errorf("%s: exit code %d, %q", file, code, stderr)
		}
	}
	if _, err := os.Stat(s.folder); err != nil {
		t.Error("a folder was removed")
	}
}
