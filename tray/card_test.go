package tray

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
)

func at(hour int) time.Time { return time.Date(2026, 11, 21, hour, 14, 3, 0, time.Local) }

func TestHeadline(t *testing.T) {
	en, de := english(), german()
	for _, tt := range []struct {
		m    control.Message
		w    *words
		want string
	}{
		{control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"}, en, "ALICE (unverified, SMB from 10.0.0.7)"},
		{control.Message{From: "ALICE", Via: "smb", Address: "10.0.0.7"}, de, "ALICE (unbestätigt, SMB von 10.0.0.7)"},
		{control.Message{From: "ALICE", Via: "mailslot"}, en, "ALICE (unverified, mailslot)"},
		{control.Message{Via: "smb"}, en, "somebody (unverified, SMB)"},
		{control.Message{From: "root", Proven: "root", Trust: messngr.Vouched, Via: "local"}, de, "root (verbürgt, dieser Rechner)"},
		{control.Message{From: "FS01", Proven: "root", Trust: messngr.Vouched, Via: "local"}, en, "FS01 (vouched: root, this computer)"},
		{control.Message{Proven: "root", Trust: messngr.Vouched, Via: "local"}, en, "root (vouched, this computer)"},
		{control.Message{From: "x", Trust: 77, Via: "new"}, en, "x (new)"},
		{control.Message{From: "x", Level: messngr.LevelEmergency, Drill: true}, de, "ÜBUNG: NOTFALL: x (unbestätigt)"},
		{control.Message{From: "x", Level: 9}, en, "EMERGENCY: x (unverified)"},
		// Nothing that a sender claims can pass for what is proven, for markup, or
		// for another line, nor push the rest out of sight.
		{control.Message{From: "BOSS (site, sealed)", Via: "smb"}, en, "BOSS [site, sealed] (unverified, SMB)"},
		{control.Message{From: "<b>X</b>\nx\x1b[m\u202e", Via: "smb"}, en, "‹b›X‹/b› x^[[m‹U+202E› (unverified, SMB)"},
		{control.Message{From: strings.Repeat("Ä", 300), Via: "smb"}, en, strings.Repeat("Ä", 23) + "… (unverified, SMB)"},
	} {
		if got := tt.w.headline(&tt.m); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.m, got, tt.want)
		}
	}
}

func TestBody(t *testing.T) {
	w := english()
	until := at(18)
	lines := strings.TrimSuffix(strings.Repeat("line\n", 40), "\n")
	for _, tt := range []struct {
		m     control.Message
		want  string
		whole bool
	}{
		{control.Message{Text: "a\x14b\x1b[2J"}, "a\nb^[[2J", true},
		{control.Message{Text: "now!", Title: "T\nitle", Warning: "a reserved name"}, "[a reserved name]\nT itle\nnow!", true},
		{control.Message{Text: "x", Answers: []string{"Yes", "N\no"}, ExpiresAt: &until}, "x\nPlease answer: Yes / N o\nValid until 18:14", true},
		{control.Message{Text: "", ReceivedAt: at(3)}, "03:14", true},
		{control.Message{Text: "x", ReceivedAt: at(3).AddDate(0, 0, -1)}, "x\n2026-11-20 03:14", true},
		{control.Message{Text: lines, Seq: 7}, strings.Repeat("line\n", 12) + "… 28 more lines: messngr inbox show 7", false},
		{control.Message{Text: strings.Repeat("ä", 5000), Seq: 7}, strings.Repeat("ä", 1000) + "\n… there is more: messngr inbox show 7", false},
		{control.Message{Text: strings.Repeat("ä", 900) + "\n" + strings.Repeat("b", 200), Seq: 7}, strings.Repeat("ä", 900) + "\n… there is more: messngr inbox show 7", false},
	} {
		if tt.m.ReceivedAt.IsZero() {
			tt.m.ReceivedAt = at(9)
		}
		got, whole := w.body(&tt.m, at(9))
		if got != tt.want || whole != tt.whole {
			t.Errorf("%.40q: %q, %v\nwant %q, %v", tt.m.Text, got, whole, tt.want, tt.whole)
		}
	}
}

