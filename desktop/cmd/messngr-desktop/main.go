// Command messngr-desktop is what a person sees of messngr on a desktop: pop-ups
// and a window, by GTK 3.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"messngr/desktop/face"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(face.Main(ctx, face.Env{Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}))
}
