package names_test

import (
	"net/netip"
	"testing"

	"messngr/names"
)

func TestKindString(t *testing.T) {
	for kind, want := range map[names.Kind]string{
		names.Computer: "computer", names.Workgroup: "workgroup", names.User: "user", names.Alias: "alias",
	} {
		if got := kind.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTakenErrorSaysWhoHasTheName(t *testing.T) {
	for want, err := range map[string]*names.TakenError{
		"name BACKUP is owned by 10.0.0.9":        {Name: "BACKUP", Owner: netip.MustParseAddr("10.0.0.9")},
		"name BACKUP is owned by another machine": {Name: "BACKUP"},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOfLogin(t *testing.T) {
	for login, want := range map[string]string{
		"alice": "alice", `WARD\alice`: "alice", "alice@ward.example": "alice", `WARD\`: `WARD\`, "@": "@", "": "",
	} {
		if got := names.OfLogin(login); got != want {
			t.Errorf("OfLogin(%q) = %q, want %q", login, got, want)
		}
	}
}
