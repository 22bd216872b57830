// Package complete says what a shell may offer behind a command: names, messages, rules,
// interfaces. It asks the running service, for a moment, and offers nothing without one.
//
// What is offered goes to a shell, and some of it comes from strangers: whatever is not
// made of harmless characters is left out.
package complete

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
)

const (
	// patience is how long the service may take: a person waits for the key.
	patience = 500 * time.Millisecond
	// newest is how many messages are offered, and looked through for names.
	newest = 20
	// messenger is the suffix of NetBIOS names that take messages.
	messenger = 0x03
)

// Recipients offers those whom a message may be for: who was reached before, names
// whose place is remembered, and the words for many. Only the first word is one, and it
// may be a list.
func Recipients(run *program.Run) cobra.CompletionFunc {
	return first(run, func(ctx context.Context, c *control.Client, typed string) []cobra.Completion {
		names := []string{"everyone", "/users"}
		if sent, err := c.Sent(ctx, control.MessageQuery{Limit: newest}); err == nil {
			for _, m := range sent.Messages {
				for _, r := range m.Recipients {
					if r.Reached {
						names = append(names, r.To)
					}
				}
			}
		}
		if cache, err := c.NameCache(ctx); err == nil {
			for _, n := range cache.Names {
				if n.Suffix == messenger {
					names = append(names, n.Name)
				}
			}
		}
		before := typed[:strings.LastIndex(typed, ",")+1]
		var offer []cobra.Completion
		for _, name := range names {
			offer = append(offer, before+name)
		}
		return offer
	})
}

// Message offers, as the first word, the numbers of the newest messages, with who sent
// them and when.
func Message(run *program.Run) cobra.CompletionFunc { return first(run, received) }

// Messages offers the same as Message for every word.
func Messages(run *program.Run) cobra.CompletionFunc { return every(run, received) }

func received(ctx context.Context, c *control.Client, _ string) []cobra.Completion {
	offer := []cobra.Completion{"last"}
	list, err := c.Messages(ctx, control.MessageQuery{Limit: newest})
	if err != nil {
		return offer
	}
	for _, m := range list.Messages {
		about := harmless(m.From) + " " + phrase.Clock(m.ReceivedAt, time.Now())
		offer = append(offer, cobra.CompletionWithDesc(strconv.FormatInt(m.Seq, 10), about))
	}
	return offer
}

// Sent offers the ids of the newest messages that were sent, with when.
func Sent(run *program.Run) cobra.CompletionFunc {
	return first(run, func(ctx context.Context, c *control.Client, _ string) []cobra.Completion {
		offer := []cobra.Completion{"last"}
		list, err := c.Sent(ctx, control.MessageQuery{Limit: newest})
		if err != nil {
			return offer
		}
		for _, m := range list.Messages {
			offer = append(offer, cobra.CompletionWithDesc(phrase.ShortID(m.ID), phrase.Clock(m.SentAt, time.Now())))
		}
		return offer
	})
}

// Aliases offers the names that this machine has beside its own.
func Aliases(run *program.Run) cobra.CompletionFunc {
	return first(run, func(ctx context.Context, c *control.Client, _ string) []cobra.Completion {
		list, err := c.Names(ctx)
		if err != nil {
			return nil
		}
		var offer []cobra.Completion
		for _, n := range list.Names {
			if n.Kind == "alias" {
				offer = append(offer, n.Name)
			}
		}
		return offer
	})
}

// Rules offers the rules that messngr policy can remove: first their verdicts, and then
// what they match.
func Rules(run *program.Run) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		list, err := run.Client().Rules(ctx)
		if err != nil || len(args) > 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var offer []cobra.Completion
		for _, r := range list.Rules {
			switch {
			case r.Source != "set":
			case len(args) == 0:
				offer = append(offer, r.Verdict)
			case args[0] == r.Verdict:
				offer = append(offer, r.Match)
			}
		}
		return fit(offer), cobra.ShellCompDirectiveNoFileComp
	}
}

// Interfaces offers the interfaces of this machine, and the word for all of its networks.
func Interfaces(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	offer := []cobra.Completion{"lan"}
	list, err := net.Interfaces()
	if err != nil {
		list = nil
	}
	for _, i := range list {
		offer = append(offer, i.Name)
	}
	return fit(offer), cobra.ShellCompDirectiveNoFileComp
}

// Files offers the names of files.
func Files(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// Folders offers the names of folders.
func Folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// lookup asks the service what may be offered for what was typed of a word.
type lookup func(ctx context.Context, c *control.Client, typed string) []cobra.Completion

// every offers the same for every word.
func every(run *program.Run, ask lookup) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		return fit(ask(ctx, run.Client(), typed)), cobra.ShellCompDirectiveNoFileComp
	}
}

// first offers something for the first word only.
func first(run *program.Run, ask lookup) cobra.CompletionFunc {
	offer := every(run, ask)
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(cmd, args, typed)
	}
}

// fit drops what occurs twice and what a shell could take for more than a word.
func fit(offer []cobra.Completion) []cobra.Completion {
	slices.Sort(offer)
	return slices.DeleteFunc(slices.Compact(offer), func(c cobra.Completion) bool {
		word, _, _ := strings.Cut(c, "\t")
		return word == "" || word != harmless(word)
	})
}

// harmless is a text with an underscore in the place of every character that could mean
// something to a shell or a terminal.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-._@:/,", r):
			return r
		}
		return '_'
	}, s)
}
