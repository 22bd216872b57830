//go:build !unix

package command

import (
	"errors"
	"os"
	"os/exec"
)

// account is who a command runs as: here always as the service does.
type account struct{}

func lookupAccount(name string) (account, error) {
	if name != "" {
		return account{}, errors.New("on this operating system a command runs as the user of the service: leave user out")
	}
	return account{}, nil
}

// env is what programs of the system need, and nothing else of the service's.
func (account) env() []string {
	var env []string
	for _, name := range []string{"PATH", "SystemRoot", "SystemDrive", "TEMP", "USERPROFILE"} {
		if value := os.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// platform runs commands as this operating system does.
type platform struct{}

func (platform) run(cmd *exec.Cmd, _ account) error { return cmd.Run() }
