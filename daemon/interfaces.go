package daemon

import (
	"fmt"
	"slices"
	"strings"

	"messngr/carrier/nbt"
	"messngr/control"
)

// lan chooses every interface that has a private address.
const lan = "lan"

// choose returns the interfaces that the names mean, and those that could be
// chosen besides. No names mean loopback.
func choose(names []string) (chosen, available []nbt.Interface, err error) {
	all, err := nbt.Interfaces()
	if err != nil {
		return nil, nil, err
	}
	for _, i := range all {
		switch {
		case slices.Contains(names, i.Name),
			slices.Contains(names, lan) && !i.Loopback() && i.Addr().IsPrivate(),
			len(names) == 0 && i.Loopback():
			chosen = append(chosen, i)
		case !i.Loopback():
			available = append(available, i)
		}
	}
	for _, name := range names {
		if name != lan && !slices.ContainsFunc(all, func(i nbt.Interface) bool { return i.Name == name }) {
			return nil, nil, fmt.Errorf("interface %q has no IPv4 address or is not up; there are: %s", name, listOf(all))
		}
	}
	if len(chosen) == 0 && slices.Contains(names, lan) {
		return nil, nil, fmt.Errorf("no interface has a private address; there are: %s", listOf(all))
	}
	return chosen, available, nil
}

func listOf(list []nbt.Interface) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = fmt.Sprintf("%s (%s)", n.Name, n.Prefix)
	}
	return strings.Join(words, ", ")
}

func describe(list []nbt.Interface) []control.Interface {
	out := make([]control.Interface, len(list))
	for i, n := range list {
		out[i] = control.Interface{Name: n.Name, Prefix: n.Prefix.String()}
	}
	return out
}
