package operate

import (
	"context"
	"strings"
	"time"

	"messngr/cli/login"
	"messngr/remote"
	"messngr/wire/oem"
)

// remoteTime is how long a command may talk with another machine.
const remoteTime = time.Minute

// listRemoteNames prints the message names of another machine.
func (c Commands) listRemoteNames(ctx context.Context, o login.Options, json bool) error {
	return c.withRemote(ctx, o, func(ctx context.Context, names *remote.Names) error {
		list, err := names.List(ctx)
		if err != nil {
			return err
		}
		rows := [][]string{{"NAME"}}
		for _, name := range list {
			if json {
				if err := c.JSON(map[string]string{"name": name}); err != nil {
					return err
				}
			}
			rows = append(rows, []string{oem.CleanLine(name)})
		}
		if !json {
			c.Table(rows)
		}
		return nil
	})
}

// addRemoteName gives another machine a name.
func (c Commands) addRemoteName(ctx context.Context, o login.Options, name string) error {
	return c.withRemote(ctx, o, func(ctx context.Context, names *remote.Names) error {
		if err := names.Add(ctx, name); err != nil {
			return err
		}
		c.Printf("%s is registered at %s\n", oem.CleanLine(strings.ToUpper(name)), oem.CleanLine(o.Server))
		return nil
	})
}

// removeRemoteName takes a name from another machine.
func (c Commands) removeRemoteName(ctx context.Context, o login.Options, name string) error {
	return c.withRemote(ctx, o, func(ctx context.Context, names *remote.Names) error {
		if err := names.Remove(ctx, name); err != nil {
			return err
		}
		c.Printf("%s is given up by %s\n", oem.CleanLine(strings.ToUpper(name)), oem.CleanLine(o.Server))
		return nil
	})
}

// withRemote logs in to another machine and does something there.
func (c Commands) withRemote(ctx context.Context, o login.Options, do func(context.Context, *remote.Names) error) error {
	names, err := o.Connect(ctx, c.Run)
	if err != nil {
		return err
	}
	defer names.Close()
	ctx, cancel := context.WithTimeout(ctx, remoteTime)
	defer cancel()
	return do(ctx, names)
}
