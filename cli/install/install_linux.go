package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// unitName is what systemd calls the service.
const unitName = "messngr.service"

// unitText is the unit of the packages, with the command and the program left open.
const unitText = `# Written by: messngr service install
[Unit]
Description=Messenger service (NET SEND)
Documentation=man:messngr(1)
# After Samba, which must find its ports free: what it does without is taken then.
After=network-online.target nmbd.service smbd.service nmb.service smb.service
Wants=network-online.target

[Service]
Type=notify
ExecStart=%s
# What smbd handed over while the service was down waits in a folder of smbd's user.
ExecStartPost=-+%s receive --pending
Restart=on-failure
RestartSec=2

User=messngr
Group=messngr
# Terminals belong to the group tty.
SupplementaryGroups=tty
UMask=0077
StateDirectory=messngr
StateDirectoryMode=0700
# Users reach the socket in it; what they may do is decided by who they are.
RuntimeDirectory=messngr
RuntimeDirectoryMode=0755

# Ports 137 to 139.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
DevicePolicy=closed
DeviceAllow=char-pts w
DeviceAllow=char-tty w
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`

const sysusersText = `# Written by: messngr service install
u messngr - "Messenger service" /var/lib/messngr
`

// installer puts the service under systemd.
type installer struct {
	root string // "" but in tests
	out  io.Writer
	run  func(ctx context.Context, name string, args ...string) error
}

// Service installs program as a service of this machine and starts it.
func Service(ctx context.Context, out, errs io.Writer, program string, o Options) error {
	return system(out, errs).install(ctx, program, o)
}

// Remove stops the service and removes what Service made; with purge the
// messages and the user as well.
func Remove(ctx context.Context, out, errs io.Writer, purge bool) error {
	return system(out, errs).uninstall(ctx, purge)
}

// Run runs the service as this process.
func Run(ctx context.Context, run func(context.Context) error) error { return run(ctx) }

// Start starts the service that is installed.
func Start(ctx context.Context, out, errs io.Writer) error {
	i := system(out, errs)
	if !i.installed() {
		return errors.New("it is not installed; start it with: messngr serve, or install it with: messngr service install")
	}
	return i.run(ctx, "systemctl", "start", unitName)
}

// StartCommand is how people start the service here.
func StartCommand() string {
	if (installer{}).installed() {
		return "sudo systemctl start messngr"
	}
	return "messngr serve"
}

func system(out, errs io.Writer) installer {
	return installer{out: out, run: func(ctx context.Context, name string, args ...string) error {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stdout, cmd.Stderr = out, errs
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
		}
		return nil
	}}
}

func (i installer) unit() string     { return i.root + "/etc/systemd/system/" + unitName }
func (i installer) sysusers() string { return i.root + "/etc/sysusers.d/messngr.conf" }

// packaged reports whether a package brought the unit.
func (i installer) packaged() bool {
	return exists(i.root+"/usr/lib/systemd/system/"+unitName) || exists(i.root+"/lib/systemd/system/"+unitName)
}

func (i installer) installed() bool { return i.packaged() || exists(i.unit()) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (i installer) install(ctx context.Context, program string, o Options) error {
	if _, err := os.Stat(i.root + "/run/systemd/system"); err != nil {
		return errors.New("this system does not run systemd; have its own manager of services start: messngr serve")
	}
	if i.packaged() {
		return errors.New("a package has installed the service already; see: systemctl status messngr")
	}
	for _, hidden := range []string{"/home/", "/root/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(program, hidden) {
			return fmt.Errorf("the service cannot run a program in %s; first: sudo install %s /usr/local/bin/messngr",
				strings.TrimSuffix(hidden, "/"), program)
		}
	}
	command := []string{quoteUnit(program)}
	for _, arg := range o.arguments() {
		command = append(command, quoteUnit(arg))
	}
	unit := fmt.Sprintf(unitText, strings.Join(command, " "), quoteUnit(program))
	for path, text := range map[string]string{i.unit(): unit, i.sysusers(): sysusersText} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return asRoot(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return asRoot(err)
		}
	}
	for _, command := range [][]string{
		{"systemd-sysusers", i.sysusers()},
		{"systemctl", "daemon-reload"},
		{"systemctl", "enable", "--now", unitName},
	} {
		if err := i.run(ctx, command[0], command[1:]...); err != nil {
			return err
		}
	}
	fmt.Fprintf(i.out, "installed and started; see: messngr status\n")
	if len(o.Interfaces) == 0 && o.Config == "" {
		fmt.Fprintf(i.out, "it listens on loopback only; for the network: messngr service install --interface lan\n")
	}
	return nil
}

// uninstall goes on after a failure, so that as little as possible is left.
func (i installer) uninstall(ctx context.Context, purge bool) error {
	if _, err := os.Stat(i.unit()); err != nil {
		return errors.New("it is not installed by: messngr service install")
	}
	errs := []error{i.run(ctx, "systemctl", "disable", "--now", unitName)}
	for _, path := range []string{i.unit(), i.sysusers()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, asRoot(err))
		}
	}
	errs = append(errs, i.run(ctx, "systemctl", "daemon-reload"))
	state := i.root + "/var/lib/messngr"
	if purge {
		errs = append(errs, os.RemoveAll(state), i.run(ctx, "userdel", "messngr"))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintln(i.out, "stopped and removed")
	if _, err := os.Stat(state); err == nil {
		fmt.Fprintf(i.out, "the messages in %s and the user messngr are still there; --purge removes them, too\n", state)
	}
	return nil
}

// asRoot adds what to do to an error that only root can avoid.
func asRoot(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; run it as root", err)
	}
	return err
}

// quoteUnit writes one word of a command as systemd.service(5) reads it.
func quoteUnit(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(word) + `"`
}
