package nbns_test

import (
	"testing"
	"time"

	"messngr/wire/nbns"
	"messngr/wire/wiretest"
)

func TestAppendRefuses(t *testing.T) {
	good := owner("10.77.0.1", false, nbns.BNode)
	tests := []struct {
		name   string
		packet nbns.Packet
	}{
		{"no kind", nbns.Packet{Name: clia}},
		{"redirect", nbns.Packet{Kind: nbns.Redirect, Name: clia}},
		{"scope with an empty label in a request", nbns.Packet{Kind: nbns.Query, Name: clia, Scope: "A..B"}},
		{"scope with an empty label in a response", nbns.Packet{Kind: nbns.QueryResponse, Name: clia, Scope: "."}},
		{"negative TTL", nbns.Packet{Kind: nbns.Registration, Name: clia, TTL: -time.Second, Addresses: good}},
		{"TTL beyond 32 bits", nbns.Packet{Kind: nbns.Registration, Name: clia, TTL: 1 << 32 * time.Second, Addresses: good}},
		{"IPv6 address", nbns.Packet{Kind: nbns.Registration, Name: clia, Addresses: owner("fe80::1", false, nbns.BNode)}},
		{"zero address", nbns.Packet{Kind: nbns.Registration, Name: clia, Addresses: []nbns.Address{{}}}},
		{"too many addresses", nbns.Packet{Kind: nbns.QueryResponse, Name: clia, Addresses: repeat(good[0], 10923)}},
		{"too many names", nbns.Packet{Kind: nbns.StatusResponse, Name: clia, Status: &nbns.Status{Names: make([]nbns.StatusName, 256)}}},
		{"status response without status", nbns.Packet{Kind: nbns.StatusResponse, Name: clia}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.packet.Append([]byte("before"))
			if err == nil {
				t.Error("Append succeeded")
			}
			if string(got) != "before" {
				t.Errorf("Append = %q, want its argument unchanged", got)
			}
		})
	}
}

func repeat(a nbns.Address, n int) []nbns.Address {
	list := make([]nbns.Address, n)
	for i := range list {
		list[i] = a
	}
	return list
}

// TestAnsweringAllocatesNothing keeps the path of a query through this package free
// of garbage: a name server answers tens of thousands a second.
func TestAnsweringAllocatesNothing(t *testing.T) {
	query := wiretest.Unhex(t, "1003 0110 0001 0000 0000 0000"+cliaHex+"0020 0001")
	own := owner("10.77.0.1", false, nbns.BNode)
	answer := make([]byte, 0, nbns.MaxDatagram)
	allocs := testing.AllocsPerRun(100, func() {
		q, err := nbns.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		p := nbns.Packet{ID: q.ID, Kind: nbns.QueryResponse, Name: q.Name, Scope: q.Scope, Addresses: own}
		if answer, err = p.Append(answer[:0]); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}

func BenchmarkAnswer(b *testing.B) {
	query := wiretest.Unhex(b, "1003 0110 0001 0000 0000 0000"+cliaHex+"0020 0001")
	own := owner("10.77.0.1", false, nbns.BNode)
	answer := make([]byte, 0, nbns.MaxDatagram)
	b.ReportAllocs()
	for b.Loop() {
		q, err := nbns.Parse(query)
		if err != nil {
			b.Fatal(err)
		}
		p := nbns.Packet{ID: q.ID, Kind: nbns.QueryResponse, Name: q.Name, Scope: q.Scope, Addresses: own}
		if answer, err = p.Append(answer[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
