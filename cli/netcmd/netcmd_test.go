package netcmd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"messngr/cli/netcmd"
	"messngr/control"
	"messngr/control/controltest"
	"messngr/remote"
)

func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	client := control.NewClient(controltest.Start(t, controltest.New()))
	code = netcmd.Run(t.Context(), netcmd.Env{Stdout: &out, Stderr: &errs, Service: client}, args)
	return out.String(), errs.String(), code
}

// TestNumbers holds the numbers that scripts look for to their texts in
// lmerr.h and apperr.h.
func TestNumbers(t *testing.T) {
	for number, text := range map[int]string{
		2271: "The Messenger service is already started.",
		2272: "The Messenger service failed to start.",
		2273: "The message alias could not be found on the network.",
		2274: "This message alias has already been forwarded.",
		2275: "This message alias has been added but is still forwarded.",
		2276: "This message alias already exists locally.",
		2277: "The maximum number of added message aliases has been exceeded.",
		2278: "The computer name could not be deleted.",
		2279: "Messages cannot be forwarded back to the same workstation.",
		2280: "An error occurred in the domain message processor.",
		2281: "The message was sent, but the recipient has paused the Messenger service.",
		2282: "The message was sent but not received.",
		2283: "The message alias is currently in use. Try again later.",
		2284: "The Messenger service has not been started.",
		2285: "The name is not on the local computer.",
		2286: "The forwarded message alias could not be found on the network.",
		2287: "The message alias table on the remote station is full.",
		2288: "Messages for this alias are not currently being forwarded.",
		2289: "The broadcast message was truncated.",
		2295: "A write fault occurred.",
		2297: "A duplicate message alias exists on the network.",
		2298: "This message alias will be deleted later.",
		2299: "The message alias was not successfully deleted from all networks.",
		3722: "An error occurred while sending a message to ***.",
		3777: "Sending files is no longer supported.",
	} {
		stdout, _, code := run(t, "helpmsg", fmt.Sprint(number))
		if got := strings.Split(stdout, "\n"); code != 0 || len(got) < 2 || got[0] != "" || got[1] != text {
			t.Errorf("helpmsg %d = %d, %q; want an empty line and %q", number, code, stdout, text)
		}
	}
}

// TestCodes holds that there is no other exit code than 0 and 2, that every
// failure speaks on the standard error only, and that it names a number that
// helpmsg knows.
func TestCodes(t *testing.T) {
	for _, line := range []string{
		"", "use x:", "send", "send a", "send /x y", "send NOBODY hi", "send PAUSED hi", "send BUSY hi", "send LOST hi",
		"send LONG hi", "send /users hi", "name a b", "name a /x", "name taken", "name nosuch /delete", "name pc17 /d",
		"start spooler", "start messenger", "start alerter now", "stop", "stop alerter", "pause spooler", "continue",
		"helpmsg", "helpmsg 1", "helpmsg x", "help use",
	} {
		stdout, stderr, code := run(t, strings.Fields(line)...)
		if code != 2 || stdout != "" || stderr == "" {
			t.Errorf("net %s = %d, stdout %q, stderr %q; want 2 and only stderr", line, code, stdout, stderr)
		}
		_, number, named := strings.Cut(stderr, "More help is available by typing NET HELPMSG ")
		if number = strings.TrimSuffix(number, ".\n\n"); named {
			if _, _, code := run(t, "helpmsg", number); code != 0 {
				t.Errorf("net %s names number %s, which helpmsg does not know", line, number)
			}
		}
	}
	for _, line := range []string{
		"send PC18 hi there", "send * hi", "send /domain hi", "send /BROADCAST hi", "name", "name x", "name backup /delete", "start",
		"pause messenger", "help", "help send", "help alerter", "send /?", "HELPMSG 2273",
	} {
		stdout, stderr, code := run(t, strings.Fields(line)...)
		if code != 0 || stdout == "" || stderr != "" {
			t.Errorf("net %s = %d, stdout %q, stderr %q; want 0 and only stdout", line, code, stdout, stderr)
		}
	}
}

// TestNoControlCharacters holds that nothing in an argument reaches the
// terminal as a command.
func TestNoControlCharacters(t *testing.T) {
	for _, line := range [][]string{
		{"send", "\x1b[2J", "hi"}, {"send", "/\x1b[2J", "hi"}, {"name", "\x1b[2J"}, {"name", "x", "/\x1b[2J"}, {"helpmsg", "\x1b[2J"},
		{"send", "/domain:\u202e", "hi"},
	} {
		stdout, stderr, _ := run(t, line...)
		if strings.ContainsAny(stdout+stderr, "\x1b\u202e") {
			t.Errorf("net %q prints a control character: %q", line, stdout+stderr)
		}
	}
}

// computer is another computer.
type computer struct {
	names  []string
	fail   error
	closed int
}

func (c *computer) List(context.Context) ([]string, error) { return c.names, c.fail }

func (c *computer) Add(_ context.Context, name string) error {
	c.names = append(c.names, "+"+name)
	return c.fail
}

