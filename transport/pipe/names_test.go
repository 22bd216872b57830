package pipe_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/transport/pipe"
	"messngr/wire/msgnames"
	"messngr/wire/npa"
)

// call calls a procedure of the interface that manages names.
func (h *host) call(t *testing.T, who npa.Client, op uint16, q msgnames.Request) msgnames.Answer {
	t.Helper()
	stub, err := h.do(who, msgnames.Pipe, msgnames.Interface(), op, q.Append(nil, op, false))
	if err != nil {
		t.Fatal(err)
	}
	a, err := msgnames.ParseAnswer(op, stub, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWhoMayDoWhat(t *testing.T) {
	for name, tt := range map[string]struct {
		who         npa.Client
		look, touch bool
	}{
		"root":                {root, true, true},
		"a user":              {alice, true, false},
		"an administrator":    {windows, true, true},
		"nobody of this host": {stranger, false, false},
		"a guest":             {guest, false, false},
		"nobody":              {anonymous, false, false},
		"root from afar":      {faraway, false, false},
		"root from nowhere":   {nowhere, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, taken)
			want := func(op uint16, allowed bool, status msgnames.Status) {
				t.Helper()
				if denied := status == msgnames.AccessDenied; denied == allowed {
					t.Errorf("procedure %d: %v", op, status)
				}
			}
			want(msgnames.Enum, tt.look, h.call(t, tt.who, msgnames.Enum, msgnames.Request{PrefMaxLen: msgnames.AllBytes}).Status)
			want(msgnames.GetInfo, tt.look, h.call(t, tt.who, msgnames.GetInfo, msgnames.Request{Name: "ALICE"}).Status)
			want(msgnames.Add, tt.touch, h.call(t, tt.who, msgnames.Add, msgnames.Request{Name: "new"}).Status)
			if slices.Contains(h.names, "NEW") != tt.touch {
				t.Errorf("the names are %q", h.names)
			}
			want(msgnames.Del, tt.touch, h.call(t, tt.who, msgnames.Del, msgnames.Request{Name: "backup"}).Status)
			if slices.Contains(h.names, "BACKUP") == tt.touch {
				t.Errorf("the names are %q", h.names)
			}
		})
	}
}

func TestEnum(t *testing.T) {
	h := newHost(t, taken)
	// BETA takes 4+10 bytes of level 0, BACKUP 4+14, ALICE 4+12.
	for _, tt := range []struct {
		name string
		q    msgnames.Request
		want msgnames.Answer
	}{
		{"everything", msgnames.Request{PrefMaxLen: msgnames.AllBytes, HasResume: true},
			msgnames.Answer{Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3, HasResume: true}},
		{"level 1, no handle", msgnames.Request{Level: 1, PrefMaxLen: msgnames.AllBytes},
			msgnames.Answer{Level: 1, Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"just enough", msgnames.Request{PrefMaxLen: 48}, msgnames.Answer{Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"too little", msgnames.Request{PrefMaxLen: 47, HasResume: true},
			msgnames.Answer{Status: msgnames.BufTooSmall, Names: []string{"BETA", "BACKUP"}, Total: 2, HasResume: true, Resume: 2}},
		{"the rest", msgnames.Request{PrefMaxLen: 47, HasResume: true, Resume: 2},
			msgnames.Answer{Names: []string{"ALICE"}, Total: 1, HasResume: true}},
		{"for none", msgnames.Request{PrefMaxLen: 13, HasResume: true},
			msgnames.Answer{Status: msgnames.BufTooSmall, HasResume: true}},
		{"level 1 takes more", msgnames.Request{Level: 1, PrefMaxLen: 47, HasResume: true},
			msgnames.Answer{Level: 1, Status: msgnames.BufTooSmall, Names: []string{"BETA"}, Total: 1, HasResume: true, Resume: 1}},
		{"behind the end", msgnames.Request{PrefMaxLen: 100, HasResume: true, Resume: 3}, msgnames.Answer{HasResume: true}},
		{"far behind the end", msgnames.Request{PrefMaxLen: 100, HasResume: true, Resume: 1 << 31}, msgnames.Answer{HasResume: true}},
		{"the most of level 0", msgnames.Request{PrefMaxLen: 11776}, msgnames.Answer{Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"more than that", msgnames.Request{PrefMaxLen: 11777}, msgnames.Answer{Status: msgnames.InvalidParameter}},
		{"more of level 1", msgnames.Request{Level: 1, PrefMaxLen: 11777},
			msgnames.Answer{Level: 1, Names: []string{"BETA", "BACKUP", "ALICE"}, Total: 3}},
		{"level 2", msgnames.Request{Level: 2}, msgnames.Answer{Level: 2, Status: msgnames.InvalidLevel}},
	} {
		if diff := cmp.Diff(tt.want, h.call(t, alice, msgnames.Enum, tt.q), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestGetInfo(t *testing.T) {
	h := newHost(t, taken)
	for _, tt := range []struct {
		name  string
		level uint32
		want  msgnames.Answer
	}{
		{"ALICE", 0, msgnames.Answer{Names: []string{"ALICE"}}},
		{" alice ", 1, msgnames.Answer{Level: 1, Names: []string{"ALICE"}}},
		{"NOBODY", 0, msgnames.Answer{Status: msgnames.NotLocalName}},
		{"", 0, msgnames.Answer{Status: msgnames.NotLocalName}},
		{"ALICE", 2, msgnames.Answer{Level: 2, Status: msgnames.InvalidLevel}},
	} {
		got := h.call(t, alice, msgnames.GetInfo, msgnames.Request{Name: tt.name, Level: tt.level})
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q of level %d (-want +got):\n%s", tt.name, tt.level, diff)
		}
	}
}

func TestChangesThatFail(t *testing.T) {
	h := newHost(t, taken)
	long := strings.Repeat("A", 16)
	if a := h.call(t, root, msgnames.Add, msgnames.Request{Name: long}); a.Status != msgnames.InvalidParameter {
		t.Errorf("a name of 16 characters: %v", a.Status)
	}
	for _, tt := range []struct {
		err      error
		add, del msgnames.Status
	}{
		{nil, msgnames.Success, msgnames.Success},
		{pipe.ErrInvalid, msgnames.InvalidName, msgnames.InvalidName},
		{pipe.ErrExists, msgnames.AlreadyExists, msgnames.AlreadyExists},
		{pipe.ErrTooMany, msgnames.TooManyNames, msgnames.TooManyNames},
		{pipe.ErrTaken, msgnames.DuplicateName, msgnames.DuplicateName},
		{pipe.ErrOwn, msgnames.DelComputerName, msgnames.DelComputerName},
		{messngr.ErrNotFound, msgnames.NotLocalName, msgnames.NotLocalName},
		{errors.New("no network"), msgnames.NetworkError, msgnames.IncompleteDel},
	} {
		if h.fail = tt.err; tt.err != nil {
			h.fail = fmt.Errorf("names: %w", tt.err)
		}
		if a := h.call(t, root, msgnames.Add, msgnames.Request{Name: "NEW"}); a.Status != tt.add {
			t.Errorf("%v: %v, want %v", tt.err, a.Status, tt.add)
		}
		if a := h.call(t, root, msgnames.Del, msgnames.Request{Name: "NEW"}); a.Status != tt.del {
			t.Errorf("%v: %v, want %v", tt.err, a.Status, tt.del)
		}
	}
}
