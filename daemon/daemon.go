package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	sdnotify "github.com/coreos/go-systemd/v22/daemon"
	"github.com/lmittmann/tint"
	"golang.org/x/sync/errgroup"

	"messngr"
	"messngr/account"
	"messngr/carrier"
	"messngr/carrier/browser"
	"messngr/carrier/nbt"
	"messngr/carrier/rpc"
	"messngr/carrier/smbd"
	"messngr/carrier/wins"
	"messngr/control"
	"messngr/control/server"
	"messngr/daemon/greeting"
	"messngr/daemon/neighbours"
	"messngr/display"
	"messngr/names"
	"messngr/policy"
	"messngr/router"
	"messngr/session"
	"messngr/store"
	"messngr/store/sqlitestore"
	"messngr/transport"
	"messngr/transport/samba"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// Run runs the service until ctx ends or somebody stops it through its API. It
// returns nil when everything has been shut down in order.
func Run(ctx context.Context, o Options) error {
	s, err := load(o)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d, err := build(ctx, o, s)
	if err != nil {
		return err
	}
	d.stop = stop
	err = d.run(ctx)
	return errors.Join(err, d.store.Close())
}

// daemon is the service, put together.
type daemon struct {
	o       Options
	s       *settings
	log     *slog.Logger
	started time.Time
	stop    context.CancelFunc

	mu                sync.Mutex // guards the next line
	chosen, available []nbt.Interface

	store      store.Store
	names      *names.Table
	policy     *policy.Policy
	router     *router.Router
	sessions   session.Lister
	accounts   account.Book
	claims     []func(context.Context) // of the names that are ours from the start
	nbt        *nbt.Carrier            // nil if it is switched off
	rpc        *rpc.Carrier            // nil if it is switched off
	wins       *wins.Server            // nil unless this host is the name server of its site
	samba      *smbd.Samba             // nil where no port is Samba's
	pipes      *smbd.Pipes             // nil where none are served
	handovers  handovers               // of messages that Samba took
	browser    *browser.Browser        // nil without NetBIOS
	neighbours *neighbours.Neighbours  // nil without NetBIOS
	carriers   []carrier.NetBIOS
	node       nbns.NodeType
	moved      bool // the ports were moved up for want of privileges
	receivers  []messngr.Receiver
	ported     []ported // transports with ports of their own
	transports []transport.Kind
	displays   []namedDisplay
	socket     net.Listener
}

type namedDisplay struct {
	display.Kind
	messngr.Display
}

// build constructs everything and starts nothing.
func build(ctx context.Context, o Options, s *settings) (*daemon, error) {
	d := &daemon{o: o, s: s, started: time.Now(), log: newLogger(o), sessions: session.System()}
	var err error
	if err := d.firstChoice(); err != nil {
		return nil, err
	}
	d.adjustPorts()
	if d.store, err = sqlitestore.Open(filepath.Join(s.State, "messngr.db")); err != nil {
		return nil, err
	}
	if err := d.assemble(ctx); err != nil {
		return nil, errors.Join(err, d.store.Close())
	}
	return d, nil
}

// assemble builds what stands on the store.
func (d *daemon) assemble(ctx context.Context) error {
	var err error
	if d.policy, err = policy.New(ctx, d.s.policy, d.store); err != nil {
		return err
	}
	if err := d.firstChoice(); err != nil {
		return err
	}
	if err := d.buildWINS(ctx); err != nil {
		return err
	}
	if err := d.buildCarriers(); err != nil {
		return err
	}
	var networks []names.Network
	for _, c := range d.carriers {
		networks = append(networks, network{c, "nbt"})
	}
	d.names = names.New(d.s.page, networks, d.store, d.log)
	name, err := d.names.Canonical(d.s.Name)
	if err != nil {
		return fmt.Errorf("name: %w", err)
	}
	workgroup, err := d.names.Canonical(d.s.Workgroup)
	if err != nil {
		return fmt.Errorf("workgroup: %w", err)
	}
	d.s.Name, d.s.Workgroup = name, workgroup
	d.policy.Reserve(name)
	if err := d.ownNames(ctx); err != nil {
		return err
	}
	if d.nbt != nil {
		if err := d.buildBrowser(); err != nil {
			return err
		}
		d.buildNeighbours()
	}
	routes, err := d.buildTransports()
	if err != nil {
		return err
	}
	d.router = router.New(router.Config{
		Store: d.store, Names: d.names, Policy: d.policy, Routes: routes, Log: d.log,
		Host: name, Workgroup: workgroup,
		Sessions: people{[]session.Lister{d.sessions, session.Samba{}}, &d.accounts},
		Resolver: resolver{d.carriers, d.s.page},
		Rights:   router.Rights{Emergency: d.s.rights.Emergency, Delete: d.s.rights.Delete},
		Retention: store.Retention{
			Age: time.Duration(d.s.store.KeepDays) * 24 * time.Hour, Count: d.s.store.KeepCount,
		},
	})
	if err := d.buildDisplays(); err != nil {
		return err
	}
	d.socket, err = server.Listen(ctx, d.s.Socket)
	return err
}

