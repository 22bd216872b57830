package netcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"messngr/control"
	"messngr/wire/oem"
)

// complain prints a line of an error and the empty line that follows it.
func (n net) complain(line string) { fmt.Fprintf(n.Stderr, "%s\n\n", oem.CleanLine(line)) }

// name is NET NAME [\\computer] [name [/ADD | /DELETE]].
func (n net) name(ctx context.Context, args []string) int {
	if len(args) == 0 {
		return n.listNames(ctx)
	}
	if strings.HasPrefix(args[0], `\`) {
		return n.remoteName(ctx, strings.TrimLeft(args[0], `\`), args[1:])
	}
	name, option := args[0], "/ADD"
	switch {
	case strings.HasPrefix(name, "/"):
		return n.misuse("NAME")
	case len(args) == 2:
		option = strings.ToUpper(args[1])
	case len(args) > 2:
		return n.misuse("NAME")
	}
	shown := strings.ToUpper(name)
	switch {
	case option == "/ADD":
		return n.addName(ctx, name, shown)
	// Options could be shortened as far as they stayed clear.
	case len(option) > 1 && strings.HasPrefix("/DELETE", option):
		if err := n.Service.RemoveName(ctx, name); err != nil {
			var e *control.Error
			if errors.As(err, &e) && e.Code == "forbidden" && n.isComputer(ctx, name) {
				return n.fail(2278)
			}
			return n.declined(err)
		}
		n.say("%s was deleted successfully.", shown)
		return success
	case strings.HasPrefix(option, "/"):
		return n.unknownOption("NAME", args[1])
	}
	return n.misuse("NAME")
}

func (n net) addName(ctx context.Context, name, shown string) int {
	l, err := n.Service.Names(ctx)
	if err != nil {
		return n.declined(err)
	}
	for _, have := range l.Names {
		if isMessageName(have) && strings.EqualFold(have.Name, name) {
			return n.fail(2276)
		}
	}
	if _, err := n.Service.AddName(ctx, control.NameRequest{Name: name}); err != nil {
		return n.declined(err)
	}
	n.say("The message name %s was added successfully.", shown)
	return success
}

func (n net) isComputer(ctx context.Context, name string) bool {
	l, err := n.Service.Names(ctx)
	if err != nil {
		return false
	}
	for _, have := range l.Names {
		if have.Kind == "computer" && strings.EqualFold(have.Name, name) {
			return true
		}
	}
	return false
}

// isMessageName reports whether messages arrive under the name: the computer has
// others, such as that of its workstation, which NET NAME never listed.
func isMessageName(name control.Name) bool { return name.Suffix == 3 && !name.Group }

// listNames prints the message names: the computer's, the users', the others.
func (n net) listNames(ctx context.Context) int {
	l, err := n.Service.Names(ctx)
	if err != nil {
		return n.declined(err)
	}
	var list []string
	for _, kind := range []string{"computer", "user", "alias"} {
		for _, name := range l.Names {
			if name.Kind == kind && isMessageName(name) {
				list = append(list, name.Name)
			}
		}
	}
	n.nameList(list)
	return success
}

// The services that these commands know.
const (
	messenger = "Messenger"
	alerter   = "Alerter"
)

func serviceName(word string) (string, bool) {
	switch strings.ToUpper(word) {
	case "MESSENGER", "MESSNGR":
		return messenger, true
	case "ALERTER":
		return alerter, true
	}
	return "", false
}

// start is NET START [service].
func (n net) start(ctx context.Context, args []string) int {
	_, err := n.Service.Status(ctx)
	running := err == nil
	if len(args) == 0 {
		if !running {
			n.say("No network services are started.")
			return success
		}
		fmt.Fprintf(n.Stdout, "These Windows services are started:\n\n   %s\n\n", messenger)
		n.say("The command completed successfully.")
		return success
	}
	name, known := serviceName(args[0])
	switch {
	case len(args) > 1:
		return n.misuse("START")
	case !known:
		return n.fail(2185)
	case name == alerter:
		fmt.Fprintf(n.Stdout, "The %s service is starting.\n", name)
		return n.fail(3523, name)
	case running:
		return n.fail(2182)
	case !errors.Is(err, control.ErrNoService):
		return n.declined(err)
	}
	fmt.Fprintf(n.Stdout, "The %s service is starting.\n", name)
	if err := n.Start(ctx); err != nil {
		n.complain(fmt.Sprintf("The %s service could not be started.", name))
		return n.fail(3547, err.Error())
	}
	n.say("The %s service was started successfully.", name)
	return success
}

// control is NET STOP, PAUSE and CONTINUE service.
func (n net) control(ctx context.Context, command string, args []string) int {
	if len(args) != 1 {
		return n.misuse(command)
	}
	name, known := serviceName(args[0])
	if !known {
		return n.fail(2185)
	}
	if name == alerter {
		return n.fail(3521, name)
	}
	err := n.Service.Service(ctx, strings.ToLower(command))
	switch {
	case errors.Is(err, control.ErrNoService):
		return n.fail(3521, name)
	case err != nil:
		return n.declined(err)
	}
	switch command {
	case "STOP":
		fmt.Fprintf(n.Stdout, "The %s service is stopping.\n", name)
		n.say("The %s service was stopped successfully.", name)
	case "PAUSE":
		n.say("The %s service was paused successfully.", name)
	default:
		n.say("The %s service was continued successfully.", name)
	}
	return success
}
