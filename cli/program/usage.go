package program

import (
	"strings"

	"github.com/spf13/cobra"
)

// Args is the number of words that a command takes; most < 0: any number.
func Args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Misuse("usage: "+cmd.UseLine(), "%s: something is missing", commandWords(cmd))
		case most >= 0 && len(args) > most:
			return Misuse("usage: "+cmd.UseLine(), "%s: %q is too much", commandWords(cmd), args[most])
		}
		return nil
	}
}

// commandWords are the words of a command behind the program's name.
func commandWords(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// NoSuchCommand is a cobra.PositionalArgs for a command that has commands of its
// own: it refuses words that are none of them, and says what may be meant.
func NoSuchCommand(cmd *cobra.Command, args []string) error {
	return noSuchCommand(cmd, args, "see: "+cmd.CommandPath()+" --help")
}

// Missing is NoSuchCommand where people leave a command out: it says so of words
// that may be meant for it.
func Missing(command string, fits func(word string) bool) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || !fits(args[0]) {
			return NoSuchCommand(cmd, args)
		}
		return noSuchCommand(cmd, args, "did you mean: "+cmd.CommandPath()+" "+command+" "+args[0])
	}
}

// noSuchCommand refuses words. The hint is for words that are not similar to any command.
func noSuchCommand(cmd *cobra.Command, args []string, hint string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 1 + min(1, len(args[0])/4)
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		hint = "did you mean: " + cmd.CommandPath() + " " + similar[0]
	} else if cmd == cmd.Root() && len(args) > 1 {
		hint = "to send a message: messngr send " + args[0] + " ..."
	}
	return Misuse(hint, "no command %q in %s", args[0], cmd.CommandPath())
}

// WrongFlag is what cobra calls for an option that it does not understand.
func WrongFlag(cmd *cobra.Command, err error) error {
	what, _, _ := strings.Cut(err.Error(), ": strconv.") // whose words are for programmers
	return Misuse("see: "+cmd.CommandPath()+" --help", "%s", what)
}
