package read_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"messngr/cli"
	"messngr/cli/program"
	"messngr/control"
	"messngr/control/controltest"
)

// TestWatchGoesOn holds that a watcher misses nothing when the service is
// started anew, and that nothing is shown twice.
func TestWatchGoesOn(t *testing.T) {
	fake := controltest.New()
	socket := controltest.Start(t, controltest.New()) + "2"
	first := serve(t, fake, socket)
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	ended := make(chan int)
	go func() {
		code := cli.Main(ctx, program.Env{
			Args: []string{"messngr", "--socket", socket, "watch", "--json", "--after", "5"}, Stdout: stdout, Stderr: io.Discard,
			Getenv: func(string) string { return "" },
		})
		stdout.Close()
		ended <- code
	}()
	lines := bufio.NewScanner(out)
	expect := func(part string) {
		t.Helper()
		if !lines.Scan() || !strings.Contains(lines.Text(), part) {
			t.Fatalf("got the line %q, want one with %s", lines.Text(), part)
		}
	}
	expect(`"seq":7`)
	first()
	fake.Arrive(control.Message{From: "WHILE-AWAY"})
	defer serve(t, fake, socket)()
	expect("WHILE-AWAY")
	fake.Arrive(control.Message{From: "AFTERWARDS"})
	expect("AFTERWARDS")
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("watch ended with %d", code)
	}
}

// serve serves fake on the socket until the function that it returns is called.
func serve(t *testing.T, fake *controltest.Fake, socket string) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: fake.Handler()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	return func() {
		srv.Close()
		<-done
	}
}
