package smbmessage_test

import (
	"encoding/binary"
	"testing"

	"messngr/wire/smb"
)

// frames reads a sequence of requests, each behind its length of two bytes.
func frames(b []byte) [][]byte {
	var all [][]byte
	for len(b) >= 2 {
		n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
		all = append(all, b[2:2+n])
		b = b[2+n:]
	}
	return all
}

func appendFrames(b []byte, frames ...[]byte) []byte {
	for _, f := range frames {
		b = binary.BigEndian.AppendUint16(b, uint16(len(f)))
		b = append(b, f...)
	}
	return b
}

// FuzzConversation lets a peer say anything. Each message that is answered with success
// has been handed over, exactly once, and nothing else has.
func FuzzConversation(f *testing.F) {
	for _, file := range []string{"smbclient-short.hex", "smbclient-umlaut_euro.hex", "smbclient-multi_lf.hex"} {
		f.Add(appendFrames(nil, recorded(f, file)...))
	}
	f.Add(appendFrames(nil, single("ALICE", "BETA", "hi"), single("", "", ""), start("A", "B"), block("x"), blockOf(1, "y"), endOf(1), end()))
	f.Add(appendFrames(nil, raw(smb.Negotiate, "", "\x02NT LM 0.12\x00"), raw(smb.SendBroadcast, "", "\x04A\x00\x01\x01\x00x")))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := receive(t, nil)
		p := r.call()
		taken := 0
		for _, request := range frames(b) {
			if p.session.Write(request) != nil {
				break
			}
			reply, err := p.session.Read()
			if err != nil {
				break
			}
			answer, err := smb.Parse(reply)
			if err != nil || answer.Header.Flags&smb.Reply == 0 || byte(answer.Header.Command) != request[4] {
				t.Fatalf("answer %x (%v) to %x", reply, err, request)
			}
			switch answer.Header.Command {
			case smb.SendSingle, smb.SendBroadcast, smb.SendEnd:
				if answer.Header.Status == 0 {
					taken++
				}
			}
		}
		p.session.Close()
		r.stopped()
		if got := len(r.inbox()); got != taken {
			t.Errorf("%d messages were handed over, %d answered: %q", got, taken, r.texts())
		}
	})
}