func (c *computer) Remove(_ context.Context, name string) error {
	c.names = append(c.names, "-"+name)
	return c.fail
}

func (c *computer) Close() error { c.closed++; return nil }

// TestRemoteName holds what NET NAME does on another computer.
func TestRemoteName(t *testing.T) {
	const list = "\nName\n-------------------------------------------------------------------------------\nBETA\nALICE\nThe command completed successfully.\n\n"
	for _, tt := range []struct {
		args           []string
		connect, fail  error
		asked          string // which computer, and as whom
		did            string // to the names
		stdout, stderr string // the beginning
	}{
		{args: []string{`\\FS01`}, asked: "FS01 ", stdout: list},
		{args: []string{`\FS01`, `/user:OFFICE\admin`}, asked: `FS01 OFFICE\admin`, stdout: list},
		{args: []string{`\\FS01`, "backup"}, asked: "FS01 ", did: "+backup", stdout: "The message name BACKUP was added successfully.\n\n"},
		{args: []string{`\\FS01`, "backup", "/add", "/USER:x"}, asked: "FS01 x", did: "+backup", stdout: "The message name BACKUP was added"},
		{args: []string{`\\FS01`, "/USER:x", "backup", "/DEL"}, asked: "FS01 x", did: "-backup", stdout: "BACKUP was deleted successfully.\n\n"},
		{args: []string{`\\FS01`, "a", "b"}, stderr: "The syntax of this command is:\n\nNET NAME\n"},
		{args: []string{`\\FS01`, "a", "/x"}, stderr: "The option /X is unknown."},
		{args: []string{`\\FS01`, "/delete"}, stderr: "The syntax of this command is:"},
		{args: []string{`\\FS01`, "/user:a", "/user:b"}, stderr: "The syntax of this command is:"},
		{args: []string{`\\FS01`}, connect: &remote.Error{Host: "FS01", Err: errors.New("x"), Number: 53}, asked: "FS01 ",
			stderr: "System error 53 has occurred.\n\nThe network path was not found.\n\n"},
		{args: []string{`\\FS01`}, connect: &remote.Error{Host: "FS01", Err: errors.New("forged"), Number: 59}, asked: "FS01 ",
			stderr: "FS01: forged\n\nSystem error 59 has occurred.\n\nAn unexpected network error occurred.\n\n"},
		{args: []string{`\\FS01`}, connect: errors.New("no such file"), asked: "FS01 ", stderr: "no such file\n\n"},
		{args: []string{`\\FS01`, "a"}, fail: &remote.Error{Host: "FS01", Err: errors.New("x"), Number: 2276}, asked: "FS01 ", did: "+a",
			stderr: "This message alias already exists locally.\n\nMore help is available by typing NET HELPMSG 2276.\n\n"},
		{args: []string{`\\FS01`}, fail: &remote.Error{Host: "FS01", Err: errors.New("x"), Number: 777}, asked: "FS01 ",
			stderr: "FS01: x\n\nSystem error 59 has occurred."},
	} {
		c, asked := &computer{names: []string{"BETA", "ALICE"}, fail: tt.fail}, ""
		var out, errs strings.Builder
		code := netcmd.Run(t.Context(), netcmd.Env{
			Stdout: &out, Stderr: &errs,
			Remote: func(_ context.Context, computer, user string) (netcmd.NameTable, error) {
				asked = computer + " " + user
				return c, tt.connect
			},
		}, append([]string{"name"}, tt.args...))
		did := strings.Join(c.names[2:], "")
		if asked != tt.asked || did != tt.did || !strings.HasPrefix(out.String(), tt.stdout) || !strings.HasPrefix(errs.String(), tt.stderr) ||
			(code == 0) != (tt.stderr == "") || (tt.stderr == "") != (errs.String() == "") {
			t.Errorf("%q asks %q, does %q, returns %d and prints\n%s%s", tt.args, asked, did, code, &out, &errs)
		}
		if want := 1; asked != "" && tt.connect == nil && c.closed != want {
			t.Errorf("%q closes %d times", tt.args, c.closed)
		}
	}
}

// changing is a service that cannot send a text as it is.
type changing struct{ *control.Client }

func (changing) Send(context.Context, control.SendRequest) (control.SendAnswer, error) {
	return control.SendAnswer{Reached: true, Recipients: []control.RecipientAnswer{
		{To: "PC17", Reached: true, Detail: "characters that the code page lacks were replaced"},
	}}, nil
}

// The answer stays that of NT; what it does not say goes to the standard error.
func TestChangedTextIsTold(t *testing.T) {
	var out, errs strings.Builder
	code := netcmd.Run(t.Context(), netcmd.Env{Stdout: &out, Stderr: &errs, Service: changing{}}, []string{"send", "pc17", "Привет"})
	if code != 0 || out.String() != "The message was successfully sent to PC17.\n\n" || errs.String() != "Note: characters that the code page lacks were replaced.\n\n" {
		t.Errorf("exit code %d, %q, %q", code, out.String(), errs.String())
	}
}
