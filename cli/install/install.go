// Package install makes this program a service of the machine that it runs on,
// by the means of its system: systemd on Linux, the manager of services
// elsewhere.
package install

// Options say how the service is run.
type Options struct {
	Interfaces []string // names of interfaces, or "lan"; none: loopback
	Config     string   // path of the configuration file; "": the usual one
}

// arguments are the words that follow the program's name.
func (o Options) arguments() []string {
	args := []string{"serve"}
	if o.Config != "" {
		args = append(args, "--config", o.Config)
	}
	for _, i := range o.Interfaces {
		args = append(args, "--interface", i)
	}
	return args
}
