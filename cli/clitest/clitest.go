// Package clitest serves the tests of commands: it runs the program in the test's own
// process, with a service that knows what package controltest says.
package clitest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"messngr/cli"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/controltest"
)

// Main is the TestMain of a package with scripts.
func Main(m *testing.M) {
	testscript.Main(m, map[string]func(){"messngr": messngr, "net": messngr})
}

// messngr is the whole program with a service that only tells its options.
func messngr() {
	os.Exit(cli.Main(context.Background(), program.Env{
		Args:      os.Args,
		Stdin:     os.Stdin,
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Getenv:    os.Getenv,
		Reference: func() ([]byte, error) { return []byte("#name = ''\n"), nil },
		Serve: func(_ context.Context, o program.ServeOptions) error {
			fmt.Fprintf(o.Stdout, "config=%q state=%q socket=%q name=%q workgroup=%q interfaces=%q wins=%q offset=%d interactive=%v\n",
				o.Config, o.State, o.Socket, o.Name, o.Workgroup, o.Interfaces, o.WINS, o.PortOffset, o.Interactive)
			return nil
		},
	}))
}

// Scripts runs the scripts of the folder testdata, each with a service of its own that
// knows what controltest.New says, and with the variables env, such as "KEY=value".
// Beside the usual commands they have
//
//	lastsend FILE     writes the last request to send into FILE
//	lastimport FILE   writes the last request to import into FILE
//	arrive FROM TEXT  makes a message arrive
//	watched N         waits until somebody watches for messages for the Nth time
//	deny              makes the service refuse all changes
//
// With UPDATE in the environment it writes their golden parts anew.
func Scripts(t *testing.T, env ...string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(script *testscript.Env) error {
			fake := controltest.New()
			script.Values[fakeKey{}] = fake
			script.Setenv("MESSNGR_SOCKET", controltest.Start(t, fake))
			script.Setenv("HOME", script.WorkDir)
			script.Setenv("TZ", "UTC")
			// A program with the race detector otherwise sleeps a second before
			// it ends.
			script.Setenv("GORACE", "atexit_sleep_ms=0")
			script.Vars = append(script.Vars, env...)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"lastsend": func(ts *testscript.TestScript, _ bool, args []string) {
				fake := service(ts)
				fake.Lock()
				defer fake.Unlock()
				write(ts, args[0], fake.LastSend)
			},
			"lastimport": func(ts *testscript.TestScript, _ bool, args []string) {
				fake := service(ts)
				fake.Lock()
				defer fake.Unlock()
				write(ts, args[0], fake.Imports[len(fake.Imports)-1])
			},
			"arrive": func(ts *testscript.TestScript, _ bool, args []string) {
				service(ts).Arrive(control.Message{From: args[0], Text: args[1], To: "PC17", Via: "smb", Address: "10.0.0.7"})
			},
			"watched": func(ts *testscript.TestScript, _ bool, args []string) {
				for begin := time.Now(); fmt.Sprint(service(ts).Watched()) != args[0]; time.Sleep(10 * time.Millisecond) {
					if time.Since(begin) > time.Minute {
						ts.Fatalf("nobody watches")
					}
				}
			},
			"deny": func(ts *testscript.TestScript, _ bool, _ []string) {
				fake := service(ts)
				fake.Lock()
				defer fake.Unlock()
				fake.Deny = true
			},
		},
	})
}

type fakeKey struct{}

// service is the service of a script.
func service(ts *testscript.TestScript) *controltest.Fake {
	return ts.Value(fakeKey{}).(*controltest.Fake)
}

// write writes v into a file of the script, as a line of JSON.
func write(ts *testscript.TestScript, file string, v any) {
	b, err := json.Marshal(v)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(file), append(b, '\n'), 0o600))
}

// Run runs one command in this process and returns what it printed and its exit code.
// It finds a service only by --socket, and nothing to read.
func Run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	none := filepath.Join(t.TempDir(), "none")
	code = cli.Main(t.Context(), program.Env{
		Args:   append([]string{"messngr"}, args...),
		Stdin:  strings.NewReader(""),
		Stdout: &out,
		Stderr: &errs,
		Getenv: func(key string) string {
			if key == "MESSNGR_SOCKET" {
				return none
			}
			return ""
		},
	})
	return out.String(), errs.String(), code
}
