package namecache

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"messngr/wire/lmhosts"
	"messngr/wire/netbios"
)

const (
	maxHostsFile  = 1 << 20 // bytes of one LMHOSTS file
	maxHostsDepth = 4       // files that include each other
	maxHosts      = 10000   // entries of all files together
)

// hosts are the entries of an LMHOSTS file and all that it includes, in order.
type hosts []lmhosts.Entry

// loadHosts reads an LMHOSTS file; no path is no entries. Included files that cannot
// be read are left out, and said to the log.
func loadHosts(path string, log *slog.Logger) (hosts, error) {
	if path == "" {
		return nil, nil
	}
	h, err := readHosts(nil, path, maxHostsDepth, log)
	if err != nil {
		return nil, fmt.Errorf("namecache: LMHOSTS: %w", err)
	}
	return h, nil
}

func readHosts(h hosts, path string, depth int, log *slog.Logger) (hosts, error) {
	if depth == 0 {
		return h, errors.New("files include each other too deeply")
	}
	b, err := readLimited(path)
	if err != nil {
		return h, err
	}
	items, problems := lmhosts.Parse(b)
	for _, p := range problems {
		log.Warn("LMHOSTS line left out", "file", path, "problem", p)
	}
	for _, item := range items {
		if len(item.Include) == 0 {
			h = append(h, item.Entry)
		}
		for _, include := range item.Include {
			if !filepath.IsAbs(include) {
				include = filepath.Join(filepath.Dir(path), include)
			}
			more, err := readHosts(h, include, depth-1, log)
			if err == nil {
				h = more
				break
			}
			log.Warn("LMHOSTS include left out", "file", path, "error", err)
		}
		if len(h) > maxHosts {
			return h, fmt.Errorf("more than %d entries", maxHosts)
		}
	}
	return h, nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxHostsFile+1))
	if err == nil && len(b) > maxHostsFile {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxHostsFile)
	}
	return b, err
}

// lookUp returns the addresses of name: of the first entry about it, or, if that is
// for a machine with several, of all that say so.
func (h hosts) lookUp(name netbios.Name) []netip.Addr {
	var addrs []netip.Addr
	for _, e := range h {
		switch {
		case e.Domain == name && name != netbios.Name{}:
			addrs = append(addrs, e.Addr)
		case !e.Covers(name):
		case !e.Multihomed && len(addrs) == 0:
			return []netip.Addr{e.Addr}
		case e.Multihomed && !slices.Contains(addrs, e.Addr):
			addrs = append(addrs, e.Addr)
		}
	}
	return addrs
}

// preloaded returns what the cache holds for good: each preloaded entry under all
// the names that it stands for.
func (h hosts) preloaded() map[netbios.Name][]netip.Addr {
	known := make(map[netbios.Name][]netip.Addr)
	for _, e := range h {
		if !e.Preload {
			continue
		}
		names := []netbios.Name{e.Name}
		if !e.Exact {
			names = append(names, e.Name.WithSuffix(netbios.Messenger), e.Name.WithSuffix(netbios.FileServer))
		}
		if e.Domain != (netbios.Name{}) {
			names = append(names, e.Domain)
		}
		for _, name := range names {
			known[name] = h.lookUp(name)
		}
	}
	return known
}
