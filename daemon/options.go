// Package daemon knows every part of the service: it builds them from the
// configuration, runs them, and stops them.
package daemon

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"messngr/carrier/smbd"
	"messngr/carrier/wins"
	"messngr/config"
	"messngr/policy"
	"messngr/wire/oem"
)

// Options is what the command line says about the service. Fields that are
// empty leave the choice to the configuration.
type Options struct {
	Config     string   // path of the configuration file
	State      string   // folder of the store
	Socket     string   // path of the unix socket
	Name       string   // this machine's NetBIOS name
	Workgroup  string   // its workgroup
	Interfaces []string // names of interfaces, or "lan"
	WINS       []string // addresses of name servers
	PortOffset int      // added to every port number
	Stdout     io.Writer
	Stderr     io.Writer
	// Interactive says that Stdout is a terminal, on which arriving messages
	// are to be shown.
	Interactive bool
}

// ConfigPath is where the packages put the configuration file.
const ConfigPath = "/etc/messngr/messngr.toml"

// general is the part of the configuration file before the first table.
type general struct {
	Name       string   `toml:"name" comment:"this machine's message name, at most 15 letters; empty: the first label of the host's name"`
	Workgroup  string   `toml:"workgroup" comment:"the workgroup or domain whose broadcasts are received"`
	Interfaces []string `toml:"interfaces" comment:"network interfaces to use, such as [\"eth0\"]; [\"lan\"] is all with a private address but those of containers; empty: loopback only"`
	CodePage   string   `toml:"code_page" comment:"the OEM code page of the old machines around, such as 437, 850, 866, 932"`
	State      string   `toml:"state" comment:"folder for the messages; empty: /var/lib/messngr for root, else the XDG state directory"`
	Socket     string   `toml:"socket" comment:"path of the socket for the command line; empty: /run/messngr/messngr.sock, or the XDG runtime directory"`
	PortOffset int      `toml:"port_offset" comment:"added to every port number, to try it without privileges; both sides need the same"`
}

// storeConfig is the section [store].
type storeConfig struct {
	KeepDays  int `toml:"keep_days" comment:"messages older than this are removed; 0: they are kept"`
	KeepCount int `toml:"keep_count" comment:"at most so many received, and so many sent messages are kept; 0: all"`
}

// maxKeepDays is a hundred years: three times that is more than a time.Duration holds,
// and what is left of it there could be any age.
const maxKeepDays = 36_500

// rightsConfig is the section [rights]: what people on this host may do who are
// neither root nor of the group messngr.
type rightsConfig struct {
	Emergency bool `toml:"emergency" comment:"everybody may send messages of the level emergency; false: only root and the group messngr"`
	Delete    bool `toml:"delete" comment:"what anybody deletes of the messages for the machine is deleted for everybody; false: only what root and the group messngr delete, others delete for themselves"`
	Names     int  `toml:"names" comment:"how many message names each person may add"`
}

// settings is the whole configuration, with the command line applied.
type settings struct {
	general
	store      storeConfig
	policy     policy.Config
	rights     rightsConfig
	nbt        nbtConfig
	nameServer winsConfig
	rpc        rpcConfig
	samba      smbd.Config
	browser    browserConfig
	parts      map[string]any // section name -> what the part's Config returned
	page       oem.Page
	wins       []netip.Addr
	fromFile   string // the configuration file that was read; "" if none
	isLoopback bool
}

func defaults() *settings {
	return &settings{
		general:    general{Workgroup: "WORKGROUP", CodePage: oem.Default},
		store:      storeConfig{KeepDays: 365, KeepCount: 100_000},
		policy:     policy.Defaults(),
		rights:     rightsConfig{Names: 8},
		nbt:        nbtDefaults(),
		nameServer: winsConfig{Config: wins.Defaults()},
		rpc:        rpcConfig{Enabled: true},
		samba:      smbd.DefaultConfig(),
		browser:    browserDefaults(),
		parts:      make(map[string]any),
	}
}

