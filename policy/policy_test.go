package policy_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"messngr"
	"messngr/policy"
)

// message returns a message of an unverified sender.
func message(from, addr string) *messngr.Message {
	return &messngr.Message{From: messngr.From{Claimed: from, Address: netip.MustParseAddr(addr)}}
}

func TestPermitAndJudgeKnowWhoIsListenedTo(t *testing.T) {
	cfg := policy.Config{
		Allow: []string{"10.1.0.0/16", "2001:db8::/32", "0.0.0.0/32", "255.255.255.255"},
		Block: []string{"10.0.0.66", "10.1.6.0/24", "name:spammer"},
	}
	tests := []struct {
		name, from, addr string
		want             error
		reason           string
	}{
		{"attached subnet", "ALICE", "10.0.0.7", nil, ""},
		{"IPv4 inside of IPv6", "ALICE", "::ffff:10.0.0.7", nil, ""},
		{"off link", "ALICE", "192.0.2.1", messngr.ErrRefused, policy.ReasonOffLink},
		{"off link inside of IPv6", "ALICE", "::ffff:192.0.2.1", messngr.ErrRefused, policy.ReasonOffLink},
		{"allowed", "ALICE", "10.1.2.3", nil, ""},
		{"allowed IPv6", "ALICE", "2001:db8::1", nil, ""},
		{"with a zone", "ALICE", "2001:db8::1%eth0", nil, ""},
		{"blocked in an attached subnet", "ALICE", "10.0.0.66", messngr.ErrRefused, policy.ReasonBlocked},
		{"blocked inside of IPv6", "ALICE", "::ffff:10.0.0.66", messngr.ErrRefused, policy.ReasonBlocked},
		{"blocked in an allowed prefix", "ALICE", "10.1.6.1", messngr.ErrRefused, policy.ReasonBlocked},
		{"no address of a host", "ALICE", "0.0.0.0", messngr.ErrRefused, policy.ReasonOffLink},
		{"multicast", "ALICE", "224.0.0.1", messngr.ErrRefused, policy.ReasonOffLink},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPolicy(t, cfg, &keeper{})
			addr := netip.MustParseAddr(tt.addr)
			if err := p.Permit(addr); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("Permit = %v, want %v", err, tt.want)
			}
			_, err := p.Judge(message(tt.from, tt.addr))
			if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("Judge = %v, want %v because of %q", err, tt.want, tt.reason)
			}
			for _, r := range p.Refusals() {
				if r.Reason != tt.reason || r.Count != 2 || r.Address != addr.Unmap() || r.From != tt.from {
					t.Errorf("the journal says %+v, want both refusals of %s as one", r, tt.addr)
				}
			}
		})
	}
}

func TestPermitOfNoAddress(t *testing.T) {
	p := newPolicy(t, policy.Config{Allow: []string{"0.0.0.0/0", "::/0"}}, &keeper{})
	if err := p.Permit(netip.Addr{}); !errors.Is(err, messngr.ErrRefused) {
		t.Errorf("Permit of no address = %v, want ErrRefused", err)
	}
}

func TestJudgeBlocksNames(t *testing.T) {
	p := newPolicy(t, policy.Config{Block: []string{"name:Müller"}}, &keeper{})
	if _, err := p.Judge(message("müller ", "10.0.0.7")); !errors.Is(err, messngr.ErrRefused) {
		t.Errorf("Judge = %v, want ErrRefused", err)
	}
	if _, err := p.Judge(message("MUELLER", "10.0.0.7")); err != nil {
		t.Errorf("another name is refused: %v", err)
	}
}

func TestJudgeWarnsOfReservedNames(t *testing.T) {
	p := newPolicy(t, policy.Defaults(), &keeper{})
	p.Reserve("PC17")
	tests := []struct {
		from string
		at   messngr.Trust
		want bool
	}{
		{"ADMINISTRATOR", messngr.Unverified, true},
		{" system ", messngr.Unverified, true},
		{"pc17", messngr.Unverified, true},
		{"ADMIN", messngr.FirstContact, true}, // a key proves no name by itself
		{"ADMIN", messngr.Vouched, false},
		{"ALICE", messngr.Unverified, false},
	}
	for _, tt := range tests {
		m := message(tt.from, "10.0.0.7")
		m.From.Trust = tt.at
		j, err := p.Judge(m)
		if err != nil || (j.Warning != "") != tt.want {
			t.Errorf("Judge(%q, %s) = %+v, %v; want a warning: %v", tt.from, tt.at, j, err, tt.want)
		}
		if got := p.Reserved(tt.from); got != (tt.from != "ALICE") {
			t.Errorf("Reserved(%q) = %v", tt.from, got)
		}
	}
}

