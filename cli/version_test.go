package cli

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}, {Key: "vcs.revision", Value: "0123456789abcdef"},
	}}
	if got, want := version(info), "v1.2.3 0123456789ab (go1.26.0 linux/arm64)"; got != want {
		t.Errorf("version = %q, want %q", got, want)
	}
	if got := version(nil); got != "unknown" {
		t.Errorf("version of nothing = %q", got)
	}
}
