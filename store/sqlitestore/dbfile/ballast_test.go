package dbfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"messngr/store/sqlitestore/dbfile"
)

func TestBallast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.db")
	b := dbfile.BallastOf(path)
	if n := b.Release(); n != 0 || b.Released() {
		t.Errorf("released %d bytes of nothing, %v", n, b.Released())
	}
	for _, tt := range []struct{ size, want int64 }{{100_000, 100_000}, {200_000, 200_000}, {50_000, 200_000}} {
		if err := b.Fill(tt.size); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path + "-ballast")
		if err != nil || info.Size() != tt.want {
			t.Fatalf("Fill(%d): %d bytes, %v; want %d", tt.size, info.Size(), err, tt.want)
		}
	}
	if b.Released() {
		t.Error("it counts as released before it is")
	}
	if n := b.Release(); n != 200_000 || !b.Released() {
		t.Errorf("released %d bytes, %v; want 200000", n, b.Released())
	}
	if info, err := os.Stat(path + "-ballast"); err != nil || info.Size() != 0 {
		t.Errorf("it is still there: %v, %v", info, err)
	}
}
