package send

import (
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"messngr/cli/complete"
	"messngr/cli/program"
	"messngr/control"
)

// contentFlags are the options that say what a message is, beside its text.
type contentFlags struct {
	level, title, ask string
	drill             bool
	expire            time.Duration
}

func (f *contentFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.level, "level", "info", "`level` of importance: info, notice, urgent or emergency")
	cmd.Flags().BoolVar(&f.drill, "drill", false, "mark it as an exercise")
	cmd.Flags().StringVar(&f.title, "title", "", "`headline` of one line")
	cmd.Flags().StringVar(&f.ask, "ask", "", "`answers` to choose from, such as \"Yes,No,Later\"")
	cmd.Flags().DurationVar(&f.expire, "expire", 0, "it may wait for a route for this `time`, such as 2h, and is void after it (default: one try, now)")
	complete.Flag(cmd, "level", "info", "notice", "urgent", "emergency")
}

// apply puts the options into the request.
func (f *contentFlags) apply(req *control.SendRequest) error {
	if err := req.Level.UnmarshalText([]byte(f.level)); err != nil {
		return program.Misuse("use info, notice, urgent or emergency", "there is no level %q", f.level)
	}
	req.Drill, req.Title, req.Answers = f.drill, f.title, nil
	if f.ask != "" {
		for answer := range strings.SplitSeq(f.ask, ",") {
			if answer = strings.TrimSpace(answer); answer == "" {
				return program.Misuse("use something like --ask \"Yes,No,Later\"", "--ask %q has an empty answer", f.ask)
			}
			req.Answers = append(req.Answers, answer)
		}
	}
	var err error
	req.ExpireSeconds, err = wholeSeconds(f.expire)
	return err
}

func wholeSeconds(d time.Duration) (int, error) {
	if d < 0 {
		return 0, program.Misuse("use something like --expire 2h", "--expire %v is in the past", d)
	}
	return int(math.Ceil(d.Seconds())), nil
}
