package read_test

import (
	"path/filepath"
	"testing"

	"messngr/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

func TestScripts(t *testing.T) {
	linpopup, err := filepath.Abs("../../wire/linpopup/testdata")
	if err != nil {
		t.Fatal(err)
	}
	clitest.Scripts(t, "LINPOPUP="+linpopup)
}
