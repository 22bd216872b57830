package nameservice

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/nbns"
)

// TestWait: while a server asks us to wait we send nothing more (RFC 1002 4.2.16).
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		w.odd = func(p nbns.Packet, from netip.AddrPort) ([]nbns.Packet, bool) {
			if p.Kind != nbns.Registration {
				return nil, false
			}
			time.AfterFunc(20*time.Second, func() {
				b, _ := nbns.Packet{ID: p.ID, Kind: nbns.RegistrationResponse, Name: p.Name, TTL: time.Hour, Addresses: p.Addresses}.Append(nil)
				w.sock.WriteToUDPAddrPort(b, from)
			})
			return []nbns.Packet{{ID: p.ID, Kind: nbns.Wait, Name: p.Name, TTL: 60 * time.Second, Waiting: p.Kind}}, true
		}
		cfg := servedBy("10.0.0.5")
		cfg.NodeType = nbns.PNode
		h := l.start(t, cfg, "10.0.0.1/24")
		start := time.Now()
		mustClaim(t, h.Service, pc17)
		if took := time.Since(start); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("claim took %v, want 20 s", took)
		}
		w.wantRequests("registration PC17<03> 10.0.0.1")
	})
}

// TestWaitForEver: a server that asks us to wait again and again is one that does not answer.
func TestWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		w.odd = func(p nbns.Packet, from netip.AddrPort) ([]nbns.Packet, bool) {
			b, err := nbns.Packet{ID: p.ID, Kind: nbns.Wait, Name: p.Name, TTL: time.Minute, Waiting: p.Kind}.Append(nil)
			if err != nil {
				t.Error(err)
			}
			for i := range 60 {
				time.AfterFunc(time.Duration(i)*50*time.Second, func() { w.sock.WriteToUDPAddrPort(b, from) })
			}
			return nil, true
		}
		second := newWINS(t, l, "10.0.0.6")
		cfg := servedBy("10.0.0.5", "10.0.0.6")
		cfg.NodeType = nbns.PNode
		h := l.start(t, cfg, "10.0.0.1/24")
		start := time.Now()
		mustClaim(t, h.Service, pc17)
		if took := time.Since(start); took > maxWait+3*serverRetry.wait {
			t.Errorf("claim took %v, want at most %v", took, maxWait+3*serverRetry.wait)
		}
		second.wantRequests("registration PC17<03> 10.0.0.1")
	})
}

// TestRedirectIsIgnored: the answer comes from the server that was asked, or not at all.
func TestRedirectIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		w.records[alice] = []nbns.Address{{Addr: addr("10.0.7.7")}}
		redirects := 0
		w.odd = func(p nbns.Packet, from netip.AddrPort) ([]nbns.Packet, bool) {
			if redirects++; redirects > 1 {
				return nil, false
			}
			b, err := nbns.Packet{ID: p.ID, Kind: nbns.QueryResponse, Name: p.Name}.Append(nil)
			if err != nil {
				t.Error(err)
			}
			b[7], b[9] = 0, 1 // no answer, one authority
			b[47] = 2         // of type NS
			w.sock.WriteToUDPAddrPort(b, from)
			return nil, true
		}
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
		got, err := h.Resolve(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]netip.Addr{addr("10.0.7.7")}, got, compareAddr); diff != "" {
			t.Errorf("Resolve (-want +got):\n%s", diff)
		}
		if redirects != 2 {
			t.Errorf("asked %d times, want 2", redirects)
		}
	})
}

// TestForeignAnswers: what did not come from the server that was asked is no answer.
func TestForeignAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		liar, err := l.Listen(netip.MustParseAddrPort("10.0.0.66:137"))
		if err != nil {
			t.Fatal(err)
		}
		defer liar.Close()
		w.odd = func(p nbns.Packet, from netip.AddrPort) ([]nbns.Packet, bool) {
			b, err := nbns.Packet{ID: p.ID, Kind: nbns.QueryResponse, Name: p.Name, Addresses: []nbns.Address{{Addr: addr("10.0.0.66")}}}.Append(nil)
			if err != nil {
				t.Error(err)
			}
			liar.WriteToUDPAddrPort(b, from)
			return nil, true
		}
		cfg := servedBy("10.0.0.5")
		cfg.NodeType = nbns.PNode
		h := l.start(t, cfg, "10.0.0.1/24")
		if got, err := h.Resolve(t.Context(), alice); err == nil {
			t.Errorf("Resolve = %v, want no answer", got)
		}
	})
}
