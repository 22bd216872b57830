package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"messngr"
	"messngr/cli/console"
)

// text returns the text of a message from the words of the command line: the
// words joined by blanks, or the standard input if the only word is "-", or if
// there is none.
func (a *app) text(words []string, hint string) (string, error) {
	if len(words) > 0 && (len(words) > 1 || words[0] != "-") {
		return checkText(strings.Join(words, " "), hint)
	}
	if _, ok := terminal(a.env.Stdin); ok {
		fmt.Fprintln(a.env.Stderr, "Type the text; Ctrl-D on a line of its own sends it, Ctrl-C does not.")
	}
	b, err := io.ReadAll(io.LimitReader(a.env.Stdin, messngr.MaxText+2))
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if s == "" && len(words) == 0 {
		return "", misuse(hint, "there is no text")
	}
	return checkText(s, hint)
}

func checkText(s, hint string) (string, error) {
	switch {
	case len(s) > messngr.MaxText:
		return "", misuse("send a shorter text, or the place where the long one is", "the text is longer than %d KiB", messngr.MaxText>>10)
	case strings.ContainsRune(s, 0):
		return "", misuse("only text can be sent", "this is no text: it contains zero bytes")
	case !utf8.ValidString(s):
		return "", misuse("convert it first, for example: iconv -f latin1 -t utf-8", "the text is not UTF-8")
	}
	return strings.ReplaceAll(s, "\r\n", "\n"), nil
}

// printJSON prints v as one line.
func (a *app) printJSON(v any) error { return console.JSON(a.env.Stdout, v) }
