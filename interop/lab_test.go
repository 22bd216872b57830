//go:build linux

package interop_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr/interop/labtest"
)

// What `make lab` suggests must work: with LAB_CMD it does the same without a person.
func TestMakeLab(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "ip", "nsenter", "make")
	ctx := labtest.Context(t, 2*time.Minute)
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(t.TempDir(), "twohosts")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", tool, "./twohosts").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, tool, "-messngr", path, "-c",
		`alpha messngr send BETA "Hello from here" && beta messngr inbox && beta messngr reply "Heard you" && alpha messngr inbox`).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"accepted by BETA", "Hello from here", "Heard you"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if err := exec.CommandContext(ctx, tool, "-messngr", path, "-c", "exit 7").Run(); err == nil || err.(*exec.ExitError).ExitCode() != 7 {
		t.Errorf("exit code: got %v, want 7", err)
	}
}
