package daemon

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"messngr/carrier/nbt"
	"messngr/control"
)

// lan chooses every interface that has a private address, but for those on which there
// are only containers of this host.
const lan = "lan"

// errNoInterface says that none of the interfaces that were asked for is there
// just now.
var errNoInterface = errors.New("no such interface")

// choose looks at the interfaces as they are now, and lets the policy know whose
// neighbours we are. It fails with errNoInterface, and chooses none, if one that
// was asked for is not there.
func (d *daemon) choose() error {
	chosen, available, err := choose(d.s.Interfaces)
	if err != nil && !errors.Is(err, errNoInterface) {
		return err
	}
	d.mu.Lock()
	d.chosen, d.available = chosen, available
	d.mu.Unlock()
	if d.policy != nil {
		var subnets []netip.Prefix
		for _, i := range chosen {
			subnets = append(subnets, i.Prefix)
		}
		d.policy.SetAttached(subnets)
	}
	return err
}

// firstChoice is choose at the start. An interface that was named has to be
// there, since it may be misspelt; for "lan" a service that starts before the
// network is up waits until there is one.
func (d *daemon) firstChoice() error {
	err := d.choose()
	if errors.Is(err, errNoInterface) && slices.Equal(d.s.Interfaces, []string{lan}) {
		d.log.Warn("waiting for a network", "err", err)
		return nil
	}
	return err
}

// interfaces returns what choose found last.
func (d *daemon) interfaces() (chosen, available []nbt.Interface) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.chosen, d.available
}

// choose returns the interfaces that the names mean, and those that could be
// chosen besides. No names mean loopback.
func choose(names []string) (chosen, available []nbt.Interface, err error) {
	all, err := nbt.Interfaces()
	if err != nil {
		return nil, nil, err
	}
	return pick(names, all)
}

// pick is choose among these interfaces.
func pick(names []string, all []nbt.Interface) (chosen, available []nbt.Interface, err error) {
	for _, i := range all {
		switch {
		case slices.Contains(names, i.Name),
			slices.Contains(names, lan) && !i.Loopback() && i.Addr().IsPrivate() && !ofContainers(i.Name),
			len(names) == 0 && i.Loopback():
			chosen = append(chosen, i)
		case !i.Loopback():
			available = append(available, i)
		}
	}
	for _, name := range names {
		if name != lan && !slices.ContainsFunc(all, func(i nbt.Interface) bool { return i.Name == name }) {
			return chosen, available, fmt.Errorf("%w: %s has no IPv4 address or is not up; there are: %s", errNoInterface, name, listOf(all))
		}
	}
	if len(chosen) == 0 && slices.Contains(names, lan) {
		return nil, available, fmt.Errorf("%w: none has a private address; there are: %s", errNoInterface, listOf(all))
	}
	return chosen, available, nil
}

// ofContainers reports whether an interface is named as Docker, Podman and Kubernetes name
// their bridges. Behind those nobody waits for messages, and their address, which is the
// same on every host, would lead those astray who learn it from a name server.
func ofContainers(name string) bool {
	if id, ok := strings.CutPrefix(name, "br-"); ok { // a network of Docker's, by its id
		_, err := hex.DecodeString(id)
		return err == nil && len(id) == 12
	}
	return slices.ContainsFunc([]string{"docker", "podman", "cni"}, func(engine string) bool { return strings.HasPrefix(name, engine) })
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
