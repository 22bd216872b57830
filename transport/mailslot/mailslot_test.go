package mailslot_test

import (
	"testing"

	"messngr"
	"messngr/transport/mailslot"
	"messngr/transport/transporttest"
)

func TestSuite(t *testing.T) {
	transporttest.Run(t, transporttest.Suite{
		Kind: mailslot.Kind(), Best: messngr.Sent, Limit: 128, Groups: true,
	})
}
