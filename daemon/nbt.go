package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"messngr/carrier"
	"messngr/carrier/nbt"
	"messngr/wire/nbns"
)

// nbtConfig is the section [nbt]: NetBIOS over TCP/IP.
type nbtConfig struct {
	Enabled    bool   `toml:"enabled" comment:"NetBIOS over TCP/IP: UDP 137 and 138, TCP 139"`
	NodeType   string `toml:"node_type" comment:"how names are claimed and found: b (broadcast), p (name server), m, h; empty: h with a name server, else b"`
	Scope      string `toml:"scope" comment:"scope identifier; machines of other scopes are not heard; nearly always empty"`
	ShowUsers  bool   `toml:"show_users" comment:"tell whoever asks (nbtstat -A) which people are logged on"`
	LMHosts    string `toml:"lmhosts" comment:"path of an LMHOSTS file, which is asked last; empty: none"`
	FileServer bool   `toml:"file_server" comment:"have others find this machine as a file server too: for a Samba with smb ports = 445 and without nmbd"`
	Direct     bool   `toml:"direct" comment:"take messages on TCP 445 too, where no file server has it"`
}

func nbtDefaults() nbtConfig { return nbtConfig{Enabled: true, Direct: true} }

// buildCarriers makes the NetBIOS networks.
func (d *daemon) buildCarriers() error {
	if !d.s.nbt.Enabled {
		return nil
	}
	node, err := nodeType(d.s.nbt.NodeType, d.s.wins)
	if err != nil {
		return err
	}
	d.node = node
	chosen, _ := d.interfaces()
	ports, err := nbt.StandardPorts(uint16(d.s.PortOffset))
	if err != nil {
		return err
	}
	if !d.s.nbt.Direct {
		ports.Direct = 0
	}
	cfg := nbt.Config{
		Interfaces: chosen, Ports: ports, NodeType: node, WINS: d.s.wins, Scope: d.s.nbt.Scope,
		HideUsers: !d.s.nbt.ShowUsers, LMHosts: d.s.nbt.LMHosts, Allow: d.policy.Allowed(),
		Log: d.log.With("carrier", "nbt"),
	}
	if d.wins != nil {
		cfg.Server = d.wins
	}
	if d.buildSamba(); d.samba != nil {
		cfg.Neighbour = d.samba
	}
	c, err := nbt.New(cfg)
	if err != nil {
		return err
	}
	d.nbt, d.carriers = c, []carrier.NetBIOS{c}
	return nil
}

// followInterfaces keeps the carrier and the policy to the interfaces as they
// come, go and change their addresses, until ctx ends.
func (d *daemon) followInterfaces(ctx context.Context) error {
	if d.nbt == nil {
		return nil
	}
	return d.nbt.Follow(ctx, func() ([]nbt.Interface, error) {
		if err := d.choose(); err != nil && !errors.Is(err, errNoInterface) {
			return nil, err
		}
		chosen, _ := d.interfaces()
		if d.rpc != nil {
			d.rpc.SetAddresses(addresses(chosen))
		}
		return chosen, nil
	})
}

// nodeType reads the node type of the configuration; "" leaves it to whether
// there is a name server (MS-NBTE 3.1.3).
func nodeType(word string, wins []netip.Addr) (nbns.NodeType, error) {
	switch strings.ToLower(word) {
	case "":
		return nbt.DefaultNodeType(wins), nil
	case "b":
		return nbns.BNode, nil
	case "p":
		return nbns.PNode, nil
	case "m":
		return nbns.MNode, nil
	case "h":
		return nbns.HNode, nil
	}
	return 0, fmt.Errorf("[nbt] node_type %q: want b, p, m or h", word)
}

// unprivilegedOffset is what is added to every port when the real ones cannot
// be had and nobody has chosen an offset.
const unprivilegedOffset = 10000

// adjustPorts moves all ports up if this process may not open the real ones.
func (d *daemon) adjustPorts() {
	chosen, _ := d.interfaces()
	if d.s.PortOffset != 0 || !d.s.nbt.Enabled || len(chosen) == 0 {
		return
	}
	l, err := net.Listen("tcp4", net.JoinHostPort(chosen[0].Addr().String(), strconv.Itoa(139)))
	if err == nil {
		_ = l.Close()
	}
	if errors.Is(err, syscall.EACCES) {
		d.s.PortOffset, d.moved = unprivilegedOffset, true
	}
}
