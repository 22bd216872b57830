//go:build !linux

package install

import (
	"context"
	"fmt"
	"io"

	"github.com/kardianos/service"
)

// program is the service as the system's manager of services runs it.
type program struct {
	run    func(context.Context) error
	cancel context.CancelFunc
	done   chan error
}

// Start implements service.Interface.
func (p *program) Start(service.Service) error {
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(context.Background())
	p.done = make(chan error, 1)
	go func() { p.done <- p.run(ctx) }()
	return nil
}

// Stop implements service.Interface.
func (p *program) Stop(service.Service) error {
	p.cancel()
	return <-p.done
}

func newService(run func(context.Context) error, args []string) (service.Service, error) {
	return service.New(&program{run: run}, &service.Config{
		Name:        "messngr",
		DisplayName: "Messenger (messngr)",
		Description: "Receives and sends the messages of NET SEND and WinPopup.",
		Arguments:   args,
	})
}

// Service installs program as a service of this machine and starts it.
func Service(_ context.Context, out, _ io.Writer, _ string, o Options) error {
	s, err := newService(nil, o.arguments())
	if err != nil {
		return err
	}
	if err := s.Install(); err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	if err := s.Start(); err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	fmt.Fprintf(out, "installed and started; see: messngr status\n")
	return nil
}

// Remove stops the service and removes what Service made.
func Remove(_ context.Context, out, errs io.Writer, purge bool) error {
	s, err := newService(nil, nil)
	if err != nil {
		return err
	}
	if err := s.Stop(); err != nil {
		fmt.Fprintln(errs, "messngr: stop the service:", err)
	}
	if err := s.Uninstall(); err != nil {
		return fmt.Errorf("remove the service: %w", err)
	}
	fmt.Fprintf(out, "stopped and removed\n")
	if purge {
		fmt.Fprintf(out, "the messages are still there: remove the folder that messngr status named\n")
	}
	return nil
}

// Run runs the service as this process, or as the system's manager of services
// demands it where that started the process.
func Run(ctx context.Context, run func(context.Context) error) error {
	if service.Interactive() {
		return run(ctx)
	}
	s, err := newService(run, nil)
	if err != nil {
		return err
	}
	return s.Run()
}

// Start starts the service that is installed.
func Start(context.Context, io.Writer, io.Writer) error {
	s, err := newService(nil, nil)
	if err != nil {
		return err
	}
	return s.Start()
}

// StartCommand is how people start the service here.
func StartCommand() string { return "messngr serve" }
