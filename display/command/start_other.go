//go:build unix && !linux

package command

import "os/exec"

// start starts cmd.
func start(cmd *exec.Cmd) error { return cmd.Start() }
