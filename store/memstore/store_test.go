package memstore_test

import (
	"testing"

	"messngr/store"
	"messngr/store/memstore"
	"messngr/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memstore.New() }, nil)
}
