//go:build linux

package interop_test

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"messngr/interop/labtest"
)

// What the packages bring for desktops is what desktops read.
func TestDesktopFiles(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "desktop-file-validate", "appstreamcli")
	ctx := labtest.Context(t, time.Minute)
	const dir = "../packaging/desktop"
	for _, args := range [][]string{
		{"desktop-file-validate", "messngr.desktop", "messngr-tray.desktop"},
		{"appstreamcli", "validate", "--no-net", "org.messngr.Messngr.metainfo.xml"},
	} {
		if out, err := command(ctx, dir, args[0], args[1:]...); err != nil {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	icons, err := filepath.Glob(dir + "/icons/*/messngr.png")
	if err != nil || len(icons) < 6 {
		t.Fatalf("icons %q, %v", icons, err)
	}
	for _, path := range icons {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := png.DecodeConfig(f)
		f.Close()
		if size := filepath.Base(filepath.Dir(path)); err != nil || fmt.Sprintf("%dx%d", c.Width, c.Height) != size {
			t.Errorf("%s is %d by %d, %v", path, c.Width, c.Height, err)
		}
	}
}
