package daemon

import (
	"context"

	"messngr/carrier/browser"
	"messngr/control"
	"messngr/daemon/neighbours"
	"messngr/names"
	"messngr/transport/mailslot"
	"messngr/transport/samba"
	"messngr/transport/smbmessage"
	"messngr/wire/browse"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// browserConfig is the section [browser].
type browserConfig struct {
	Announce bool   `toml:"announce" comment:"let this machine appear in lists of the network (Network Neighborhood), but never on loopback"`
	Comment  string `toml:"comment" comment:"what such lists say of it, at most 42 characters"`
}

func browserDefaults() browserConfig { return browserConfig{Announce: true, Comment: "messngr"} }

// buildBrowser attaches the browser service to the carriers.
func (d *daemon) buildBrowser() error {
	own, err := d.netbiosName(d.s.Name)
	if err != nil {
		return err
	}
	workgroup, err := d.netbiosName(d.s.Workgroup)
	if err != nil {
		return err
	}
	comment, _ := d.s.page.Encode(oem.CleanLine(d.s.browser.Comment))
	d.browser = browser.New(browser.Config{
		Networks: d.carriers, Name: own, Workgroup: workgroup,
		Silent: !d.s.browser.Announce || d.s.isLoopback, Comment: string(comment), Log: d.log.With("carrier", "browser"),
	})
	return nil
}

// appear lets the machine appear in lists of the network until ctx ends.
func (d *daemon) appear(ctx context.Context) error {
	if d.browser == nil {
		<-ctx.Done()
		return nil
	}
	return d.browser.Run(ctx)
}

// netbiosName is the name of a machine or a workgroup.
func (d *daemon) netbiosName(s string) (netbios.Name, error) {
	label, err := d.s.page.EncodeName(s)
	if err != nil {
		return netbios.Name{}, err
	}
	return netbios.Exact(string(label), netbios.Workstation)
}

// buildNeighbours lets people ask who is on the network.
func (d *daemon) buildNeighbours() {
	d.neighbours = neighbours.New(neighbours.Config{
		Page: d.s.page, Workgroup: d.s.Workgroup, Self: d.self, Browser: d.browser, NMBD: d.nmbdList, Networks: d.carriers,
	})
}

// nmbdList is the list of machines that Samba's nmbd keeps, where it runs.
func (d *daemon) nmbdList() ([]browse.Record, error) {
	if nmbdRan, _ := d.samba.Ran(); !nmbdRan {
		return nil, nil
	}
	list, _, err := d.samba.Machines()
	return list, err
}

// self describes this machine as others are described.
func (d *daemon) self() control.Machine {
	m := control.Machine{
		Name: d.s.Name, Workgroup: d.s.Workgroup, System: browse.Unix.System(),
		Users: []string{}, Carriers: []string{}, Takes: []string{},
	}
	if chosen, _ := d.interfaces(); len(chosen) > 0 {
		m.Address = chosen[0].Addr().String()
	}
	for _, e := range d.names.List() {
		if e.Kind == names.User || e.Kind == names.Alias {
			m.Users = append(m.Users, e.Name)
		}
	}
	ports := d.ports()
	_, smbdRan := d.samba.Ran()
	switch {
	case lost(ports, "tcp", "139") == nil:
		m.Takes = append(m.Takes, smbmessage.Name)
	case smbdRan:
		m.Takes = append(m.Takes, samba.Name)
	}
	if asked, err := d.samba.Nmbd(); lost(ports, "udp", "138") == nil || asked && err == nil {
		m.Takes = append(m.Takes, mailslot.Name)
	}
	return m
}
