package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"messngr/store"
	"messngr/store/sqlitestore"
	"messngr/store/storetest"
)

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
