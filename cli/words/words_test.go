package words_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/cli/program"
	"messngr/cli/words"
)

func isMisuse(err error) bool {
	var usage *program.UsageError
	return errors.As(err, &usage) && usage.Hint != ""
}

func TestRecipients(t *testing.T) {
	for list, want := range map[string][]string{
		"PC17":                           {"PC17"},
		"PC17, alice ,pc17":              {"PC17", "alice"},
		"EVERYONE":                       {"everyone"},
		"*":                              {"*"},
		"/Domain":                        {"/domain"},
		"/DOMAIN:Office,/Users":          {"/domain:Office", "/users"},
		"everyone:x":                     {"everyone:x"}, // a name like others
		"bob@PC18,10.0.0.7,host.example": {"bob@PC18", "10.0.0.7", "host.example"},
	} {
		if got, err := words.Recipients(list); err != nil || !cmp.Equal(got, want) {
			t.Errorf("Recipients(%q) = %q, %v; want %q", list, got, err, want)
		}
	}
	for _, list := range []string{"", ",", "PC17,", "/users:x", "/help", "/"} {
		if got, err := words.Recipients(list); !isMisuse(err) {
			t.Errorf("Recipients(%q) = %q, %v; want a misuse", list, got, err)
		}
	}
}

func TestBroadcasts(t *testing.T) {
	for name, want := range map[string]string{
		"*": "everybody in this machine's workgroup", "everyone": "everybody in this machine's workgroup",
		"/domain": "everybody in this machine's workgroup", "/domain:LAB": "everybody in LAB",
	} {
		if !words.IsBroadcast(name) || words.Broadcast(name) != want {
			t.Errorf("%s: broadcast %v, to %q; want %q", name, words.IsBroadcast(name), words.Broadcast(name), want)
		}
	}
	for _, name := range []string{"PC17", "/users", "domain:LAB", ""} {
		if words.IsBroadcast(name) {
			t.Errorf("%q is taken for a broadcast", name)
		}
	}
}

// A * that the shell turned into the names of files is refused, in whatever order; the
// same names as recipients that somebody typed are not.
func TestRefuseGlob(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := words.RefuseGlob([]string{"a", "b", "text"}, "messngr send"); err != nil {
		t.Errorf("in an empty folder: %v", err)
	}
	for _, name := range []string{"b.txt", "a.txt", ".hidden"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args string
		glob bool
	}{
		{"a.txt b.txt hello", true}, {"b.txt a.txt", true}, {"a.txt hello", false}, {"a.txt", false}, {"PC17 a.txt b.txt", false},
	} {
		if err := words.RefuseGlob(strings.Fields(tt.args), "messngr send"); isMisuse(err) != tt.glob {
			t.Errorf("RefuseGlob(%s) = %v, want refused: %v", tt.args, err, tt.glob)
		}
	}
}

func TestIsTTY(t *testing.T) {
	for word, want := range map[string]bool{
		"pts/3": true, "/dev/pts/3": true, "tty1": true, "ttyS0": true, "/dev/null": true, // a device
		"tty": false, "pts": false, "hello": false, "/dev/nosuch": false, "/etc/passwd": false,
	} {
		if got := words.IsTTY(word); got != want {
			t.Errorf("IsTTY(%q) = %v", word, got)
		}
	}
}

func TestText(t *testing.T) {
	const long = messngr.MaxText
	for _, tt := range []struct {
		name  string
		words []string
		stdin string
		want  string
		ok    bool
	}{
		{"words", []string{"a", "b"}, "not read", "a b", true},
		{"a dash", []string{"-"}, "from\r\nstdin\r\n", "from\nstdin", true},
		{"a dash and more", []string{"-", "x"}, "not read", "- x", true},
		{"nothing", nil, "piped\n\n", "piped\n", true},
		{"an empty word", []string{""}, "not read", "", true},
		{"nothing at all", nil, "", "", false},
		{"the longest", []string{"-"}, strings.Repeat("x", long) + "\n", strings.Repeat("x", long), true},
		{"too long", []string{"-"}, strings.Repeat("x", long+1), "", false},
		{"zero bytes", []string{"-"}, "a\x00b", "", false},
		{"latin1", []string{"gr\xfc\xdfe"}, "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := &program.Run{Env: program.Env{Stdin: strings.NewReader(tt.stdin)}}
			got, err := words.Text(t.Context(), run, tt.words, "usage")
			if got != tt.want || (err == nil) != tt.ok || err != nil && !isMisuse(err) {
				t.Errorf("Text(%q) = %.20q, %v; want %.20q", tt.words, got, err, tt.want)
			}
		})
	}
}

// Ctrl-C ends the typing of a text.
func TestTextInterrupted(t *testing.T) {
	stdin, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		io.WriteString(typing, "half a sent")
		cancel()
	}()
	got, err := words.Text(ctx, &program.Run{Env: program.Env{Stdin: stdin}}, nil, "usage")
	if got != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("Text = %q, %v, want it to be cancelled", got, err)
	}
}