func TestButtons(t *testing.T) {
	w := english()
	keys := func(m control.Message, hidden bool) string {
		var list []string
		for _, a := range w.actions(&m, hidden) {
			list = append(list, a.Key)
		}
		return strings.Join(list, " ")
	}
	for _, tt := range []struct {
		m      control.Message
		hidden bool
		want   string
	}{
		{control.Message{From: "ALICE", Address: "10.0.0.7"}, false, "default reply acknowledge"},
		{control.Message{From: "ALICE", Address: "10.0.0.7"}, true, "default"},
		{control.Message{Via: "local"}, false, "default acknowledge"}, // nobody to answer
		{control.Message{From: "ALICE", Answers: []string{"a", "b", "c"}}, false, "default answer-0 answer-1 answer-2"},
		{control.Message{From: "ALICE", Answers: []string{"a", "b", "c", "d"}}, false, "default reply acknowledge"},
	} {
		if got := keys(tt.m, tt.hidden); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.m, got, tt.want)
		}
	}
}

func TestLanguages(t *testing.T) {
	for env, want := range map[string]string{
		"": "Reply", "LANG=C": "Reply", "LANG=de_DE.UTF-8": "Antworten", "LC_ALL=C LANG=de_DE.UTF-8": "Reply", "LC_MESSAGES=de_AT LANG=en_GB": "Antworten",
		"LANGUAGE=de:en LANG=en_US.UTF-8": "Antworten", "LANGUAGE=de LANG=C": "Reply", "LANG=fr_FR": "Reply",
	} {
		values := map[string]string{}
		for _, pair := range strings.Fields(env) {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = value
		}
		if got := choose(func(key string) string { return values[key] }).reply; got != want {
			t.Errorf("%s: %q, want %q", env, got, want)
		}
	}
}

// Every word has a translation with the same gaps to fill in.
func TestWordsAreComplete(t *testing.T) {
	var flat func(prefix string, v reflect.Value, into map[string]string)
	flat = func(prefix string, v reflect.Value, into map[string]string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				flat(prefix+"."+v.Type().Field(i).Name, v.Field(i), into)
			}
		case reflect.Array:
			for i := range v.Len() {
				flat(fmt.Sprint(prefix, i), v.Index(i), into)
			}
		default:
			into[prefix] = v.String()
		}
	}
	all := [2]map[string]string{{}, {}}
	for i, w := range []*words{english(), german()} {
		flat("", reflect.ValueOf(*w), all[i])
	}
	gaps := func(s string) string {
		var list []string
		for i := range len(s) - 1 {
			if s[i] == '%' {
				list = append(list, s[i:i+2])
			}
		}
		return strings.Join(list, "")
	}
	for name, en := range all[0] {
		if de := all[1][name]; en == "" || de == "" || gaps(en) != gaps(de) {
			t.Errorf("%s: %q, %q", name, en, de)
		}
	}
}

func TestDigest(t *testing.T) {
	w := english()
	d := digest{}
	now := at(9)
	add := func(i int, from string) {
		d.add(&control.Message{ID: messngr.ID{byte(i >> 8), byte(i)}, From: from, Text: fmt.Sprint("text\n", i)}, now)
	}
	add(1, "A")
	add(1, "A") // the same
	if c := w.digestCard(&d, false); c.Summary != "One more message" || c.Body != "From A\nA: text 1" {
		t.Errorf("%+v", c)
	}
	for i := range digestMost + 10 {
		add(i+2, "B")
	}
	if c := w.digestCard(&d, false); c.Summary != "10011 more messages" || !strings.HasPrefix(c.Body, "From A, B\n") || strings.Count(c.Body, "\n") != digestLines {
		t.Errorf("%+v", c)
	}
	if c := w.digestCard(&d, true); strings.Contains(c.Body, "text ") || strings.Contains(c.Body, "A:") || len(c.Actions) != 1 {
		t.Errorf("hidden: %+v", c)
	}
	d.add(&control.Message{From: "<b>", Text: strings.Repeat("long ", 100)}, now)
	if last := d.last[len(d.last)-1].line; len([]rune(last)) != digestLine || !strings.HasPrefix(last, "‹b›: long") {
		t.Errorf("%q", last)
	}
}