func TestJudgeNeverRefusesThisHostItself(t *testing.T) {
	cfg := policy.Config{Block: []string{"0.0.0.0/0", "name:ROOT"}, TakeInAll: policy.Limit{Rate: 1, Burst: 1}}
	p := newPolicy(t, cfg, &keeper{})
	for range 3 {
		j, err := p.Judge(&messngr.Message{From: messngr.From{Claimed: "root", Trust: messngr.Vouched}})
		if err != nil || j != (policy.Judgement{}) {
			t.Fatalf("Judge = %+v, %v; want nothing at all", j, err)
		}
	}
}

// What another program of this host hands over has no address, and is judged by its name
// and its number.
func TestJudgeOfNoAddress(t *testing.T) {
	cfg := policy.Config{Block: []string{"0.0.0.0/0", "name:SPAMMER"}, Reserved: []string{"ROOT"}, TakePerSource: policy.Limit{Rate: 1, Burst: 2}}
	p := newPolicy(t, cfg, &keeper{})
	judge := func(name string) (policy.Judgement, error) {
		return p.Judge(&messngr.Message{From: messngr.From{Claimed: name}})
	}
	if _, err := judge("spammer"); !errors.Is(err, messngr.ErrRefused) {
		t.Errorf("Judge of a blocked name = %v, want ErrRefused", err)
	}
	if j, err := judge("root"); err != nil || j.Warning == "" {
		t.Errorf("Judge of a reserved name = %+v, %v, want a warning", j, err)
	}
	if j, err := judge("alice"); err != nil || j.Warning != "" {
		t.Errorf("Judge = %+v, %v, want nothing to say", j, err)
	}
	if _, err := judge("alice"); !errors.Is(err, messngr.ErrBusy) {
		t.Errorf("Judge of one too many = %v, want ErrBusy", err)
	}
}

func TestNewRefusesWhatCannotBeMeant(t *testing.T) {
	for want, cfg := range map[string]policy.Config{
		`[policy] allow: not a rule: "PC17"`: {Allow: []string{"PC17"}},
		`[policy] block: not a rule: "x/8"`:  {Block: []string{"10.0.0.1", "x/8"}},
		"take_per_source: a burst of 0":      {TakePerSource: policy.Limit{Rate: 5}},
		"pop_up_in_all: a burst of -1":       {PopUpInAll: policy.Limit{Rate: 5, Burst: -1}},
		"take_in_all: rate NaN":              {TakeInAll: policy.Limit{Rate: nan(), Burst: 1}},
	} {
		if _, err := policy.New(t.Context(), cfg, &keeper{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want an error with %q", err, want)
		}
	}
	if _, err := policy.New(t.Context(), policy.Defaults(), &keeper{}); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}

// Both stand on the path of every message.
func TestJudgeAndPermitAllocateLittle(t *testing.T) {
	p := newPolicy(t, policy.Config{}, &keeper{})
	m := message("ALICE", "10.0.0.7")
	if n := testing.AllocsPerRun(1000, func() {
		_ = p.Permit(m.From.Address)
		_, _ = p.Judge(m)
	}); n > 0 {
		t.Errorf("%v allocations for each message", n)
	}
}

func TestRefusedIsAmongTheRefusals(t *testing.T) {
	p := newPolicy(t, policy.Config{}, &keeper{})
	p.Refused(netip.MustParseAddr("::ffff:10.0.0.7"), "no proof")
	list := p.Refusals()
	if len(list) != 1 || list[0].Address.String() != "10.0.0.7" || list[0].Reason != "no proof" || list[0].Count != 1 {
		t.Errorf("got refusals %+v", list)
	}
}
