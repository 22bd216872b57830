package program_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"messngr/cli/program"
	"messngr/control"
	"messngr/remote"
)

// Every error has its exit code and, where there is something to be done, a line that
// says what; nothing in it can command a terminal.
func TestEnd(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		want string
	}{
		{nil, 0, ""},
		{program.Exit(1), 1, ""},
		{program.Exit(0), 0, ""},
		{program.Misuse("use this", "not %s", "that"), 2, "messngr: not that\n         use this\n"},
		{fmt.Errorf("%w at /x", control.ErrNoService), 1, "messngr: no service is running at /x; start it with: "},
		{control.ErrNoAccess, 1, "messngr: no access to the service's socket\n         ask as root, or as a member of the group messngr\n"},
		{context.Canceled, 1, "messngr: interrupted\n"},
		{context.DeadlineExceeded, 1, "messngr: the service did not answer in time\n"},
		{&remote.Error{Host: "FS01", Err: context.DeadlineExceeded, Hint: "is it on?"}, 1, "messngr: FS01: context deadline exceeded\n         is it on?\n"},
		{&control.Error{Code: "conflict", Message: "taken", Hint: "choose another"}, 1, "messngr: taken\n         choose another\n"},
		{&control.Error{Code: "refused", Message: "refused: only root may"}, 1, "messngr: only root may\n"},
		{&control.Error{Code: "bad_request", Message: "no name"}, 2, "messngr: no name\n"},
		{errors.New("a\x1b[2Jb\nc"), 1, "messngr: a^[[2Jb c\n"},
	} {
		var out, errs strings.Builder
		run := &program.Run{Env: program.Env{Stdout: &out, Stderr: &errs}}
		if code := run.End(tt.err); code != tt.code || !strings.HasPrefix(errs.String(), tt.want) || tt.want == "" && errs.String() != "" || out.String() != "" {
			t.Errorf("End(%v) = %d, %q; want %d, %q", tt.err, code, errs.String(), tt.code, tt.want)
		}
	}
}
