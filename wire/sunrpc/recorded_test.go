package sunrpc_test

import (
	"bytes"
	"net/netip"
	"testing"

	"messngr/wire/sunrpc"
	"messngr/wire/wiretest"
)

// recording returns the four messages of one recorded wall: question and answer about the
// port, call and reply.
func recording(t testing.TB, file string) [][]byte {
	t.Helper()
	var messages [][]byte
	for _, p := range wiretest.Packets(t, file) {
		messages = append(messages, p.Payload)
	}
	if len(messages) != 4 {
		t.Fatalf("%s has %d messages, want 4", file, len(messages))
	}
	return messages
}

// TestRecorded reads what Debian's rwall, rpcbind and rwalld said, and says the same.
func TestRecorded(t *testing.T) {
	for file, want := range map[string]struct {
		port netip.AddrPort
		text string
	}{
		"rwall.pcap": {
			netip.MustParseAddrPort("10.77.0.2:61532"),
			"Remote Broadcast Message from root@vm\n        ((null)) at 19:35 ...\n\nHello from rwall\nline two\nmes:x:5:6!",
		},
		"rwall-2.pcap": {
			netip.MustParseAddrPort("10.77.0.2:64986"),
			"Remote Broadcast Message from root@vm\n        ((null)) at 19:53 ...\n\nRWALL over the wire Grüße\ns:x:5:6!",
		},
	} {
		t.Run(file, func(t *testing.T) {
			messages := recording(t, file)
			ask := call(t, messages[0])
			if ask.Program != sunrpc.BindProgram || ask.Version != sunrpc.BindVersion4 || ask.Procedure != sunrpc.LookupProcedure {
				t.Errorf("first call is %+v, want GETADDR", ask)
			}
			binding, err := sunrpc.ParseBinding(ask.Args)
			if err != nil {
				t.Fatal(err)
			}
			if want := (sunrpc.Binding{
				Program: sunrpc.WallProgram, Version: sunrpc.WallVersion, Network: "udp", Address: "10.77.0.2.0.111", Owner: "libtirpc",
			}); binding != want {
				t.Errorf("asked for %+v, want %+v", binding, want)
			}
			if got := binding.Append(nil); !bytes.Equal(got, ask.Args) {
				t.Errorf("binding is written as %x, want %x", got, ask.Args)
			}
			answer := reply(t, messages[1], ask.XID)
			addr, err := sunrpc.ParseString(answer.Results, sunrpc.MaxAddress)
			if err != nil {
				t.Fatal(err)
			}
			at, err := sunrpc.ParseAddress(string(addr))
			if err != nil || at != want.port || sunrpc.FormatAddress(at) != string(addr) {
				t.Errorf("rwalld is at %v (%q), %v, want %v", at, addr, err, want.port)
			}
			wall := call(t, messages[2])
			if wall.Program != sunrpc.WallProgram || wall.Version != sunrpc.WallVersion || wall.Procedure != sunrpc.WallProcedure {
				t.Errorf("second call is %+v, want the wall", wall)
			}
			text, err := sunrpc.ParseString(wall.Args, 1024)
			if err != nil || string(text) != want.text {
				t.Errorf("text %q, %v, want %q", text, err, want.text)
			}
			if got := sunrpc.AppendString(nil, text); !bytes.Equal(got, wall.Args) {
				t.Errorf("text is written as %x, want %x", got, wall.Args)
			}
			reply(t, messages[3], wall.XID)
		})
	}
}

func call(t *testing.T, b []byte) sunrpc.Call {
	t.Helper()
	c, err := sunrpc.ParseCall(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Append(nil); err != nil || !bytes.Equal(got, b) {
		t.Errorf("call is written as %x, %v, want %x", got, err, b)
	}
	return c
}

func reply(t *testing.T, b []byte, xid uint32) sunrpc.Reply {
	t.Helper()
	r, err := sunrpc.ParseReply(b)
	if err != nil {
		t.Fatal(err)
	}
	if r.XID != xid || r.Status != sunrpc.Success {
		t.Errorf("reply %+v, want success for %#x", r, xid)
	}
	if got, err := r.Append(nil); err != nil || !bytes.Equal(got, b) {
		t.Errorf("reply is written as %x, %v, want %x", got, err, b)
	}
	return r
}
