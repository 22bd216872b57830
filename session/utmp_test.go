package session

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// record builds a record of utmp as the C library lays it out.
func record(size, kind, pid int, line, user, host string, since int64) []byte {
	b := make([]byte, size)
	binary.NativeEndian.PutUint16(b, uint16(kind))
	binary.NativeEndian.PutUint32(b[4:], uint32(pid))
	copy(b[8:40], line)
	copy(b[44:76], user)
	copy(b[76:332], host)
	if size == utmpRecord64 {
		binary.NativeEndian.PutUint64(b[344:], uint64(since))
	} else {
		binary.NativeEndian.PutUint32(b[340:], uint32(since))
	}
	return b
}

func TestParseUtmp(t *testing.T) {
	const at = 1795296000
	long := strings.Repeat("u", 32)
	for _, size := range []int{utmpRecord32, utmpRecord64} {
		b := slices.Concat(
			record(size, 2, 0, "~", "reboot", "6.1.0", at),
			record(size, utmpUser, 10, "pts/3", "alice", "10.0.0.7", at),
			record(size, utmpUser, 11, ":0", "bob", ":0", at),
			record(size, 8, 12, "pts/4", "carol", "", at),
			record(size, utmpUser, 13, "../../etc/passwd", long, "tmux(99).%3", at),
			record(size, utmpUser, 14, "tty1", "", "", at),
			record(size, utmpUser, -1, "tty1", "root", "", at),
			record(size, utmpUser, 15, "tty2", "ev\x1bil", "", at),
			record(size, utmpUser, 16, "tty2", "eve", "ho\x1bst", at),
			[]byte("half a record"),
		)
		if got := utmpRecord(len(b)-len("half a record"), size); got != size {
			t.Errorf("record size %d, want %d", got, size)
		}
		var got []Session
		for _, e := range parseUtmp(b, size) {
			got = append(got, e.session())
		}
		since := time.Unix(at, 0)
		want := []Session{
			{User: "alice", UID: -1, TTY: "pts/3", Remote: "10.0.0.7", Since: since},
			{User: "bob", UID: -1, Display: ":0", Since: since},
			{User: long, UID: -1, Since: since},
			{User: "eve", UID: -1, TTY: "tty2", Since: since},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("records of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

func TestUtmpRecord(t *testing.T) {
	for _, tt := range []struct{ size, usual, want int }{
		{0, 384, 384}, {384, 384, 384}, {768, 384, 384}, {400, 384, 400}, {1200, 384, 400}, {383, 384, 384},
		{0, 400, 400}, {400, 400, 400}, {384, 400, 384}, {9600, 384, 384}, {9600, 400, 400}, {999, 400, 400},
	} {
		if got := utmpRecord(tt.size, tt.usual); got != tt.want {
			t.Errorf("utmpRecord(%d, %d) = %d, want %d", tt.size, tt.usual, got, tt.want)
		}
	}
}

func TestParseUtmpRecorded(t *testing.T) {
	b, err := os.ReadFile("testdata/tmux.utmp")
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{pid: 18148, line: "pts/0", user: "root", since: time.Unix(1795295958, 0)},
		{pid: 18148, line: "pts/1", user: "root", since: time.Unix(1795295958, 0)},
	}
	if diff := cmp.Diff(want, parseUtmp(b, utmpRecord32), cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzParseUtmp(f *testing.F) {
	files, err := filepath.Glob("testdata/*.utmp")
	if err != nil || len(files) == 0 {
		f.Fatal("no recordings", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
		f.Add(b[:len(b)-1], false)
	}
	f.Add(bytes.Repeat([]byte{7, 0, 0, 0, '/', '.', '.', 0xff}, 200), true)
	f.Fuzz(func(t *testing.T, b []byte, usual bool) {
		size := utmpRecord32
		if !usual {
			size = utmpRecord64
		}
		size = utmpRecord(len(b), size)
		entries := parseUtmp(b, size)
		if len(entries) > len(b)/size {
			t.Fatalf("%d entries of %d bytes", len(entries), len(b))
		}
		for _, e := range entries {
			s := e.session()
			if e.pid <= 0 || s.User == "" || strings.Contains(s.TTY, "..") || strings.HasPrefix(s.TTY, "/") {
				t.Fatalf("%+v", e)
			}
			for _, text := range []string{s.User, s.TTY, s.Display, s.Remote} {
				if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
					t.Fatalf("%q in %+v", text, s)
				}
			}
		}
	})
}
