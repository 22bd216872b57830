// Command messngr is the Messenger service and its command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"messngr/cli"
	"messngr/cli/program"
	"messngr/daemon"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Main(ctx, program.Env{
		Args:      os.Args,
		Stdin:     os.Stdin,
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Getenv:    os.Getenv,
		Serve:     func(ctx context.Context, o program.ServeOptions) error { return daemon.Run(ctx, daemon.Options(o)) },
		Reference: daemon.ReferenceConfig,
	}))
}
