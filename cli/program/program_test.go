package program_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"messngr/cli/program"
)

func TestTable(t *testing.T) {
	long := strings.Repeat("x", 300)
	for columns, want := range map[string]int{"": 200, "40": 40, "none": 200, "-1": 200} {
		var out strings.Builder
		run := &program.Run{Env: program.Env{Stdout: &out, Getenv: func(string) string { return columns }}}
		run.Table([][]string{{"NO", "TEXT"}, {"1", long}})
		lines := strings.Split(out.String(), "\n")
		if got := len([]rune(lines[1])); got != want || !strings.HasSuffix(lines[1], "x…") {
			t.Errorf("COLUMNS=%q: %d columns, want %d: %s", columns, got, want, lines[1])
		}
	}
}

func TestAwait(t *testing.T) {
	failed := errors.New("failed")
	if err := program.Await(t.Context(), func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("Await = %v, want what was read", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	forever := make(chan struct{})
	defer close(forever)
	cancel()
	if err := program.Await(ctx, func() error { <-forever; return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Await = %v after the end of its context", err)
	}
}
