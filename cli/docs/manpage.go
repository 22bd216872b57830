package docs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Pages returns a manual page for root and for every command below it that is
// not hidden, by file name, such as "messngr-inbox-list.1". The annotations of a command
// become sections of its page, with lines such as "name: what it is".
func Pages(root *cobra.Command) map[string]string {
	pages := map[string]string{}
	each(root, func(c *cobra.Command) {
		pages[pageName(c)+".1"] = page(c)
	})
	return pages
}

// each calls do for c and, in their order, the commands below it that people
// are to know of.
func each(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			each(sub, do)
		}
	}
}

func pageName(c *cobra.Command) string {
	return strings.ReplaceAll(c.CommandPath(), " ", "-")
}

// page writes one page in the macros of man(7).
func page(c *cobra.Command) string {
	var b strings.Builder
	name := pageName(c)
	// Names of commands are neither stretched nor hyphenated: they are to be copied.
	fmt.Fprintf(&b, ".TH %q 1\n.nh\n.ad l\n", strings.ToUpper(name))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(name), escape(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", escape(c.UseLine()))
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, ".br\n.B %s\n.I command\n", escape(c.CommandPath()))
	}
	b.WriteString(".SH DESCRIPTION\n")
	paragraphs(&b, description(c))
	if c.HasAvailableSubCommands() {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", escape(sub.Name()), escape(sub.Short))
			}
		}
	}
	options(&b, "OPTIONS", c.NonInheritedFlags())
	options(&b, "OPTIONS OF ALL COMMANDS", c.InheritedFlags())
	for _, title := range slices.Sorted(maps.Keys(c.Annotations)) {
		fmt.Fprintf(&b, ".SH %s\n", title)
		items(&b, c.Annotations[title])
	}
	if c.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", escape(c.Example))
	}
	seeAlso(&b, c)
	return b.String()
}

// items writes lines such as "name: what it is" as a list.
func items(b *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		name, about, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", escape(name), escape(about))
	}
}

func description(c *cobra.Command) string {
	if c.Long != "" {
		return c.Long
	}
	return c.Short + "."
}

// paragraphs fills text; lines that begin with blanks stay as they are.
func paragraphs(b *strings.Builder, text string) {
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if strings.HasPrefix(p, " ") || strings.HasPrefix(p, "\t") {
			fmt.Fprintf(b, ".nf\n%s\n.fi\n", escape(p))
			continue
		}
		b.WriteString(escape(p) + "\n")
	}
}

func options(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		b.WriteString(".TP\n.B ")
		if f.Shorthand != "" {
			b.WriteString(escape("-"+f.Shorthand) + ", ")
		}
		b.WriteString(escape("--" + f.Name))
		if value != "" {
			b.WriteString(" \\fI" + escape(value) + "\\fR")
		}
		b.WriteString("\n" + escape(usage) + defaultOf(f) + "\n")
	})
}

// defaultOf tells the default of an option, as its help does.
func defaultOf(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
		return ""
	}
	return escape(" (default " + f.DefValue + ")")
}

func seeAlso(b *strings.Builder, c *cobra.Command) {
	var pages []string
	if c.HasParent() {
		pages = append(pages, pageName(c.Parent()))
	}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			pages = append(pages, pageName(sub))
		}
	}
	if len(pages) == 0 {
		return
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, p := range pages {
		end := ","
		if i == len(pages)-1 {
			end = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", escape(p), end)
	}
}

// escape keeps roff from taking text for requests. Hyphens stay hyphens that
// can be copied.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// Markdown returns the reference of all commands.
func Markdown(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Commands of %s\n\nWritten by `%s docs markdown`; change the program and not this page.\n", root.Name(), root.Name())
	each(root, func(c *cobra.Command) {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n```\n%s\n```\n", c.CommandPath(), c.Short, c.UseLine())
		if c.Long != "" {
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.Long))
		}
		if usages := c.NonInheritedFlags().FlagUsages(); usages != "" {
			fmt.Fprintf(&b, "\n```\n%s```\n", usages)
		}
		if c.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n\n```sh\n%s\n```\n", unindent(c.Example))
		}
	})
	return b.String()
}

func unindent(s string) string {
	return strings.TrimPrefix(strings.ReplaceAll(s, "\n  ", "\n"), "  ")
}
