// Package docs writes what is generated from the table of commands: manual pages, the
// reference in Markdown, and completions; so help, manual and reference say the same.
package docs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/program"
)

// Command is messngr docs, as a part of one run of the program. Packages are built with
// it; people need the reference of the configuration.
func Command(run *program.Run) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "docs",
		Short:   "Write manual pages, completions and references",
		Example: "  messngr docs config\n  messngr docs man build/man",
		Hidden:  true,
		Args:    program.NoSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return program.Misuse("see: messngr docs --help", "docs needs a command")
		},
	}
	cmd.AddCommand(
		configCommand(run),
		&cobra.Command{
			Use:               "man FOLDER",
			Short:             "Write a manual page for every command",
			Example:           "  messngr docs man build/man",
			Args:              program.Args(1, 1),
			ValidArgsFunction: complete.Folders,
			RunE: func(cmd *cobra.Command, args []string) error {
				return writeFiles(args[0], Pages(cmd.Root()))
			},
		},
		&cobra.Command{
			Use:               "completions FOLDER",
			Short:             "Write the completions for bash, zsh and fish",
			Example:           "  messngr docs completions build/completions",
			Args:              program.Args(1, 1),
			ValidArgsFunction: complete.Folders,
			RunE: func(cmd *cobra.Command, args []string) error {
				return writeCompletions(args[0], cmd.Root())
			},
		},
		&cobra.Command{
			Use:     "markdown",
			Short:   "Print the reference of all commands, doc/cli.md",
			Example: "  messngr docs markdown > doc/cli.md",
			Args:    program.Args(0, 0),
			RunE: func(cmd *cobra.Command, _ []string) error {
				run.Printf("%s", Markdown(cmd.Root()))
				return nil
			},
		},
	)
	return cmd
}

func configCommand(run *program.Run) *cobra.Command {
	return &cobra.Command{
		Use:     "config",
		Short:   "Print a configuration file that names and explains every key",
		Example: "  messngr docs config | sudo tee /etc/messngr/messngr.toml",
		Args:    program.Args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if run.Reference == nil {
				return errors.New("this program was built without the service")
			}
			text, err := run.Reference()
			if err == nil {
				_, err = run.Stdout.Write(text)
			}
			return err
		},
	}
}

func writeFiles(folder string, files map[string]string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func writeCompletions(folder string, root *cobra.Command) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	err := errors.Join(
		root.GenBashCompletionFileV2(filepath.Join(folder, "messngr.bash"), true),
		root.GenZshCompletionFile(filepath.Join(folder, "_messngr")),
		root.GenFishCompletionFile(filepath.Join(folder, "messngr.fish"), true),
	)
	if err != nil {
		return fmt.Errorf("write completions: %w", err)
	}
	return nil
}
