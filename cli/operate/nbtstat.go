package operate

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"messngr/cli/program"
	"messngr/wire/oem"
)

// Nbtstat is messngr nbtstat: what administrators know from that of Windows, in its
// layout.
func (c Commands) Nbtstat() *cobra.Command {
	var address, name string
	var cached, own, purge bool
	cmd := &cobra.Command{
		Use:   "nbtstat",
		Short: "Show NetBIOS names: a machine's, ours, and those that are remembered",
		Long: "Shows what Windows' nbtstat shows, in its words. -A asks the machine at an address for its\n" +
			"names, -a the machine that has a name.",
		Example: "  messngr nbtstat -A 10.0.0.17\n  messngr nbtstat -a PC17\n  messngr nbtstat -c",
		Args:    program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case address != "" && name == "":
				if _, err := netip.ParseAddr(address); err != nil {
					return program.Misuse("messngr nbtstat -a NAME asks by name", "%q is not an address", address)
				}
				return c.adapter(cmd, address, "")
			case name != "" && address == "":
				return c.adapter(cmd, "", name)
			case cached:
				return c.nameCache(cmd)
			case own:
				return c.ownNames(cmd)
			case purge:
				if err := c.Client().PurgeNameCache(cmd.Context()); err != nil {
					return err
				}
				c.Printf("    Successful purge and preload of the NBT Remote Cache Name Table.\n")
				return nil
			}
			return program.Misuse("messngr nbtstat --help", "say what to show: -A ADDRESS, -a NAME, -c, -n or -R")
		},
	}
	f := cmd.Flags()
	f.StringVarP(&address, "adapter", "A", "", "the names of the machine at this `ADDRESS`")
	f.StringVarP(&name, "name", "a", "", "the names of the machine that has this `NAME`")
	f.BoolVarP(&cached, "cache", "c", false, "the names whose place is remembered")
	f.BoolVarP(&own, "names", "n", false, "the names of this machine")
	f.BoolVarP(&purge, "purge", "R", false, "forget the names whose place is remembered, and read LMHOSTS again")
	return cmd
}

func (c Commands) adapter(cmd *cobra.Command, address, name string) error {
	t, err := c.Client().Adapter(cmd.Context(), address, name)
	if err != nil {
		return err
	}
	c.Printf("\n           NetBIOS Remote Machine Name Table of %s\n\n", oem.CleanLine(t.Address))
	c.nbtHead("       Name               Type         Status")
	for _, n := range t.Names {
		status := "Registered"
		if n.Conflict {
			status = "Conflict"
		}
		c.nbtRow(n.Name, n.Suffix, n.Group, status)
	}
	if t.Hardware != "" {
		c.Printf("\n    MAC Address = %s\n", oem.CleanLine(t.Hardware))
	}
	c.Printf("\n")
	return nil
}

func (c Commands) ownNames(cmd *cobra.Command) error {
	list, err := c.Client().Names(cmd.Context())
	if err != nil {
		return err
	}
	c.Printf("\n                NetBIOS Local Name Table\n\n")
	c.nbtHead("       Name               Type         Status")
	for _, n := range list.Names {
		c.nbtRow(n.Name, n.Suffix, n.Group, capital(n.State))
	}
	c.Printf("\n")
	return nil
}

func (c Commands) nameCache(cmd *cobra.Command) error {
	list, err := c.Client().NameCache(cmd.Context())
	if err != nil {
		return err
	}
	if len(list.Names) == 0 {
		c.Printf("\n    No names in cache\n\n")
		return nil
	}
	c.Printf("\n                NetBIOS Remote Cache Name Table\n\n")
	c.nbtHead("       Name           Host Address     Life [sec]")
	for _, n := range list.Names {
		life := fmt.Sprint(n.LifeSeconds)
		if n.LifeSeconds == 0 {
			life = "-1"
		}
		for _, address := range n.Addresses {
			c.Printf("    %-15s<%02X>   %-16s %s\n", oem.CleanLine(n.Name), n.Suffix, oem.CleanLine(address), life)
		}
	}
	c.Printf("\n")
	return nil
}

func (c Commands) nbtHead(line string) {
	c.Printf("%s\n    %s\n", line, strings.Repeat("-", 60))
}

func (c Commands) nbtRow(name string, suffix int, group bool, status string) {
	c.Printf("    %-15s<%02X>  %-10s   %s\n", oem.CleanLine(name), suffix, nbtType(group), oem.CleanLine(status))
}

func nbtType(group bool) string {
	if group {
		return "GROUP"
	}
	return "UNIQUE"
}

// capital writes a word with a capital letter.
func capital(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