func newLogger(o Options) *slog.Logger {
	if o.Interactive {
		return slog.New(tint.NewTextHandler(o.Stderr, &tint.Options{TimeFormat: time.TimeOnly}))
	}
	return slog.New(slog.NewTextHandler(o.Stderr, nil))
}

func (d *daemon) buildTransports() ([]router.Route, error) {
	calls, err := d.buildRPC()
	if err != nil {
		return nil, err
	}
	d.transports = transports(calls, d.buildPipes(), pipeHost{d})
	var routes []router.Route
	for _, k := range d.transports {
		t, err := k.New(transport.Env{
			Log: d.log.With("transport", k.Name), NetBIOS: d.carriers, Host: d.s.Name, Workgroup: d.s.Workgroup,
			Page: d.s.page, Permit: d.policy.Permit, Addresses: d.addresses, PortOffset: d.s.PortOffset,
			Local: func(name string) bool { _, ok := d.names.Lookup(name, false); return ok },
		}, d.s.parts["transport."+k.Name])
		if err != nil {
			return nil, fmt.Errorf("transport %s: %w", k.Name, err)
		}
		if s, ok := t.(*samba.Transport); ok {
			d.handovers = handovers{s, d.sambaConfig().User}
		}
		if p, ok := t.(ported); ok {
			d.ported = append(d.ported, p)
		}
		if r, ok := t.(messngr.Receiver); ok {
			d.receivers = append(d.receivers, r)
		}
		if sender, ok := t.(messngr.Sender); ok {
			route := powers(k.Name)
			route.Sender = sender
			routes = append(routes, route)
		}
	}
	return routes, nil
}

func (d *daemon) buildDisplays() error {
	env := display.Env{Log: d.log, Host: d.s.Name, Sessions: d.sessions}
	if d.o.Interactive {
		env.Stdout = d.o.Stdout
	}
	for _, k := range displays() {
		env.Log = d.log.With("display", k.Name)
		shown, err := k.New(env, d.s.parts["display."+k.Name])
		if err != nil {
			return fmt.Errorf("display %s: %w", k.Name, err)
		}
		if shown != nil {
			d.displays = append(d.displays, namedDisplay{k, shown})
		}
	}
	return nil
}

// run starts everything, and stops it in reverse: what brings messages first,
// then what works on them.
func (d *daemon) run(ctx context.Context) error {
	middle, stopMiddle := context.WithCancel(context.WithoutCancel(ctx))
	defer stopMiddle()
	inner, middle := errgroup.WithContext(middle)
	inner.Go(func() error { return d.router.Run(middle) })
	inner.Go(func() error { return d.runWINS(middle) })
	for _, shown := range d.displays {
		inner.Go(func() error { return d.router.Show(middle, shown.Name, shown.Display) })
	}
	outer, ctx := errgroup.WithContext(ctx)
	for _, r := range d.receivers {
		outer.Go(func() error { return r.Receive(ctx, d.router.Accept) })
	}
	// The networks end when everybody has been told that the machine goes.
	networks, stopNetworks := context.WithCancel(context.WithoutCancel(ctx))
	defer stopNetworks()
	outer.Go(func() error {
		defer stopNetworks()
		return d.appear(ctx)
	})
	for _, c := range d.networks() {
		outer.Go(func() error { return c.Run(networks) })
	}
	service := &server.Service{
		Router: d.router, Store: d.store, Names: d.names, Accounts: &d.accounts, Policy: d.policy, Log: d.log,
		Status: d.status, Stop: d.stop, Injection: d.handovers, MaxNames: d.s.rights.Names,
	}
	if d.nbt != nil {
		service.NetBIOS, service.Who = netBIOS{d.nbt, d.s.page}, d.neighbours.Ask
	}
	if d.pipes != nil {
		outer.Go(func() error { return d.pipes.Run(ctx) })
	}
	outer.Go(func() error { return service.Serve(ctx, d.socket) })
	outer.Go(func() error { return d.followInterfaces(ctx) })
	outer.Go(func() error { return d.takeSpooled(ctx) })
	outer.Go(func() error { return d.announce(ctx) })
	outer.Go(func() error { return d.claimNames(ctx) })
	outer.Go(func() error { // the middle's failure is the service's
		select {
		case <-ctx.Done():
			return nil
		case <-middle.Done():
			return context.Cause(middle)
		}
	})
	err := outer.Wait()
	stopMiddle()
	return errors.Join(err, inner.Wait())
}

