//go:build linux

package main

import (
	"os/exec"
	"testing"
	"time"
)

// burn starts a shell that has two children use processor time, one after the other, and then waits for its input.
func burn(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("sh", "-c", "for i in 1 2; do sh -c 'i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done'; done; sleep 60 & echo done; read -r x; kill $!")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestCostsIncludeDescendants(t *testing.T) {
	pid := burn(t)
	used, err := cpu(pid)
	if err != nil {
		t.Fatal(err)
	}
	if used < 4*tick || used > time.Minute {
		t.Errorf("processor time %v: that of the children that ended is not in it", used)
	}
	if got := len(tree(pid)); got != 2 {
		t.Errorf("%d processes, want the shell and its sleep", got)
	}
	both, err := memory(pid)
	if err != nil {
		t.Fatal(err)
	}
	if both < 100_000 || both > 50_000_000 {
		t.Errorf("memory %d bytes", both)
	}
}

func TestMedian(t *testing.T) {
	if got := median([]time.Duration{5, 1, 9, 3, 4}); got != 4 {
		t.Errorf("got %d, want 4", got)
	}
}
