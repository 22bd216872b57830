package daemon

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"messngr/carrier"
	"messngr/carrier/smbd"
	"messngr/control"
	"messngr/control/server"
	"messngr/control/spool"
	"messngr/transport/samba"
)

// buildSamba prepares for life beside the Samba of this host. With an offset no
// port is Samba's.
func (d *daemon) buildSamba() {
	if d.s.PortOffset == 0 {
		d.samba = smbd.New(d.s.samba, d.log.With("carrier", "smbd"))
	}
}

// handovers lets the API hand messages to the transport that takes Samba's.
type handovers struct {
	*samba.Transport
	user string
}

// Injector implements control.Injection.
func (h handovers) Injector() string { return h.user }

// longWait is how old a hand-over is that has waited for the service.
const longWait = time.Minute

// Inject implements control.Injection.
func (h handovers) Inject(ctx context.Context, r control.InjectRequest) error {
	in := samba.Handover{
		Key: r.ID.String(), From: r.From, Machine: r.Machine, To: r.To, Text: r.Text, Length: r.Length,
	}
	in.Address, _ = netip.ParseAddr(r.Address) // none is the zero value
	if time.Since(r.At) > longWait {
		in.Waited = r.At
	}
	return h.Transport.Inject(ctx, in)
}

// spoolTime is how often the spool is looked into after the start: for messages
// that were handed over while the service was paused or busy.
const spoolTime = time.Minute

// takeSpooled takes in what Samba handed over while the service was down, and
// looks for more now and then, where this user may read it. Elsewhere `messngr
// receive --pending` has to be run.
func (d *daemon) takeSpooled(ctx context.Context) error {
	folder := d.sambaConfig().Spool
	if folder == "" {
		return nil
	}
	if err := d.makeSpool(folder); err != nil {
		d.log.Warn("messages from Samba cannot wait", "err", err)
	}
	last := ""
	for age := time.Duration(0); ; age = longWait {
		err := d.drain(ctx, folder, age)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || ctx.Err() != nil {
			err = nil
		}
		if err != nil && err.Error() != last {
			d.log.Warn("messages from Samba wait on", "folder", folder, "err", err)
		}
		if last = ""; err != nil {
			last = err.Error()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(spoolTime):
		}
	}
}

func (d *daemon) drain(ctx context.Context, folder string, age time.Duration) error {
	waiting, err := spool.Open(folder)
	if err != nil {
		return err
	}
	defer waiting.Close()
	n, err := waiting.Drain(ctx, age, func(ctx context.Context, r control.InjectRequest) (control.InjectAnswer, error) {
		return server.Verdict(d.handovers.Inject(ctx, r))
	})
	if n > 0 {
		d.log.Info("took messages that Samba handed over before", "count", n)
	}
	return err
}

// makeSpool makes the folder in which smbd's user keeps messages, where root runs
// the service and Samba is here.
func (d *daemon) makeSpool(folder string) error {
	if _, smbdRan := d.samba.Ran(); os.Getuid() != 0 || !smbdRan {
		return nil
	}
	u, err := user.Lookup(d.sambaConfig().User)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	return spool.Make(folder, uid)
}

func (d *daemon) sambaConfig() *samba.Config {
	return d.s.parts["transport."+samba.Name].(*samba.Config)
}

// besideSamba says in which of the arrangements of doc/samba.md the service lives
// with Samba; nil if there is none.
func (d *daemon) besideSamba(ports []control.Port) *control.Samba {
	nmbdRan, smbdRan := d.samba.Ran()
	names := nmbdRan && lost(ports, "udp", "137", "138") != nil
	sessions, direct := lost(ports, "tcp", "139"), lost(ports, "tcp", "445")
	s := &control.Samba{Arrangement: 1}
	switch {
	case smbdRan && sessions != nil && sessions.Error == keptText:
		s.Arrangement = 3
		s.State = append(s.State, "smbd is not running, and has TCP port 139 when it does: messages to this machine do not arrive")
		s.Hint = "start smbd; or, if this machine does without it: rm -r " + d.s.samba.Run
	case smbdRan && sessions != nil:
		s.Arrangement = 3
		s.State = append(s.State, "smbd has TCP port 139: messages to this machine arrive only by its message command, and lose their addressee")
		s.Hint = "put 'smb ports = 445' into smb.conf and restart smbd; messngr then takes port 139 within a minute"
	case smbdRan && direct != nil:
		s.State = append(s.State, "smbd has TCP port 445, messngr has 139: messages to this machine arrive whole")
	case !names:
		return nil
	}
	if names {
		s.Arrangement = max(s.Arrangement, 2)
		state, running := d.nmbdState()
		s.State = append(s.State, "nmbd has the names and datagrams, UDP ports 137 and 138, so that names can only be claimed at a name server: "+state)
		if s.Hint == "" && !running {
			s.Hint = "start nmbd; or, if this machine does without it: rm -r " + filepath.Join(d.s.samba.Run, "nmbd")
		}
	}
	return s
}

// lost returns the first port with one of the numbers that is not ours, nil if all are.
func lost(ports []control.Port, network string, numbers ...string) *control.Port {
	for i, p := range ports {
		_, number, _ := strings.Cut(p.Address, ":")
		if !p.OK && p.Network == network && slices.Contains(numbers, number) {
			return &ports[i]
		}
	}
	return nil
}

// isSambas reports whether a port that is not ours is Samba's, which status says
// more about.
func (d *daemon) isSambas(p carrier.Port) bool {
	nmbdRan, smbdRan := d.samba.Ran()
	switch p.Address.Port() {
	case 137, 138:
		return nmbdRan && p.Network == "udp"
	case 139, directPort:
		return smbdRan && p.Network == "tcp"
	}
	return false
}

// nmbdState says whether messages to everybody arrive through nmbd, and whether
// that runs, as far as is known.
func (d *daemon) nmbdState() (state string, running bool) {
	asked, err := d.samba.Nmbd()
	switch {
	case !asked:
		return "no interface needs its datagrams", true
	case err == nil, errors.Is(err, smbd.ErrNotYet):
		return "messages to everybody arrive through its socket", true
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return "messages to everybody do not arrive, because it is not running", false
	default:
		return "messages to everybody do not arrive: " + err.Error(), true
	}
}

// directPort is where messages without a session service go; a file server needs it.
const directPort = 445

// keptText is what status says of a port that is free and left to Samba.
const keptText = "left to Samba"

// leftToSamba describes a port that is free and not taken.
func leftToSamba(p carrier.Port) bool { return errors.Is(p.Err, smbd.ErrKept) }
