//go:build linux

package interop_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"messngr/interop/labtest"
	"messngr/wire/dcerpc"
)

// What goes over UDP 135 is what others know as a Messenger's call and its callback: tshark says so of every packet of both
// sides, and finds no fault with any.
func TestDecodedRPC(t *testing.T) {
	t.Parallel()
	ctx := labtest.Context(t, 2*time.Minute)
	hosts := lan(t, "alpha", "beta")
	alpha, _ := serve(ctx, t, hosts[0], "")
	beta, _ := serve(ctx, t, hosts[1], "")
	heard := watch(ctx, t, hosts[0])
	watch(ctx, t, hosts[1])
	texts := []string{"by RPC", numbered(9600)}
	for _, text := range texts {
		if out, code, err := alpha.Send(ctx, text, "--via", "rpc", "BETA"); err != nil || code != 0 {
			t.Fatalf("%+v, code %d, %v", out, code, err)
		}
	}
	if out, code, err := alpha.Send(ctx, "to nobody", "--via", "rpc", "--at", hosts[1].Addr().String(), "NOBODY"); err != nil || code == 0 {
		t.Errorf("to nobody: %+v, code %d, %v", out, code, err)
	}
	all, err := beta.Received(ctx, len(texts))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if all[i].Text != text || all[i].Via != "rpc" {
			t.Errorf("message %d arrived as %s by %s", i, first(all[i].Text), all[i].Via)
		}
	}
	time.Sleep(4 * time.Second) // the client acknowledges the last answer after a while
	if err := heard.Stop(); err != nil {
		t.Fatal(err)
	}
	rows, err := heard.Frames(ctx, "udp.port == 135", "ip.src", "frame.protocols", "_ws.col.Protocol", "_ws.col.Info", "dcerpc.pkt_type", "messenger.message")
	if err != nil {
		t.Fatal(err)
	}
	types, shown := make(map[string]bool), make(map[string]bool)
	for _, r := range rows {
		types[r[4]], shown[r[5]] = true, true
		if !strings.HasSuffix(r[1], ":udp:dcerpc") {
			t.Errorf("tshark takes a packet of %s for %s: %q", r[0], r[1], r[2:])
		}
	}
	client, server := hosts[0].Addr().String(), hosts[1].Addr().String()
	for _, want := range []struct{ src, protocol, info string }{
		{client, "Messenger", "NetrSendMessage request"},
		{server, "Messenger", "NetrSendMessage response"},
		{server, "CONV", "conv_who_are_you2 request"},
		{client, "CONV", "conv_who_are_you2 response"},
	} {
		if !slices.ContainsFunc(rows, func(r []string) bool {
			return r[0] == want.src && r[2] == want.protocol && strings.Contains(r[3], want.info)
		}) {
			t.Errorf("%s: no %s %q in %q", want.src, want.protocol, want.info, rows)
		}
	}
	for _, kind := range []dcerpc.PacketType{dcerpc.TypeRequest, dcerpc.TypeResponse, dcerpc.TypeFack, dcerpc.TypeAck} {
		if !types[fmt.Sprint(uint8(kind))] {
			t.Errorf("no %v among %d packets", kind, len(rows))
		}
	}
	for _, text := range texts {
		if !shown[text] {
			t.Errorf("tshark does not show the text %s", first(text))
		}
	}
}
