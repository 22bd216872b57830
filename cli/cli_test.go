package cli_test

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
	"messngr/control"
	"messngr/control/controltest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"messngr": program, "net": program})
}

// program is the whole program with a service that only tells its options.
func program() {
	os.Exit(cli.Main(context.Background(), cli.Env{
		Args:      os.Args,
		Stdin:     os.Stdin,
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Getenv:    os.Getenv,
		Reference: func() ([]byte, error) { return []byte("#name = ''\n"), nil },
		Serve: func(_ context.Context, o cli.ServeOptions) error {
			fmt.Fprintf(o.Stdout, "config=%q state=%q socket=%q name=%q workgroup=%q interfaces=%q wins=%q offset=%d interactive=%v\n",
				o.Config, o.State, o.Socket, o.Name, o.Workgroup, o.Interfaces, o.WINS, o.PortOffset, o.Interactive)
			return nil
		},
	}))
}

type fakeKey struct{}

// TestScripts runs the scripts of testdata, each with a service of its own that
// knows what controltest.New says. Beside the usual commands they have
//
//	lastsend FILE     writes the last request to send into FILE
//	lastimport FILE   writes the last request to import into FILE
//	arrive FROM TEXT  makes a message arrive
//	watched N         waits until somebody watches for messages for the Nth time
//	deny              makes the service refuse all changes
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			fake := controltest.New()
			env.Values[fakeKey{}] = fake
			env.Setenv("MESSNGR_SOCKET", controltest.Start(t, fake))
			env.Setenv("HOME", env.WorkDir)
			linpopup, err := filepath.Abs("../wire/linpopup/testdata")
			if err != nil {
				return err
			}
			env.Setenv("LINPOPUP", linpopup)
			env.Setenv("TZ", "UTC")
			// A program with the race detector otherwise sleeps a second before
			// it ends.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"lastsend": func(ts *testscript.TestScript, _ bool, args []string) {
				fake := ts.Value(fakeKey{}).(*controltest.Fake)
				fake.Lock()
				b, err := json.Marshal(fake.LastSend)
				fake.Unlock()
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(b, '\n'), 0o600))
			},
			"lastimport": func(ts *testscript.TestScript, _ bool, args []string) {
				fake := ts.Value(fakeKey{}).(*controltest.Fake)
				fake.Lock()
				b, err := json.Marshal(fake.Imports[len(fake.Imports)-1])
				fake.Unlock()
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(b, '\n'), 0o600))
			},
			"arrive": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value(fakeKey{}).(*controltest.Fake).Arrive(control.Message{From: args[0], Text: args[1], To: "PC17", Via: "smb", Address: "10.0.0.7"})
			},
			"watched": func(ts *testscript.TestScript, _ bool, args []string) {
				for begin := time.Now(); fmt.Sprint(ts.Value(fakeKey{}).(*controltest.Fake).Watched()) != args[0]; time.Sleep(10 * time.Millisecond) {
					if time.Since(begin) > time.Minute {
						ts.Fatalf("nobody watches")
					}
				}
			},
			"deny": func(ts *testscript.TestScript, _ bool, _ []string) {
				fake := ts.Value(fakeKey{}).(*controltest.Fake)
				fake.Lock()
				fake.Deny = true
				fake.Unlock()
			},
		},
	})
}

// run runs one command in this process, without a service.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	code = cli.Main(t.Context(), cli.Env{
		Args:   append([]string{"messngr"}, args...),
		Stdin:  strings.NewReader(""),
		Stdout: &out,
		Stderr: &errs,
		Getenv: func(key string) string {
			if key == "MESSNGR_SOCKET" {
				return filepath.Join(t.TempDir(), "none")
			}
			return ""
		},
	})
	return out.String(), errs.String(), code
}