// ported is a part that has ports.
type ported interface {
	Ports() []carrier.Port
}

// portHolder is a carrier as the service runs it.
type portHolder interface {
	ported
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// networks lists the carriers that are in use.
func (d *daemon) networks() []portHolder {
	var list []portHolder
	for _, c := range d.carriers {
		list = append(list, c)
	}
	if d.rpc != nil {
		list = append(list, d.rpc)
	}
	return list
}

// announce says that the service is ready, when its ports are.
func (d *daemon) announce(ctx context.Context) error {
	for _, c := range d.networks() {
		select {
		case <-c.Ready():
		case <-ctx.Done():
			return nil
		}
	}
	d.greet(ctx)
	_, err := sdnotify.SdNotify(false, sdnotify.SdNotifyReady)
	return err
}

// greet tells whoever started the service how it is.
func (d *daemon) greet(ctx context.Context) {
	if d.o.Stdout == nil {
		return
	}
	start := greeting.Start{Terminal: d.o.Interactive, Loopback: d.s.isLoopback, Moved: d.moved}
	if control.FindSocket("", os.Getenv) != d.s.Socket {
		start.Socket = d.s.Socket
	}
	st := d.status(ctx)
	_, _ = io.WriteString(d.o.Stdout, greeting.Text(&st, start)) // nobody reads it: nobody to tell
}

// ownNames enters the machine's own names and the kept ones, so that nothing is
// refused in the first moments; claimNames claims them when there are networks.
func (d *daemon) ownNames(ctx context.Context) error {
	own := []names.Entry{
		{Name: d.s.Name, Suffix: netbios.Messenger, Kind: names.Computer},
		{Name: d.s.Name, Suffix: netbios.Workstation, Kind: names.Computer},
		{Name: d.s.Workgroup, Suffix: netbios.Workstation, Kind: names.Workgroup, Group: true},
	}
	if d.s.nbt.FileServer {
		own = append(own, names.Entry{Name: d.s.Name, Suffix: netbios.FileServer, Kind: names.Computer})
	}
	for _, e := range own {
		claim, err := d.names.Enter(e)
		if err != nil {
			return err
		}
		d.claims = append(d.claims, func(ctx context.Context) {
			if err := claim(ctx); err != nil && ctx.Err() == nil {
				d.log.Error("own name is not ours", "err", err)
			}
		})
	}
	claim, err := d.names.Restore(ctx)
	d.claims = append(d.claims, claim)
	return err
}

// claimNames claims the names that are ours, and follows who is logged on.
func (d *daemon) claimNames(ctx context.Context) error {
	var claims sync.WaitGroup
	defer claims.Wait()
	for _, claim := range d.claims {
		claims.Go(func() { claim(ctx) })
	}
	session.Watch(ctx, d.sessions, func(open []session.Session) {
		var logins []string
		for _, s := range open {
			if own := names.OfLogin(s.User); own != s.User {
				if other, err := d.accounts.ByName(own); err == nil && other.Login != s.User {
					continue // somebody of this host goes by that name, root for one
				}
			}
			logins = append(logins, s.User)
		}
		claim := d.names.SetUsers(ctx, logins)
		claims.Go(func() { claim(ctx) })
		d.router.PeopleChanged()
	})
	return nil
}
