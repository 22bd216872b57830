package router_test

import (
	"testing"

	"messngr"
	"messngr/router"
)

func TestFlatten(t *testing.T) {
	for name, tt := range map[string]struct {
		m    messngr.Message
		want string
	}{
		"plain":   {messngr.Message{Text: "Lunch?\n"}, "Lunch?\n"},
		"empty":   {messngr.Message{}, ""},
		"info":    {messngr.Message{Level: messngr.LevelNotice, Text: "Lunch?"}, "Lunch?"},
		"urgent":  {messngr.Message{Level: messngr.LevelUrgent, Text: "Leave now."}, "URGENT\nLeave now."},
		"title":   {messngr.Message{Title: "Fire", Text: "Leave now.\n\n"}, "Fire\nLeave now.\n\n"},
		"no text": {messngr.Message{Title: "Fire", Level: messngr.LevelEmergency}, "EMERGENCY: Fire"},
		"answers": {messngr.Message{Text: "Lunch?", Answers: []string{"Yes", "No"}}, "Lunch?\nPlease answer with one of: Yes, No"},
		"a drill": {
			messngr.Message{Drill: true, Level: messngr.LevelEmergency, Title: "Fire", Text: "Leave now.", Answers: []string{"Out"}},
			"DRILL - THIS IS AN EXERCISE: EMERGENCY: Fire\nLeave now.\nPlease answer with one of: Out\nDRILL - THIS IS AN EXERCISE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			plain, rich := accepts(), accepts()
			h := newHost(t, options{routes: []router.Route{smb(plain), {Via: "rich", Sender: rich, Rich: true, Best: messngr.Accepted}}})
			h.run(t)
			for _, via := range []string{"smb", "rich"} {
				if _, err := h.Send(t.Context(), router.Request{Principal: admin, To: []string{"PC18"}, Via: via, Message: tt.m}); err != nil {
					t.Fatal(err)
				}
			}
			if got := plain.calls()[0].Text; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := rich.calls()[0].Text; got != tt.m.Text {
				t.Errorf("a rich route got %q, want %q", got, tt.m.Text)
			}
		})
	}
}
