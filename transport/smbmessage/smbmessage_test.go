package smbmessage_test

import (
	"testing"

	"messngr"
	"messngr/transport/smbmessage"
	"messngr/transport/transporttest"
)

func TestSuite(t *testing.T) {
	transporttest.Run(t, transporttest.Suite{
		Kind: smbmessage.Kind(), Best: messngr.Accepted, Limit: 65536, Answers: true,
	})
}
