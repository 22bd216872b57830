// Package smbd is life beside Samba on one host. It knows which ports are Samba's, also
// while Samba is being restarted, hears through nmbd what arrives at ports that nmbd has,
// and reads the list of machines that nmbd keeps.
//
// It takes nothing that is Samba's: it opens no port, and what it asks nmbd for is what
// nmbd hands to any program of the host. The sockets by which smbd hands over the clients
// of a pipe, in the folder of Config.Run too, belong here as well.
package smbd

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config is the section [samba].
type Config struct {
	Run   string `toml:"run" comment:"folder with Samba's sockets: nmbd's in nmbd/, smbd's in ncalrpc/"`
	Cache string `toml:"cache" comment:"folder in which nmbd keeps its list of machines, browse.dat"`
	Pipes bool   `toml:"pipes" comment:"serve smbd's clients on the pipes msgsvc and wkssvc, by a link in smbd's folder (see doc/samba.md): message names from afar, and messages of senders whom Samba knows"`
}

// DefaultConfig returns the folders of Debian's packages.
func DefaultConfig() Config { return Config{Run: "/run/samba", Cache: "/var/cache/samba", Pipes: true} }

// The ports of NetBIOS over TCP/IP that Samba has or may have.
const (
	namePort     = 137
	datagramPort = 138
	sessionPort  = 139
	directPort   = 445
)

// Samba is the Samba of this host, if there is one. Its methods may be called by several
// goroutines at once.
type Samba struct {
	cfg     Config
	log     *slog.Logger
	listens func(port uint16) bool
	retry   time.Duration

	mu    sync.Mutex
	links map[*link]struct{} // to nmbd, one for each interface that needs it
}

// New returns the Samba of this host, which need not be there, nor ever come. A nil log
// is for nothing.
func New(cfg Config, log *slog.Logger) *Samba {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Samba{cfg: cfg, log: log, listens: listens, retry: retryTime, links: make(map[*link]struct{})}
}

// ErrKept says that a port is left to Samba, also while that does not run.
var ErrKept = errors.New("left to Samba")

// Keeps says why a port is left to Samba even while it is free; nil if it is not. Samba
// leaves its sockets behind when it stops, until the machine does: who has run since then
// may run again. smbd may have been told to do without port 139, which shows only while
// it runs.
func (s *Samba) Keeps(network string, at netip.AddrPort) error {
	keeps := false
	switch {
	case network == "udp" && (at.Port() == namePort || at.Port() == datagramPort):
		keeps = exists(s.unexpected())
	case network == "tcp" && at.Port() == sessionPort:
		keeps = exists(s.pipes()) && !s.listens(directPort)
	case network == "tcp" && at.Port() == directPort:
		keeps = exists(s.pipes())
	}
	if !keeps {
		return nil
	}
	return fmt.Errorf("%s port %d: %w", network, at.Port(), ErrKept)
}

// Ran says whether nmbd and smbd are running, or were since the machine was started. It
// may be asked of nil, which is no Samba.
func (s *Samba) Ran() (nmbd, smbd bool) {
	if s == nil {
		return false, false
	}
	return exists(s.unexpected()), exists(s.pipes())
}

// unexpected is the socket on which nmbd hands out packets.
func (s *Samba) unexpected() string { return filepath.Join(s.cfg.Run, "nmbd", "unexpected") }

// pipes is the folder of the sockets on which smbd hands over the clients of pipes.
func (s *Samba) pipes() string { return filepath.Join(s.cfg.Run, "ncalrpc", "np") }

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
