package card

import (
	"slices"
	"strings"
	"testing"

	"messngr"
	"messngr/tray/notification"
)

func TestDigest(t *testing.T) {
	w := english()
	d := Digest{Count: 1, Senders: []string{"A"}, Lines: []string{"A: x"}}
	n := w.Digest(d, false)
	if n.Summary != "One more message" || n.Body != "From A\nA: x" || n.Urgency != notification.Normal || n.Stays || len(n.Actions) != 2 {
		t.Errorf("%+v", n)
	}
	d = Digest{Count: 12, Senders: strings.Fields("A B C D E"), Lines: []string{"A: x", "B: y"}, Waited: true, Level: messngr.LevelUrgent}
	n = w.Digest(d, false)
	if n.Summary != "12 messages wait" || n.Body != "From A, B, C and 2 more\nA: x\nB: y" || n.Urgency != notification.Critical || !n.Stays {
		t.Errorf("%+v", n)
	}
	hidden := w.Digest(d, true)
	marks := slices.ContainsFunc(hidden.Actions, func(a notification.Action) bool { return a.Key == KeyRead })
	if strings.Contains(hidden.Body, "A") || hidden.Summary != n.Summary || marks {
		t.Errorf("hidden: %+v", hidden)
	}
}