// load reads the configuration and applies the command line.
func load(o Options) (*settings, error) {
	s := defaults()
	path := o.Config
	if path == "" {
		found, err := config.Find(ConfigPath)
		if err != nil {
			return nil, err
		}
		path = found
	}
	if path != "" {
		s.fromFile = path
		if err := config.Load(path, s.sections()); err != nil {
			return nil, err
		}
		alone := *s
		if err := alone.check(); err != nil { // whatever the command line says besides
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	} else {
		s.sections() // the parts' defaults
	}
	s.apply(o)
	return s, s.check()
}

// ReferenceConfig returns a configuration file that names every key with its
// meaning and its default, all of them commented out.
func ReferenceConfig() ([]byte, error) {
	return config.Reference(defaults().sections())
}

// sections lists every table of the configuration file.
func (s *settings) sections() []config.Section {
	list := []config.Section{
		{Name: "", Config: &s.general},
		{Name: "store", Config: &s.store},
		{Name: "policy", Config: &s.policy},
		{Name: "rights", Config: &s.rights},
		{Name: "nbt", Config: &s.nbt},
		{Name: "wins", Config: &s.nameServer},
		{Name: "samba", Config: &s.samba},
		{Name: "browser", Config: &s.browser},
		{Name: "rpc", Config: &s.rpc},
	}
	add := func(name string, make func() any) {
		if make != nil {
			s.parts[name] = make()
			list = append(list, config.Section{Name: name, Config: s.parts[name]})
		}
	}
	for _, k := range transports(nil, nil, nil) {
		add("transport."+k.Name, k.Config)
	}
	for _, k := range displays() {
		add("display."+k.Name, k.Config)
	}
	return list
}

// apply lets the command line win over the file.
func (s *settings) apply(o Options) {
	set := func(into *string, value string) {
		if value != "" {
			*into = value
		}
	}
	set(&s.State, o.State)
	set(&s.Socket, o.Socket)
	set(&s.Name, o.Name)
	set(&s.Workgroup, o.Workgroup)
	if len(o.Interfaces) > 0 {
		s.Interfaces = o.Interfaces
	}
	if len(o.WINS) > 0 {
		s.nameServer.Servers = o.WINS
	}
	if o.PortOffset != 0 {
		s.PortOffset = o.PortOffset
	}
}

func (s *settings) check() error {
	var err error
	if s.page, err = oem.Lookup(s.CodePage); err != nil {
		return fmt.Errorf("code_page %q is none; use one such as 437, 850, 866 or 932", s.CodePage)
	}
	if s.Name == "" {
		s.Name = hostName()
	}
	if s.store.KeepDays < 0 || s.store.KeepDays > maxKeepDays {
		return fmt.Errorf("[store] keep_days %d: want 0 to %d", s.store.KeepDays, maxKeepDays)
	}
	if s.store.KeepCount < 0 {
		return fmt.Errorf("[store] keep_count %d: want 0 or more", s.store.KeepCount)
	}
	for _, w := range s.nameServer.Servers {
		addr, err := netip.ParseAddr(w)
		if err != nil || !addr.Is4() {
			return fmt.Errorf("[wins] servers %q: want the IPv4 address of a name server", w)
		}
		s.wins = append(s.wins, addr)
	}
	if s.PortOffset < 0 || s.PortOffset > 65535-445 {
		return fmt.Errorf("port_offset %d: want 0 to %d", s.PortOffset, 65535-445)
	}
	if s.State == "" {
		s.State = stateDir()
	}
	if s.Socket == "" {
		s.Socket = socketPath()
	}
	s.isLoopback = len(s.Interfaces) == 0
	return nil
}

// hostName is the host's first label in upper case, at most 15 letters.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "MESSNGR"
	}
	name, _, _ = strings.Cut(name, ".")
	return strings.ToUpper(name[:min(len(name), 15)])
}

// stateDir is where root's service, or anybody else's, keeps its messages.
func stateDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/messngr"
	}
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "messngr")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), fmt.Sprintf("messngr-%d", os.Getuid()))
	}
	return filepath.Join(home, ".local", "state", "messngr")
}

// socketPath is where clients look for the socket of root's service, or of
// anybody else's.
func socketPath() string {
	if path := os.Getenv("MESSNGR_SOCKET"); path != "" {
		return path
	}
	if os.Geteuid() == 0 || os.Getenv("RUNTIME_DIRECTORY") != "" {
		return "/run/messngr/messngr.sock"
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "messngr.sock")
	}
	return filepath.Join(stateDir(), "messngr.sock")
}

// CheckConfig reports what is wrong with the text of a configuration file.
func CheckConfig(text []byte) error {
	s := defaults()
	if err := config.Parse(text, s.sections()); err != nil {
		return err
	}
	return s.check()
}
