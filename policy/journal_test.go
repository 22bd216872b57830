package policy_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/policy"
)

func TestRefusalsAreCountedBySourceAndReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPolicy(t, policy.Config{
			Block: []string{"name:SPAMMER"}, TakePerSource: policy.Limit{Rate: 0.001, Burst: 1},
		}, &keeper{})
		begin := time.Now()
		off, near := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.0.0.7")
		_, _ = p.Judge(message("ALICE", off.String()))
		_, _ = p.Judge(message("BOB", off.String()))
		_ = p.Permit(off) // knows no name, so the last one stays
		time.Sleep(time.Second)
		_, _ = p.Judge(message("spammer", near.String()))
		time.Sleep(time.Second)
		_, _ = p.Judge(message("CAROL", near.String())) // taken
		_, _ = p.Judge(message("CAROL", near.String()))

		want := []policy.Refusal{
			{Address: near, From: "CAROL", Reason: policy.ReasonRate, Count: 1, Last: begin.Add(2 * time.Second)},
			{Address: near, From: "spammer", Reason: policy.ReasonName, Count: 1, Last: begin.Add(time.Second)},
			{Address: off, From: "BOB", Reason: policy.ReasonOffLink, Count: 3, Last: begin},
		}
		if diff := cmp.Diff(want, p.Refusals(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("Refusals (-want +got):\n%s", diff)
		}
	})
}

func TestTheJournalIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPolicy(t, policy.Config{}, &keeper{})
		addr := netip.MustParseAddr("192.0.2.0")
		busy := addr
		for range 5000 {
			addr = addr.Next()
			_ = p.Permit(addr)
			_ = p.Permit(busy)
			time.Sleep(time.Millisecond)
		}
		list := p.Refusals()
		if len(list) != 256 {
			t.Errorf("%d refusals are remembered, want 256", len(list))
		}
		found := map[netip.Addr]int64{}
		for _, r := range list {
			found[r.Address] = r.Count
		}
		if found[busy] != 5000 {
			t.Errorf("of a source that keeps trying %d refusals are remembered, want 5000", found[busy])
		}
		if found[addr] != 1 {
			t.Error("the last refusal is not remembered")
		}
	})
}
