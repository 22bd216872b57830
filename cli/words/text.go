// Package words understands what people type to send a message: whom it is for, and
// its text.
package words

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"messngr"
	"messngr/cli/program"
)

// Text returns the text of a message from the words of the command line: the
// words joined by blanks, or the standard input if the only word is "-", or if
// there is none, until ctx ends. It is checked by CheckText; hint is for somebody who
// gave no text.
func Text(ctx context.Context, run *program.Run, words []string, hint string) (string, error) {
	if len(words) > 0 && (len(words) > 1 || words[0] != "-") {
		return CheckText(strings.Join(words, " "))
	}
	if _, ok := program.Terminal(run.Stdin); ok {
		fmt.Fprintln(run.Stderr, "Type the text; Ctrl-D on a line of its own sends it, Ctrl-C does not.")
	}
	var b []byte
	err := program.Await(ctx, func() (err error) {
		b, err = io.ReadAll(io.LimitReader(run.Stdin, messngr.MaxText+2))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if s == "" && len(words) == 0 {
		return "", program.Misuse(hint, "there is no text")
	}
	return CheckText(s)
}

// CheckText returns a text as it is sent, with one newline at the end of a line, or a
// program.UsageError if it is too long or no text.
func CheckText(s string) (string, error) {
	switch {
	case len(s) > messngr.MaxText:
		return "", program.Misuse("send a shorter text, or the place where the long one is", "the text is longer than %d KiB", messngr.MaxText>>10)
	case strings.ContainsRune(s, 0):
		return "", program.Misuse("only text can be sent", "this is no text: it contains zero bytes")
	case !utf8.ValidString(s):
		return "", program.Misuse("convert it first, for example: iconv -f latin1 -t utf-8", "the text is not UTF-8")
	}
	return strings.ReplaceAll(s, "\r\n", "\n"), nil
}
