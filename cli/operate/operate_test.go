package operate_test

import (
	"net"
	"net/http"
	"os"
	"testing"

	"messngr"
	"messngr/cli/clitest"
	"messngr/control/server"
)

func TestMain(m *testing.M) { clitest.Main(m) }

func TestScripts(t *testing.T) { clitest.Scripts(t) }

// serve serves the API of a service to somebody until the test ends, and returns its
// socket.
func serve(t *testing.T, s *server.Service) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "m") // whose path is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := net.Listen("unix", folder+"/s")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s.Handler(func(*http.Request) (messngr.Principal, bool) {
		return messngr.Principal{UID: 1000, Admin: true}, true
	})}
	done := make(chan struct{})
	go func() { srv.Serve(l); close(done) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return folder + "/s"
}