// The first change is shown at once, those that follow not more often than a
// person can read, and after many less often still.
func TestDigestPauses(t *testing.T) {
	now := at(9)
	d := digest{}
	m := control.Message{From: "A"}
	change := func() time.Duration {
		m.ID[0]++
		d.add(&m, now)
		due := d.due.Sub(now)
		d.due, d.shownAt, d.changes = time.Time{}, now.Add(max(due, 0)), d.changes+1
		return due
	}
	if due := change(); due != 0 {
		t.Errorf("the first after %v", due)
	}
	if due := change(); due != digestPause {
		t.Errorf("the second after %v", due)
	}
	d.changes = digestOften + 1
	d.shownAt = now
	if due := change(); due != digestSlow {
		t.Errorf("the hundredth after %v", due)
	}
	d.reset()
	now = now.Add(time.Hour)
	change()
	if d.changes > 1 {
		t.Errorf("after an hour %d changes still count", d.changes)
	}
}

func TestConfig(t *testing.T) {
	c := Defaults()
	if err := c.check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.PopUp = "loud" }, func(c *Config) { c.BreakThrough = "" }, func(c *Config) { c.Locked = "yes" },
		func(c *Config) { c.AtOnce = 0 }, func(c *Config) { c.AtOnce = 21 }, func(c *Config) { c.PerMinute = 0 },
	} {
		bad := Defaults()
		change(&bad)
		if bad.check() == nil {
			t.Errorf("%+v is good", bad)
		}
	}
	sounds := map[messngr.Level]string{
		messngr.LevelInfo: c.Info, messngr.LevelNotice: c.Notice, messngr.LevelUrgent: c.Urgent, messngr.LevelEmergency: c.Emergency,
	}
	for level, want := range sounds {
		if got := c.sound(level); got != want || want == "" {
			t.Errorf("%v sounds like %q, want %q", level, got, want)
		}
	}
	c.Sound = false
	if got := c.sound(messngr.LevelEmergency); got != "" {
		t.Errorf("without sound it sounds like %q", got)
	}
}

// The reference file that the packages bring is the program's own, and is right
// with every key uncommented.
func TestReferenceFile(t *testing.T) {
	want, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	const file = "../packaging/desktop/tray.toml"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date (UPDATE=1 writes it anew), -want +got:\n%s", file, diff)
	}
	home := t.TempDir()
	if err := os.MkdirAll(home+"/messngr", 0o700); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#([a-z_]+ =)`).ReplaceAllString(string(got), "$1")
	if err := os.WriteFile(home+"/messngr/tray.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(func(key string) string { return map[string]string{"XDG_CONFIG_HOME": home}[key] })
	if diff := cmp.Diff(Defaults(), c); err != nil || diff != "" || strings.Count(text, "\n") < 15 {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestFolders(t *testing.T) {
	env := map[string]string{"HOME": "/home/a", "XDG_CONFIG_DIRS": "/x:relative:/y"}
	getenv := func(key string) string { return env[key] }
	if diff := cmp.Diff([]string{"/home/a/.config", "/x", "/y"}, configDirs(getenv)); diff != "" {
		t.Error(diff)
	}
	env = map[string]string{"XDG_CONFIG_HOME": "/c", "HOME": "relative"}
	if diff := cmp.Diff([]string{"/c", "/etc/xdg"}, configDirs(getenv)); diff != "" {
		t.Error(diff)
	}
	env = nil
	if err := disturbFile(getenv).set(true); err == nil {
		t.Error("something was remembered without a home")
	}
	if p := progressFile(getenv); p.path != "" || p.save(7) != nil || p.load() != 0 {
		t.Errorf("%+v", p)
	}
}

func TestTrouble(t *testing.T) {
	w := english()
	for err, want := range map[error]string{
		control.ErrNoService:                           w.away,
		fmt.Errorf("%w at x", control.ErrNoAccess):     w.noAccess,
		&control.Error{Code: "internal", Message: "x"}: w.away,
	} {
		if got := w.trouble(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// Pop-ups that fail are tried again later and later; those that lasted, soon.
func TestPopUpPauses(t *testing.T) {
	var p program
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	failed := errors.New("no display")
	if !p.again().IsZero() {
		t.Error("nothing has failed, and they have to wait")
	}
	for n, want := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 300, 300} {
		p.began = now
		p.over(failed, now)
		if got := p.again().Sub(now); got != want*time.Second {
			t.Errorf("after %d failures they wait %v, want %v", n+1, got, want*time.Second)
		}
	}
	p.began = now.Add(-2 * time.Minute)
	if p.over(failed, now); p.again().Sub(now) != 2*time.Second {
		t.Errorf("those that have lasted wait %v", p.again().Sub(now))
	}
	if p.over(nil, now); !p.again().IsZero() {
		t.Error("those that have ended well wait")
	}
}
