package remote

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"messngr/carrier/binding"
	"messngr/wire/dcerpc"
	"messngr/wire/msgnames"
)

// machine is another machine, behind its pipe.
type machine struct {
	t   *testing.T
	run func(op uint16, q msgnames.Request) (msgnames.Answer, error)
}

func (m *machine) Write(context.Context, []byte) error  { return errors.New("too long for these calls") }
func (m *machine) Read(context.Context) ([]byte, error) { return nil, errors.New("there is no more") }
func (m *machine) Transceive(_ context.Context, b []byte) ([]byte, error) {
	p, _, err := dcerpc.ParsePDU(b)
	if err != nil {
		m.t.Fatal(err)
	}
	answer := dcerpc.PDU{Type: dcerpc.TypeBindAck, First: true, Last: true, Call: p.Call}
	if p.Type == dcerpc.TypeBind {
		ack := dcerpc.BindAck{MaxSend: 4280, MaxReceive: 4280, Results: []dcerpc.Result{{Transfer: dcerpc.NDR()}}}
		answer.Body, err = ack.Append(nil, false)
	} else {
		answer.Type, answer.Body = m.answer(&p)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return answer.Append(nil)
}

func (m *machine) answer(p *dcerpc.PDU) (dcerpc.PacketType, []byte) {
	r, err := p.Request()
	if err != nil {
		m.t.Fatal(err)
	}
	q, err := msgnames.ParseRequest(r.Op, r.Stub, false)
	if err != nil || q.Server != "beta" {
		m.t.Fatalf("%+v, %v", q, err)
	}
	a, err := m.run(r.Op, q)
	var failed *dcerpc.StatusError
	if errors.As(err, &failed) {
		return dcerpc.TypeFault, (&dcerpc.FaultBody{Status: failed.Status}).Append(nil, false)
	}
	return dcerpc.TypeResponse, (&dcerpc.ResponseBody{Stub: a.Append(nil, r.Op, false)}).Append(nil, false)
}

// namesOf are the names of a machine that runs procedures in that way.
func namesOf(t *testing.T, run func(op uint16, q msgnames.Request) (msgnames.Answer, error)) *Names {
	t.Helper()
	b, err := binding.Bind(t.Context(), &machine{t: t, run: run}, msgnames.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return &Names{host: "beta", binding: b}
}

// TestList: a list that comes in parts is read to its end.
func TestList(t *testing.T) {
	all := []string{"BETA", "ALICE", "BACKUP", "HELPDESK", "X"}
	for size := 1; size <= 5; size++ {
		n := namesOf(t, func(_ uint16, q msgnames.Request) (msgnames.Answer, error) {
			end := min(int(q.Resume)+size, len(all))
			a := msgnames.Answer{Names: all[q.Resume:end], Resume: uint32(end), HasResume: true}
			if end < len(all) {
				a.Status = msgnames.BufTooSmall
			}
			return a, nil
		})
		if got, err := n.List(t.Context()); err != nil || !slices.Equal(got, all) {
			t.Errorf("%d at a time: %q, %v", size, got, err)
		}
	}
}

// TestListFails: a list without an end has one here.
func TestListFails(t *testing.T) {
	for name, a := range map[string]msgnames.Answer{
		"more, and none":            {Status: msgnames.BufTooSmall, Resume: 1, HasResume: true},
		"more, and always the same": {Status: msgnames.BufTooSmall, Names: []string{"X"}},
		"refused":                   {Status: msgnames.AccessDenied},
	} {
		n := namesOf(t, func(uint16, msgnames.Request) (msgnames.Answer, error) { return a, nil })
		if got, err := n.List(t.Context()); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	calls := uint32(0)
	n := namesOf(t, func(uint16, msgnames.Request) (msgnames.Answer, error) {
		calls++
		return msgnames.Answer{Status: msgnames.BufTooSmall, Names: []string{"X"}, Resume: calls, HasResume: true}, nil
	})
	if got, err := n.List(t.Context()); err == nil || calls != maxParts {
		t.Errorf("no end: %q after %d calls", got, calls)
	}
}

func TestChange(t *testing.T) {
	for status, hint := range map[msgnames.Status]bool{
		msgnames.Success: false, msgnames.AlreadyExists: false, msgnames.AccessDenied: true,
	} {
		var did []string
		n := namesOf(t, func(op uint16, q msgnames.Request) (msgnames.Answer, error) {
			did = append(did, fmt.Sprint(op, q.Name))
			return msgnames.Answer{Status: status}, nil
		})
		for _, change := range []func(context.Context, string) error{n.Add, n.Remove} {
			err := change(t.Context(), "backup")
			var e *Error
			if (err == nil) != (status == msgnames.Success) ||
				err != nil && (!errors.As(err, &e) || e.Number != int(status) || (e.Hint != "") != hint || e.Host != "beta") {
				t.Errorf("%v: %#v", status, err)
			}
		}
		if want := []string{"0backup", "3backup"}; !slices.Equal(did, want) {
			t.Errorf("did %q, want %q", did, want)
		}
	}
}

func TestConnectFails(t *testing.T) {
	for name, m := range map[string]Machine{
		"no address": {Host: "beta"},
		"nobody":     {Host: "beta", Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:1")}},
	} {
		_, err := Connect(t.Context(), m, Credentials{})
		var e *Error
		if !errors.As(err, &e) || e.Number != 53 || e.Hint == "" {
			t.Errorf("%s: %#v", name, err)
		}
	}
}
