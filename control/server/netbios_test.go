package server_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/control"
)

func TestNetBIOS(t *testing.T) {
	h := newHouse(t)
	cache := get[control.CachedNameList](h, bob, "GET", "/v1/netbios/cache", "")
	if diff := cmp.Diff(control.CachedNameList{Names: h.carrier.Cache()}, cache); diff != "" {
		t.Errorf("cache (-want +got):\n%s", diff)
	}
	want := control.Adapter{Address: "10.0.0.18", Hardware: "00-50-56-01-02-03", Names: []control.AdapterName{{Name: "PC18", Suffix: 3}}}
	for _, query := range []string{"name=PC18", "address=10.0.0.18", "address=::ffff:10.0.0.18"} {
		if diff := cmp.Diff(want, get[control.Adapter](h, bob, "GET", "/v1/netbios/adapter?"+query, "")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	for query, want := range map[string]string{
		"name=PC99": "unknown_name", "address=10.0.0.99": "unknown_name",
		"": "bad_request", "address=PC18": "bad_request", "address=fe80::1": "bad_request",
	} {
		status := map[string]int{"unknown_name": 422, "bad_request": 400}[want]
		h.want(bob, "GET", "/v1/netbios/adapter?"+query, "", status, want)
	}
}
