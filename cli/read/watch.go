package read

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/console"
	"messngr/cli/phrase"
	"messngr/cli/program"
	"messngr/control"
	"messngr/wire/oem"
)

// reconnectPause is the time between two attempts to find a service that went
// away, which usually is one that starts anew.
const reconnectPause = time.Second

// Watch is messngr watch.
func (c Commands) Watch() *cobra.Command {
	var json bool
	var after int64
	var limit int
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show messages as they arrive",
		Long: `Show every new message until Ctrl-C. If the service is started anew it goes on
where it was, so that no message is left out. The objects of --json are those of
messngr inbox list.`,
		Example: `  messngr watch
  messngr watch --json | while read -r line; do echo "$line" >> log; done`,
		Args: program.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return program.Misuse("use --count 1", "--count %d is less than nothing", limit)
			}
			shown := 0
			show := func(m control.Message) error {
				after = m.Seq
				if json {
					if err := c.JSON(m); err != nil {
						return err
					}
				} else {
					c.printArrival(&m)
				}
				if shown++; shown == limit {
					return program.Exit(program.OK)
				}
				return nil
			}
			return c.watch(cmd.Context(), &after, show)
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print one JSON object per message")
	cmd.Flags().Int64Var(&after, "after", -1, "begin after the message with this `number`; 0: with the oldest (default: only new ones)")
	cmd.Flags().Lookup("after").DefValue = "0" // the help has said it in words
	cmd.Flags().IntVar(&limit, "count", 0, "end after this `number` of messages (default: never)")
	return cmd
}

// watch shows messages until ctx ends or show returns an error. Only the first
// attempt to reach the service may fail.
func (c Commands) watch(ctx context.Context, after *int64, show func(control.Message) error) error {
	if *after < 0 {
		// The newest number now, so that nothing is lost if the first message
		// arrives while the service is away.
		l, err := c.Client().Messages(ctx, control.MessageQuery{Limit: 1})
		if err != nil {
			return err
		}
		if *after = 0; len(l.Messages) > 0 {
			*after = l.Messages[0].Seq
		}
	} else if _, err := c.Client().Status(ctx); err != nil {
		return err
	}
	var failed error
	stop := func(m control.Message) error {
		failed = show(m)
		return failed
	}
	for away := false; ; {
		err := c.Client().Watch(ctx, *after, stop)
		var declined *control.Error
		switch {
		case err == nil, ctx.Err() != nil:
			return nil
		case failed != nil:
			return failed
		case errors.As(err, &declined):
			return err
		case !away:
			fmt.Fprintln(c.Stderr, "messngr: the service went away; waiting for it")
			away = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reconnectPause):
		}
	}
}

// printArrival prints one message for somebody who watches.
func (c Commands) printArrival(m *control.Message) {
	c.Printf("%s  %s%s to %s, number %d\n", m.ReceivedAt.Local().Format("15:04:05"), phrase.Emphasis(m.Drill, m.Level), phrase.Sender(m), oem.CleanLine(m.To), m.Seq)
	if m.Warning != "" {
		c.Printf("  [%s]\n", oem.CleanLine(m.Warning))
	}
	if m.Title != "" {
		c.Printf("  %s\n", oem.CleanLine(m.Title))
	}
	console.Indent(c.Stdout, strings.TrimRight(m.Text, "\r\n"))
	if len(m.Answers) > 0 {
		c.Printf("  Answers: %s\n", oem.CleanLine(strings.Join(m.Answers, " / ")))
	}
}
