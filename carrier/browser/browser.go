// Package browser makes a machine appear in the lists of its network, the Network
// Neighborhood of Windows, and finds out who else is there: the browser service as a
// machine takes part in it that is no browser itself (MS-BRWS 3.2).
//
// It announces the machine to the master browser of its workgroup, keeps what others
// announce of themselves, and reads the master's list. It stands for no election, and
// nothing that it says of others is proven.
package browser

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"messngr/carrier"
	"messngr/wire/browse"
	"messngr/wire/netbios"
	"messngr/wire/smb"
)

// Config says who announces itself.
type Config struct {
	// Networks are where. One that lets its datagrams be overheard, by a method
	// OverhearDatagrams as package nbt has it, is also listened to.
	Networks []carrier.NetBIOS
	// Name is the machine's own, and Workgroup that of its workgroup, both with the
	// suffix netbios.Workstation.
	Name, Workgroup netbios.Name
	// Silent machines announce nothing, and are found by their names only.
	Silent bool
	// Comment describes the machine, in the OEM code page of the network. Of a long one
	// the beginning is told.
	Comment string
	// Log takes what an administrator wants to know; nil for nothing.
	Log *slog.Logger
}

// What we say of ourselves. Many programs list only servers, so we are one, as every
// machine was that was ever announced; versions are those that Samba tells.
const (
	serverType   = browse.Workstation | browse.Server | browse.Unix
	versionMajor = 4
	versionMinor = 9
)

const (
	// nameTick is how often it is looked whether the machine has its name yet.
	nameTick = time.Second
	// maxDelay is how long the answer to a request may be put off, so that not all
	// machines answer at once (MS-BRWS 3.2.5.1).
	maxDelay = 30 * time.Second
)

// periods are the times between announcements; the last one is for ever (MS-BRWS 3.2.6).
var periods = [...]time.Duration{
	time.Minute, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 12 * time.Minute,
}

// Browser takes part in the browser service. Its methods may be called by several
// goroutines at once.
type Browser struct {
	cfg       Config
	log       *slog.Logger
	requested chan struct{} // capacity 1: somebody wants to hear from us
	heard     *heard
}

// overhearer is a network whose datagrams can be overheard.
type overhearer interface {
	OverhearDatagrams(h func(carrier.Datagram))
}

// New attaches itself to the networks, before they run.
func New(cfg Config) *Browser {
	b := &Browser{cfg: cfg, log: cfg.Log, requested: make(chan struct{}, 1), heard: newHeard()}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.cfg.Comment = cfg.Comment[:min(len(cfg.Comment), browse.MaxComment)]
	for _, n := range cfg.Networks {
		if o, ok := n.(overhearer); ok {
			o.OverhearDatagrams(b.overhear)
		}
	}
	return b
}

// Run announces the machine until ctx ends, and then that it goes. It returns nil. The
// networks must still be there at its end.
func (b *Browser) Run(ctx context.Context) error {
	if b.cfg.Silent {
		<-ctx.Done()
		return nil
	}
	if !b.awaitName(ctx) {
		return nil
	}
	for count := 0; ; count++ {
		period := periods[min(count, len(periods)-1)]
		b.announce(ctx, serverType, period)
		if !b.pause(ctx, period) {
			break
		}
	}
	b.announce(context.WithoutCancel(ctx), 0, 0)
	return nil
}

// awaitName waits until the machine has its own name somewhere. Where another program of
// this host has it, such as nmbd, that announces the machine.
func (b *Browser) awaitName(ctx context.Context) bool {
	tick := time.NewTicker(nameTick)
	defer tick.Stop()
	for !slices.ContainsFunc(b.cfg.Networks, b.named) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// named reports whether the machine has its own name on the network.
func (b *Browser) named(n carrier.NetBIOS) bool {
	return slices.ContainsFunc(n.Names(), func(e carrier.NameEntry) bool {
		return e.Name == b.cfg.Name && e.State == carrier.Owned
	})
}

// pause waits until the next announcement is due, by the clock or because somebody asked
// for it. It reports false when ctx has ended.
func (b *Browser) pause(ctx context.Context, period time.Duration) bool {
	due := time.Now().Add(period)
	timer := time.NewTimer(period)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-b.requested:
			if sooner := time.Now().Add(rand.N(maxDelay)); sooner.Before(due) {
				due = sooner
				timer.Reset(time.Until(due))
			}
		case <-ctx.Done():
			return false
		}
	}
}

// announce tells the master browser that the machine is there, or, with no type, that it
// goes.
func (b *Browser) announce(ctx context.Context, as browse.ServerType, period time.Duration) {
	frame := browse.Announcement{
		Kind: browse.Host, Period: period, Name: b.cfg.Name.Label(), Major: versionMajor, Minor: versionMinor, Type: as,
		Comment: b.cfg.Comment,
	}
	data, err := frame.Append(nil)
	if err == nil {
		data, err = smb.MailslotWrite{Name: browse.Mailslot, Priority: 1, Data: data}.Append(nil)
	}
	if err != nil {
		b.log.Error("the machine cannot be announced", "err", err)
		return
	}
	master := b.cfg.Workgroup.WithSuffix(netbios.MasterBrowser)
	for _, n := range b.cfg.Networks {
		if !b.named(n) {
			continue
		}
		if err := n.SendDatagram(ctx, netip.Addr{}, master, b.cfg.Name, data); err != nil && !errors.Is(err, carrier.ErrOff) {
			b.log.Debug("not announced", "err", err)
		}
	}
}

// overhear takes in what machines say of themselves. It does not block.
func (b *Browser) overhear(d carrier.Datagram) {
	w, err := smb.ParseMailslotWrite(d.Data)
	if err != nil || !strings.EqualFold(w.Name, browse.Mailslot) {
		return
	}
	frame, err := browse.Parse(w.Data)
	if err != nil {
		return // an election, or nonsense
	}
	switch f := frame.(type) {
	case browse.AnnouncementRequest:
		if d.To == b.cfg.Workgroup {
			select {
			case b.requested <- struct{}{}:
			default:
			}
		}
	case browse.Announcement:
		b.heard.take(f, d, time.Now())
	}
}
