package complete

import "github.com/spf13/cobra"

// Flag says which values the shell may offer for an option of cmd, which must have it.
func Flag(cmd *cobra.Command, name string, values ...cobra.Completion) {
	FlagBy(cmd, name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// FlagBy says who knows what the shell may offer for an option of cmd, which must have it.
func FlagBy(cmd *cobra.Command, name string, offer cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(name, offer); err != nil {
		panic(err) // an option that the line above did not add
	}
}
