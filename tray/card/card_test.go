package card

import (
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/control"
)

func at(hour int) time.Time { return time.Date(2026, 11, 21, hour, 14, 3, 0, time.Local) }

func TestHeadline(t *testing.T) {
	en, de := english(), german()
	for _, tt := range []struct {
		m    control.Message
		w    *Words
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
		if got := tt.w.Headline(&tt.m); got != tt.want {
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

func TestAnswer(t *testing.T) {
	m := control.Message{Answers: []string{"Yes", "No"}}
	for key, want := range map[string]int{"answer-0": 0, "answer-1": 1, "answer-2": -1, "answer--1": -1, "answer-": -1, "1": -1, "acknowledge": -1} {
		if n, ok := Answer(&m, key); ok != (want >= 0) || ok && n != want {
			t.Errorf("%q is the answer %d, %v", key, n, ok)
		}
	}
}
