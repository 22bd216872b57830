package tty_test

import (
	"testing"

	"messngr/display"
	"messngr/display/tty"
)

func TestKind(t *testing.T) {
	kind := tty.Kind()
	cfg, ok := kind.Config().(*tty.Config)
	if !ok || !cfg.Enabled {
		t.Fatalf("the default is %+v, want it switched on", cfg)
	}
	cfg.Enabled = false
	if d, err := kind.New(display.Env{}, cfg); d != nil || err != nil {
		t.Errorf("switched off: %v, %v, want nothing", d, err)
	}
	if _, err := kind.New(display.Env{}, "wrong"); err == nil {
		t.Error("a foreign configuration is taken")
	}
}
