package netcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"messngr/remote"
	"messngr/wire/oem"
)

// NameTable is the message names of another computer; *remote.Names is one.
type NameTable interface {
	List(ctx context.Context) ([]string, error)
	Add(ctx context.Context, name string) error
	Remove(ctx context.Context, name string) error
	Close() error
}

// unexpected is what everything is that Windows has no number of its own for.
const unexpected = 59

// remoteName is NET NAME \\computer [name [/ADD | /DELETE]] [/USER:[domain\]user], as other
// NET commands took a computer. A shell makes one backslash of two.
func (n net) remoteName(ctx context.Context, computer string, args []string) int {
	const userOption = "/USER:"
	user, rest := "", []string(nil)
	for _, arg := range args {
		if len(arg) > len(userOption) && strings.EqualFold(arg[:len(userOption)], userOption) && user == "" {
			user = arg[len(userOption):]
		} else {
			rest = append(rest, arg)
		}
	}
	name, option := "", ""
	switch {
	case len(rest) > 2 || len(rest) > 0 && strings.HasPrefix(rest[0], "/"):
		return n.misuse("NAME")
	case len(rest) > 0:
		name, option = rest[0], "/ADD"
	}
	if len(rest) == 2 {
		option = strings.ToUpper(rest[1])
	}
	remove := len(option) > 1 && strings.HasPrefix("/DELETE", option)
	switch {
	case option != "" && option != "/ADD" && !remove && strings.HasPrefix(option, "/"):
		return n.unknownOption("NAME", rest[1])
	case option != "" && option != "/ADD" && !remove:
		return n.misuse("NAME")
	}
	table, err := n.Remote(ctx, computer, user)
	if err != nil {
		return n.remoteError(err)
	}
	defer table.Close()
	switch {
	case name == "":
		return n.listRemote(ctx, table)
	case remove:
		err = table.Remove(ctx, name)
	default:
		err = table.Add(ctx, name)
	}
	if err != nil {
		return n.remoteError(err)
	}
	if remove {
		n.say("%s was deleted successfully.", strings.ToUpper(name))
	} else {
		n.say("The message name %s was added successfully.", strings.ToUpper(name))
	}
	return success
}

func (n net) listRemote(ctx context.Context, table NameTable) int {
	list, err := table.List(ctx)
	if err != nil {
		return n.remoteError(err)
	}
	n.nameList(list)
	return success
}

// nameList prints names as NET NAME did.
func (n net) nameList(list []string) {
	fmt.Fprintf(n.Stdout, "\nName\n%s\n", strings.Repeat("-", 79))
	for _, name := range list {
		fmt.Fprintln(n.Stdout, oem.CleanLine(name))
	}
	n.say("The command completed successfully.")
}

// remoteError prints what Windows calls an error, and what it is where that says nothing.
func (n net) remoteError(err error) int {
	var e *remote.Error
	if !errors.As(err, &e) {
		n.complain(err.Error())
		return failure
	}
	if _, known := lookup(e.Number); !known || e.Number == unexpected {
		n.complain(err.Error())
		return n.fail(unexpected)
	}
	return n.fail(e.Number)
}
