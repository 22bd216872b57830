package sqlitestore_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"messngr"
	"messngr/store"
	"messngr/store/sqlitestore"
	"messngr/store/storetest"
)

// benchMessage is like most that a network brings: a claimed sender, an address
// and about 100 bytes of text.
func benchMessage(tb testing.TB, n int64) store.Incoming {
	id, err := messngr.NewID()
	if err != nil {
		tb.Fatal(err)
	}
	return store.Incoming{
		Origin: messngr.Origin(fmt.Sprintf("smb/%d/1", n)),
		Message: &messngr.Message{
			ID: id, Time: time.Now(), To: "SERVER", Via: "smb", Level: messngr.LevelNotice,
			From: messngr.From{Claimed: "ALICE", Address: netip.MustParseAddr("10.0.0.7")},
			Text: fmt.Sprintf("Message %d: ", n) + strings.Repeat("the printer is on fire ", 4),
		},
	}
}

func TestStore(t *testing.T) {
	paths := make(map[store.Store]string)
	open := func(t *testing.T, path string) store.Store {
		s, err := sqlitestore.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		paths[s] = path
		return s
	}
	storetest.Run(t,
		func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "state", "messages.db")) },
		func(t *testing.T, s store.Store) store.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, paths[s])
		})
}
