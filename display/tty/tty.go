// Package tty shows messages on the terminals of people who are logged on, as
// wall(1) and write(1) do.
package tty

import (
	"fmt"

	"messngr"
	"messngr/display"
)

// Config is the section display.tty of the configuration.
type Config struct {
	Enabled    bool   `toml:"enabled" comment:"show messages on the terminals of people who are logged on"`
	Lines      int    `toml:"lines" comment:"longest message in lines; the reader is told how to see the rest; 0: no limit"`
	IgnoreMesg string `toml:"ignore_mesg" comment:"level from which on a message shows even where mesg(1) says n: urgent, emergency, or never"`
}

// Kind returns the description of this display.
func Kind() display.Kind {
	return display.Kind{
		Name:    "tty",
		Summary: "every terminal of people who are logged on, as wall(1) and write(1) do",
		Config:  func() any { return &Config{Enabled: true, Lines: 100, IgnoreMesg: "urgent"} },
		New: func(env display.Env, config any) (messngr.Display, error) {
			cfg, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("tty: config is %T", config)
			}
			if !cfg.Enabled {
				return nil, nil
			}
			return newDisplay(env, *cfg)
		},
	}
}
