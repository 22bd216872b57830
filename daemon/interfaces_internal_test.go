package daemon

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"messngr/carrier/nbt"
)

func TestPick(t *testing.T) {
	var all []nbt.Interface
	for name, prefix := range map[string]string{
		"lo": "127.0.0.1/8", "eth0": "10.0.0.17/24", "eth1": "192.0.2.17/24", "br-lan": "192.168.1.1/24", "virbr0": "192.168.122.1/24",
		"docker0": "172.17.0.1/16", "br-0123456789ab": "172.18.0.1/16", "podman1": "10.89.0.1/24", "cni0": "10.244.0.1/24",
	} {
		all = append(all, nbt.Interface{Name: name, Prefix: netip.MustParsePrefix(prefix)})
	}
	for names, want := range map[string]string{
		"":             "lo",
		"lan":          "br-lan eth0 virbr0",
		"lan,eth1":     "br-lan eth0 eth1 virbr0",
		"docker0":      "docker0",
		"lan,docker0":  "br-lan docker0 eth0 virbr0",
		"eth0":         "eth0",
		"wlan0":        "-",
		"eth0,unknown": "-",
	} {
		var asked []string
		if names != "" {
			asked = strings.Split(names, ",")
		}
		chosen, available, err := pick(asked, all)
		if want == "-" {
			if !errors.Is(err, errNoInterface) {
				t.Errorf("%q: %v, want %v", names, err, errNoInterface)
			}
			continue
		}
		chosenNames := make(map[string]bool)
		for _, i := range chosen {
			chosenNames[i.Name] = true
		}
		for _, name := range strings.Fields(want) {
			if !chosenNames[name] {
				t.Errorf("%q: %s is not chosen", names, name)
			}
		}
		if err != nil || len(chosen) != len(strings.Fields(want)) {
			t.Errorf("%q: %s, %v; want %s", names, listOf(chosen), err, want)
		}
		if rest := len(all) - 1 - len(available); names != "" && rest != len(chosen) {
			t.Errorf("%q: could be chosen besides: %s", names, listOf(available))
		}
	}
}
