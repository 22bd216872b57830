package transporttest

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"messngr"
)

func testRoundTrip(t *testing.T, s Suite) {
	for name, text := range map[string]string{
		"short":      "hello",
		"empty":      "",
		"longest":    strings.Repeat("0123456789abcdef", s.Limit/16),
		"one block":  strings.Repeat("x", min(128, s.Limit)),
		"multi-line": "one\ntwo\n\nfour\n",
		"umlauts":    "Grüße: äöü ÄÖÜ ß é ñ å",
		"blanks":     "  a\tb  ",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alpha, beta := pair(t, s, take)
				ev, err := alpha.send(t.Context(), toBeta(), text)
				if err != nil {
					t.Fatal(err)
				}
				if ev.State != s.Best || ev.Lossy {
					t.Errorf("evidence %+v, want state %v and nothing lost", ev, s.Best)
				}
				if got := beta.only(t); got.Message.Text != text {
					t.Errorf("text %.200q arrived, want %.200q", got.Message.Text, text)
				}
			})
		})
	}
}

func testLossy(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		ev, err := alpha.send(t.Context(), toBeta(), "5 € für Иван")
		if err != nil || !ev.Lossy {
			t.Errorf("evidence %+v, %v, want it to say that characters were replaced", ev, err)
		}
		if got, want := beta.only(t).Message.Text, "5 EUR für ????"; got != want {
			t.Errorf("text %q arrived, want %q", got, want)
		}
	})
}

func testClean(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		if _, err := alpha.send(t.Context(), toBeta(), "a\x1b[31mb\x07c\x00d\rwxyz"); err != nil {
			t.Fatal(err)
		}
		got := beta.only(t).Message.Text
		if strings.ContainsAny(got, "\x00\x07\x1b\r\x14") || !strings.Contains(got, "wxyz") {
			t.Errorf("text %q arrived, want no control characters", got)
		}
	})
}

func testTooLong(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		_, err := alpha.send(t.Context(), toBeta(), strings.Repeat("x", s.Limit+1))
		var long *messngr.TooLongError
		if !errors.As(err, &long) || long.Limit != s.Limit || long.Length != s.Limit+1 {
			t.Errorf("error %v, want that %d bytes are the limit", err, s.Limit)
		}
		if got := beta.inbox(); len(got) != 0 {
			t.Errorf("%d messages arrived, want none", len(got))
		}
	})
}
