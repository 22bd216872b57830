package spnego_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"messngr/wire/spnego"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const ntlm = "060a 2b060104018237 02020a"

func TestAppend(t *testing.T) {
	for _, tt := range []struct {
		name      string
		got       []byte
		want      string
		following int // bytes of the token behind
	}{
		{"first", spnego.AppendInit(nil, []byte("NTLMSSP")),
			"6027 0606 2b0601050502 a01d 301b a00e 300c" + ntlm + "a209 0407 4e544c4d535350", 0},
		{"later", spnego.AppendResponse(nil, make([]byte, 300), nil), "a1820138 30820134 a2820130 0482012c", 300},
		{"later, shorter", spnego.AppendResponse(nil, make([]byte, 200), nil), "a181d1 3081ce a281cb 0481c8", 200},
		{"signed", spnego.AppendResponse(nil, []byte("X"), []byte("signature")), "a114 3012 a203 0401 58 a30b 0409 7369676e6174757265", 0},
		{"what is signed", spnego.Means(), "300c" + ntlm, 0},
	} {
		if want := unhex(t, tt.want); !bytes.HasPrefix(tt.got, want) || len(tt.got) != len(want)+tt.following {
			t.Errorf("%s is\n%x, want\n%x and %d bytes", tt.name, tt.got, want, tt.following)
		}
	}
}

// responses are what servers say, and the message in it.
var responses = map[string]string{
	"a11a 3018 a003 0a0101 a10c" + ntlm + "a203 0401 58":            "X",
	"a107 3005 a003 0a0100":                                         "",
	"a107 3005 a003 0a0102":                                         "!", // rejected
	"a107 3005 a003 0a0103":                                         "!", // wants a signature
	"a118 3016 a003 0a0101 a10a 0608 2b06010401823702 a203 0401 58": "!", // another means
	"a182 0007 3005 a203 0401 58":                                   "X", // a longer length than need be
	"":                                                              "!",
	"a1ff":                                                          "!",
	"a184 ffffffff 30":                                              "!",
	"a107 3006 a003 0a0100":                                         "!",
	"6007 3005 a203 0401 58":                                        "!",
}

func TestParseResponse(t *testing.T) {
	for s, want := range responses {
		got, err := spnego.ParseResponse(unhex(t, s))
		if want == "!" && err == nil {
			t.Errorf("%s: %q, want an error", s, got)
		} else if want != "!" && (err != nil || string(got) != want) {
			t.Errorf("%s: %q, %v, want %q", s, got, err, want)
		}
	}
}

func FuzzParseResponse(f *testing.F) {
	for s := range responses {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		token, err := spnego.ParseResponse(b)
		if err != nil {
			return
		}
		if again, err := spnego.ParseResponse(spnego.AppendResponse(nil, token, nil)); err != nil || !bytes.Equal(again, token) {
			t.Errorf("%x is written and read as %x, %v", token, again, err)
		}
	})
}
