package router_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"messngr"
	"messngr/router"
	"messngr/wire/oem"
)

// limited is a transport that carries so many bytes of code page 850.
func limited(limit int) *sender { return limitedTo(oem.Page{}, limit) }

// limitedTo is a transport that carries so many bytes of a code page, with line
// breaks of two bytes.
func limitedTo(page oem.Page, limit int) *sender {
	return &sender{do: func(_ context.Context, _ messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
		b, lossy := page.Encode(oem.ToWire(m.Text, oem.CRLF))
		if len(b) > limit {
			return messngr.Evidence{}, &messngr.TooLongError{Limit: limit, Length: len(b)}
		}
		return messngr.Evidence{State: messngr.Accepted, Lossy: lossy, Detail: "D0"}, nil
	}}
}

// join takes the numbers off the parts, if they are right.
func join(t interface{ Fatalf(string, ...any) }, calls []sending) string {
	number := regexp.MustCompile(`^\[(\d+/\d+)\] `)
	var whole strings.Builder
	for i, c := range calls {
		m := number.FindStringSubmatch(c.Text)
		if want := fmt.Sprintf("%d/%d", i+1, len(calls)); m == nil || m[1] != want {
			t.Fatalf("part %q, want the number %s", c.Text, want)
		}
		whole.WriteString(c.Text[len(m[0]):])
	}
	return whole.String()
}

func TestALongTextGoesInParts(t *testing.T) {
	words := strings.Repeat("Please save your work, the server goes down at six. ", 20)
	for name, text := range map[string]string{
		"words":         words,
		"double blanks": strings.Repeat("column  column   ", 60),
		"one word":      strings.Repeat("x", 1000),
		"umlauts":       strings.Repeat("Ü", 900),
		"lines":         strings.Repeat("\n", 300),
		"replaced":      strings.Repeat("½", 400) + strings.Repeat("€", 300),
		"emoji":         strings.Repeat("👩\u200d💻", 200),
	} {
		t.Run(name, func(t *testing.T) {
			s := limited(128)
			h := newHost(t, options{routes: []router.Route{smb(s)}})
			h.run(t)
			sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}, Message: messngr.Message{Text: text}})
			if err != nil || !sent.AllReached() {
				t.Fatalf("Send = %v, %v", trail(sent.Outgoing), err)
			}
			calls := s.calls()[1:] // the first one was the whole text
			if got := join(t, calls); got != text {
				t.Errorf("joined they are %q, want %q", got, text)
			}
			detail := sent.Recipients[0].Attempts[0].Evidence.Detail
			if want := fmt.Sprintf("D0; in %d parts", len(calls)); detail != want {
				t.Errorf("detail %q, want %q", detail, want)
			}
			if name == "words" {
				for _, c := range calls[:len(calls)-1] {
					if !strings.HasSuffix(c.Text, " ") {
						t.Errorf("part %q ends inside of a word", c.Text)
					}
				}
			}
		})
	}
}

// Some characters are spelled with many others where the page lacks them.
func TestPartsOfWhatIsSpelledOut(t *testing.T) {
	for text, number := range map[string]string{"ﷺ": "1256", "㌀": "932", "㏂": "850", "½": "874"} {
		page, err := oem.Lookup(number)
		if err != nil {
			t.Fatal(err)
		}
		s := limitedTo(page, 80)
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		h.run(t)
		text = strings.Repeat(text, 80)
		sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}, Message: messngr.Message{Text: text}})
		if err != nil || !sent.AllReached() {
			t.Errorf("%.6s to page %s: %v, %v", text, number, trail(sent.Outgoing), err)
			continue
		}
		if got := join(t, s.calls()[1:]); got != text {
			t.Errorf("joined they are %q", got)
		}
	}
}

// Nothing that anybody writes is lost, and no part is too long.
func TestPartsAlwaysFitAndLoseNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		// The last ones are spelled with many others in some pages.
		text := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("ab \n")), rapid.SampledFrom([]rune("½ü€㏂㌀ﷺ")), rapid.Rune())).Draw(rt, "text")
		page, err := oem.Lookup(rapid.SampledFrom([]string{"437", "850", "932", "950", "1256", "1258"}).Draw(rt, "page"))
		if err != nil {
			rt.Fatal(err)
		}
		text = oem.Clean(text) + "."
		limit := rapid.IntRange(48, 90).Draw(rt, "limit")
		s := limitedTo(page, limit)
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }()
		defer func() { cancel(); <-done }()
		sent, err := h.Send(ctx, router.Request{Principal: admin, To: []string{"PC18"}, Message: messngr.Message{Text: text}})
		if err != nil {
			rt.Fatal(err)
		}
		calls := s.calls()
		switch {
		case len(calls) == 1 && (sent.AllReached() || len(text) > limit): // it fitted, or there were too many parts
		case !sent.AllReached():
			rt.Fatalf("not all parts fitted: %v", sent.Recipients[0].Attempts)
		case join(rt, calls[1:]) != text:
			rt.Fatalf("joined they are %q, want %q", join(rt, calls[1:]), text)
		}
	})
}

func TestATextThatIsTooLongEvenForParts(t *testing.T) {
	for name, tt := range map[string]struct {
		limit, length int
	}{"hundred parts": {128, 12000}, "parts of nothing": {47, 100}} {
		s := limited(tt.limit)
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		h.run(t)
		sent, err := h.Send(t.Context(), router.Request{
			Principal: alice, To: []string{"PC18"}, Message: messngr.Message{Text: strings.Repeat("x", tt.length)},
		})
		if err != nil || len(s.calls()) != 1 {
			t.Errorf("%s: %v, %d parts; want none", name, err, len(s.calls()))
		}
		if diff := cmp.Diff([]string{"smb failed too_long"}, trail(sent.Outgoing)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPartsThatFail(t *testing.T) {
	text := strings.Repeat("x", 300)
	for failing, tt := range map[int]struct {
		with error
		want []string
	}{
		2: {messngr.ErrBusy, []string{"smb refused busy"}},             // the first part: nothing was taken
		3: {messngr.ErrUnavailable, []string{"smb unknown uncertain"}}, // the second: some was
		4: {messngr.ErrUncertain, []string{"smb unknown uncertain"}},
	} {
		n := 0
		whole := limited(128)
		s := &sender{do: func(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
			if n++; n == failing {
				return messngr.Evidence{}, tt.with
			}
			return whole.Send(ctx, to, m)
		}}
		second := accepts()
		h := newHost(t, options{routes: []router.Route{smb(s), {Via: "second", Sender: second}}})
		h.run(t)
		sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}, Message: messngr.Message{Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, trail(sent.Outgoing)); diff != "" {
			t.Errorf("call %d fails (-want +got):\n%s", failing, diff)
		}
		if n != failing || len(second.calls()) > 0 {
			t.Errorf("it went on after call %d: %d calls, %d by another route", failing, n, len(second.calls()))
		}
	}
}

func TestPartsAreLossyIfOneOfThemIs(t *testing.T) {
	h := newHost(t, options{routes: []router.Route{smb(limited(128))}})
	h.run(t)
	text := "1 €" + strings.Repeat(".", 300)
	sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}, Message: messngr.Message{Text: text}})
	if err != nil || !sent.Recipients[0].Attempts[0].Evidence.Lossy {
		t.Errorf("Send = %+v, %v; want it lossy", sent.Recipients[0].Attempts, err)
	}
}
