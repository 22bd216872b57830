package samba_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/transport"
	"messngr/transport/samba"
	"messngr/wire/oem"
)

// receiver is the transport of the machine SERVER, and what it handed over.
type receiver struct {
	*samba.Transport
	got  []messngr.Inbound
	fail error
	stop func()
}

func receive(t *testing.T) *receiver {
	t.Helper()
	page, err := oem.Lookup("850")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{}
	r.Transport, err = samba.New(transport.Env{
		Host: "SERVER", Workgroup: "LAB", Page: page,
		Local: func(name string) bool { return name == "SERVER" || name == "ALICE" },
	}, *samba.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- r.Receive(ctx, func(_ context.Context, in messngr.Inbound) (messngr.Results, error) {
			r.got = append(r.got, in)
			return nil, r.fail
		})
	}()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Receive = %v, want nil", err)
		}
	}
	synctest.Wait()
	return r
}

func TestInject(t *testing.T) {
	address := netip.MustParseAddr("10.77.0.9")
	tests := []struct {
		name string
		in   samba.Handover
		want messngr.Message
		to   string
	}{
		{
			"as LinPopUp is called",
			samba.Handover{From: "bob", Machine: "pc17", Text: []byte("hello\n")},
			messngr.Message{From: messngr.From{Claimed: "bob"}, To: "(unknown)", Title: "taken by Samba from pc17, addressee unknown", Text: "hello\n"},
			"SERVER",
		},
		{
			"with an address",
			samba.Handover{From: "bob", Machine: "pc17", Address: address, Text: []byte("x")},
			messngr.Message{From: messngr.From{Claimed: "bob", Address: address}, To: "(unknown)", Title: "taken by Samba from pc17, addressee unknown", Text: "x"},
			"SERVER",
		},
		{
			"to one of our names",
			samba.Handover{From: "bob", Machine: "pc17", To: "alice", Text: []byte("x")},
			messngr.Message{From: messngr.From{Claimed: "bob"}, To: "ALICE", Title: "taken by Samba from pc17", Text: "x"},
			"ALICE",
		},
		{
			"to a time stamp, which is what %t has become",
			samba.Handover{From: "bob", Machine: "pc17", To: "20261121_192244", Text: []byte("x")},
			messngr.Message{From: messngr.From{Claimed: "bob"}, To: "(unknown)", Title: "taken by Samba from pc17, addressee unknown", Text: "x"},
			"SERVER",
		},
		{
			"from nobody",
			samba.Handover{Machine: "pc17"},
			messngr.Message{From: messngr.From{Claimed: "pc17"}, To: "(unknown)", Title: "taken by Samba from pc17, addressee unknown"},
			"SERVER",
		},
		{
			"by nobody, nowhere, and long ago",
			samba.Handover{Waited: time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC)},
			messngr.Message{To: "(unknown)", Title: "taken by Samba, addressee unknown, waited here since 2026-11-20 14:05"},
			"SERVER",
		},
		{
			"UTF-8, line breaks, and what does harm on a screen",
			samba.Handover{From: "b\x1b[31mob", Machine: "pc\n17", Text: []byte("Büro\r\nzwei\x14drei\x1b[2J\u202e")},
			messngr.Message{
				From: messngr.From{Claimed: oem.CleanLine("b\x1b[31mob")}, To: "(unknown)",
				Title: "taken by Samba from " + oem.CleanLine("pc\n17") + ", addressee unknown", Text: oem.Clean("Büro\nzwei\ndrei\x1b[2J\u202e"),
			},
			"SERVER",
		},
		{
			"what smbd could not convert",
			samba.Handover{From: "bob", Machine: "pc17", Text: []byte("B\x81ro")},
			messngr.Message{From: messngr.From{Claimed: "bob"}, To: "(unknown)", Title: "taken by Samba from pc17, addressee unknown", Text: "Büro"},
			"SERVER",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receive(t)
				tt.in.Key = "key"
				if err := r.Inject(t.Context(), tt.in); err != nil {
					t.Fatal(err)
				}
				r.stop()
				tt.want.Via = "samba"
				want := []messngr.Inbound{{Message: tt.want, Origin: "samba/key", To: []string{tt.to}}}
				if diff := cmp.Diff(want, r.got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					t.Errorf("handed over (-want +got):\n%s", diff)
				}
				if strings.ContainsAny(r.got[0].Message.Text+r.got[0].Message.Title, "\x1b\u202e") {
					t.Errorf("%q reaches the screen", r.got[0].Message.Title+r.got[0].Message.Text)
				}
			})
		})
	}
}

func TestInjectRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receive(t)
		if err := r.Inject(t.Context(), samba.Handover{Text: []byte("x")}); err == nil {
			t.Error("a hand-over without a key was taken")
		}
		r.fail = messngr.ErrBusy
		if err := r.Inject(t.Context(), samba.Handover{Key: "k"}); !errors.Is(err, messngr.ErrBusy) {
			t.Errorf("Inject = %v, want ErrBusy", err)
		}
		r.stop()
		if err := r.Inject(t.Context(), samba.Handover{Key: "k"}); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("Inject after the end = %v, want ErrUnavailable", err)
		}
	})
}

// The sender of a text that is too long has been told that it arrived, so its beginning is
// better than nothing.
func TestInjectCuts(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		length     int64
		want       int
		title      string
	}{
		{"as long as may be", strings.Repeat("x", 65536), 0, 65536, ""},
		{"too long", strings.Repeat("x", 65537), 0, 65536, ", cut to 65536 of 65537 bytes"},
		{"too long for the caller", strings.Repeat("x", 65537), 1 << 20, 65536, ", cut to 65536 of 1048576 bytes"},
		{"cut by the caller, in a character", "xy\xc3", 1 << 20, 2, ", cut to 2 of 1048576 bytes"},
		{"nothing left", "", 1 << 20, 0, ", cut to 0 of 1048576 bytes"},
		{"in a character", "x" + strings.Repeat("ü", 32768), 0, 65535, ", cut to 65535 of 65537 bytes"},
		{"in no UTF-8", strings.Repeat("\x81", 65537), 0, 2 * 65536, ", cut to 65536 of 65537 bytes"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := receive(t)
			if err := r.Inject(t.Context(), samba.Handover{Key: "k", Text: []byte(tt.text), Length: tt.length}); err != nil {
				t.Fatal(err)
			}
			r.stop()
			m := r.got[0].Message
			if want := "taken by Samba, addressee unknown" + tt.title; len(m.Text) != tt.want || m.Title != want || strings.ContainsRune(m.Text, '\uFFFD') {
				t.Errorf("%s: %d bytes, titled %q; want %d, %q", tt.name, len(m.Text), m.Title, tt.want, want)
			}
		})
	}
}

// What comes before the service receives waits for it.
func TestInjectBeforeReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part, err := samba.New(transport.Env{}, *samba.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := part.Inject(soon, samba.Handover{Key: "k"}); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("Inject without Receive = %v, want ErrUnavailable", err)
		}
		early := make(chan error, 1)
		go func() { early <- part.Inject(t.Context(), samba.Handover{Key: "k"}) }()
		synctest.Wait()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- part.Receive(ctx, func(context.Context, messngr.Inbound) (messngr.Results, error) { return nil, nil })
		}()
		if err := <-early; err != nil {
			t.Errorf("Inject before Receive = %v", err)
		}
		stop()
		<-ended
	})
}

// What is being stored at the end is waited for, and stored whoever asked gives up.
func TestEndWhileStoring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part, err := samba.New(transport.Env{}, *samba.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		stored, ended := false, make(chan struct{})
		go func() {
			defer close(ended)
			_ = part.Receive(ctx, func(ctx context.Context, _ messngr.Inbound) (messngr.Results, error) {
				time.Sleep(time.Second)
				stored = ctx.Err() == nil
				return nil, nil
			})
		}()
		synctest.Wait()
		asker, giveUp := context.WithCancel(context.Background())
		go func() { _ = part.Inject(asker, samba.Handover{Key: "k"}) }()
		synctest.Wait()
		giveUp()
		cancel()
		<-ended
		if !stored {
			t.Error("Receive ended before the message was stored")
		}
	})
}

func TestNew(t *testing.T) {
	for _, c := range []samba.Config{{MaxText: 0}, {MaxText: messngr.MaxText + 1}, {MaxText: 1, User: "no body"}} {
		if _, err := samba.New(transport.Env{}, c); err == nil {
			t.Errorf("configuration %+v was taken", c)
		}
	}
	k := samba.Kind()
	if part, err := k.New(transport.Env{}, k.Config()); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	} else if _, ok := part.(messngr.Receiver); !ok {
		t.Errorf("%T receives nothing", part)
	}
	if _, err := k.New(transport.Env{}, 1); err == nil {
		t.Error("the configuration of something else was taken")
	}
}
