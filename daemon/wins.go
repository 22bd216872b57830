package daemon

import (
	"context"
	"errors"
	"net/netip"

	"messngr/carrier/wins"
)

// winsConfig is the section [wins]: the name servers that this host asks, and the one that
// it can be.
type winsConfig struct {
	Servers []string `toml:"servers" comment:"addresses of the name servers (WINS) that this machine uses, the preferred one first"`
	wins.Config
}

// buildWINS makes this host the name server of its site, if that is wanted. It is its own
// first client then, unless it was told of other name servers.
func (d *daemon) buildWINS(ctx context.Context) error {
	if !d.s.nameServer.Serve {
		return nil
	}
	if !d.s.nbt.Enabled {
		return errors.New("[wins] serve needs [nbt]")
	}
	var err error
	if d.wins, err = wins.New(ctx, d.s.nameServer.Config, d.store, d.log.With("part", "wins")); err != nil {
		return err
	}
	chosen, _ := d.interfaces()
	for _, i := range chosen {
		if len(d.s.wins) == 0 && !i.Loopback() {
			d.s.wins = []netip.Addr{i.Addr()}
		}
	}
	return nil
}

// runWINS keeps what the name server learns until ctx ends.
func (d *daemon) runWINS(ctx context.Context) error {
	if d.wins == nil {
		return nil
	}
	return d.wins.Run(ctx)
}

// servers lists the name servers in use.
func (s *settings) servers() []string {
	var list []string
	for _, addr := range s.wins {
		list = append(list, addr.String())
	}
	return list
}
