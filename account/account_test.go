package account_test

import (
	"errors"
	"os"
	"os/user"
	"testing"

	"messngr/account"
)

func TestOwnAccount(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	var b account.Book
	byUID, err := b.ByUID(os.Getuid())
	if err != nil || byUID.Login != me.Username || byUID.UID != os.Getuid() {
		t.Errorf("ByUID = %+v, %v; want %s", byUID, err, me.Username)
	}
	byName, err := b.ByName(me.Username)
	if err != nil || byName.UID != os.Getuid() {
		t.Errorf("ByName = %+v, %v; want user %d", byName, err, os.Getuid())
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	if !b.InGroup(byName, group.Name) {
		t.Errorf("%s is not in the group %s", me.Username, group.Name)
	}
	if b.InGroup(byName, "no such group") {
		t.Error("somebody is in no group")
	}
}

func TestUnknown(t *testing.T) {
	var b account.Book
	if a, err := b.ByUID(4242424); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("ByUID = %+v, %v", a, err)
	}
	for _, login := range []string{"", "4242424", "-h", "no:body", "../nobody", "\x00", "nobody of that name"} {
		if a, err := b.ByName(login); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("ByName(%q) = %+v, %v", login, a, err)
		}
	}
}
