package recipients_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/router/recipients"
	"messngr/store"
)

// town is all that a Finder asks.
type town struct {
	people    []string
	err       error             // instead of people
	dns, wins map[string]string // name -> address
	delay     time.Duration

	mu    sync.Mutex
	asked []string
}

func (t *town) Canonical(name string) (string, error) {
	name = strings.ToUpper(strings.TrimSpace(name))
	if name == "" || len([]rune(name)) > 15 {
		return "", errors.New("not a message name")
	}
	return name, nil
}

func (t *town) People(context.Context) ([]string, error) { return t.people, t.err }

func (t *town) IsOwn(addr netip.Addr) bool { return addr == netip.MustParseAddr("10.0.0.17") }

func (t *town) LookupAddr(_ context.Context, host string) (netip.Addr, error) {
	return t.lookup("dns", host, t.dns)
}

func (t *town) LookupName(_ context.Context, name string) (netip.Addr, error) {
	return t.lookup("name", name, t.wins)
}

func (t *town) lookup(kind, name string, known map[string]string) (netip.Addr, error) {
	time.Sleep(t.delay)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, kind+" "+name)
	if addr, ok := known[name]; ok {
		return netip.MustParseAddr(addr), nil
	}
	return netip.Addr{}, errors.New("no such host")
}

// find asks PC17 in WORKGROUP.
func (t *town) find(ctx context.Context, q recipients.Query) ([]recipients.Recipient, error) {
	f := recipients.Finder{Names: t, Sessions: t, Resolver: t, Host: "PC17", Workgroup: "WORKGROUP", Local: "local"}
	return f.Find(ctx, q)
}

func TestFind(t *testing.T) {
	name := func(name string) messngr.Device { return messngr.Device{Name: name} }
	at := func(name, addr string) messngr.Device {
		return messngr.Device{Name: name, Address: netip.MustParseAddr(addr)}
	}
	group := func(name string) messngr.Device { return messngr.Device{Name: name, Group: true} }
	tests := []struct {
		to      string
		via     string // that the sender allows
		address string
		want    messngr.Device
		wantVia string
		lookups string
	}{
		{to: "pc18", want: name("PC18")},
		{to: "pc18", via: "rwall", want: name("PC18"), wantVia: "rwall"},
		{to: " Müller ", want: name("MÜLLER")},
		{to: "pc18", address: "10.0.0.18", want: at("PC18", "10.0.0.18")},
		{to: "pc17", want: name("PC17")},
		{to: "localhost", want: name("PC17"), wantVia: "local"},
		{to: "localhost", via: "smb", want: name("LOCALHOST"), wantVia: "smb"},
		{to: "10.0.0.18", want: at("", "10.0.0.18")},
		{to: "::ffff:10.0.0.18", want: at("", "10.0.0.18")},
		{to: "pc18.example.com", want: at("", "10.0.0.18"), lookups: "dns pc18.example.com"},
		{to: "john.doe", want: name("JOHN.DOE"), lookups: "dns john.doe"},
		{to: "john.doe", address: "10.0.0.18", want: at("JOHN.DOE", "10.0.0.18")},
		{to: "*", want: group("WORKGROUP")},
		{to: "Everyone", want: group("WORKGROUP")},
		{to: "/DOMAIN", want: group("WORKGROUP")},
		{to: "/domain:sales", want: group("SALES")},
		{to: "alice@10.0.0.18", want: at("ALICE", "10.0.0.18")},
		{to: "alice@pc18", want: at("ALICE", "10.0.0.18"), lookups: "name PC18"},
		{to: "john.doe@pc18", want: at("JOHN.DOE", "10.0.0.18"), lookups: "name PC18"},
		{to: "alice@fs01", want: at("ALICE", "10.0.0.1"), lookups: "name FS01,dns fs01"},
		{to: "alice@pc18.example.com", want: at("ALICE", "10.0.0.18"), lookups: "dns pc18.example.com"},
		{to: "alice@pc18", address: "10.0.0.7", want: at("ALICE", "10.0.0.7")},
		{to: "alice@localhost", want: name("alice"), wantVia: "local"},
		{to: "alice@127.0.0.1", want: name("alice"), wantVia: "local"},
		{to: "alice@10.0.0.17", want: name("alice"), wantVia: "local"},
		{to: "alice@pc17", want: name("alice"), wantVia: "local"},
		{to: "alice@ward.example@pc17", want: name("alice@ward.example"), wantVia: "local"},
		{to: `WARD\alice`, via: "local", want: name(`WARD\alice`), wantVia: "local"},
		{to: "john.doe", via: "local", want: name("john.doe"), wantVia: "local"},
		{to: "a-login-name-of-22-bytes@pc17", want: name("a-login-name-of-22-bytes"), wantVia: "local"},
	}
	for _, tt := range tests {
		t.Run(tt.to, func(t *testing.T) {
			around := &town{
				dns:  map[string]string{"pc18.example.com": "10.0.0.18", "fs01": "10.0.0.1"},
				wins: map[string]string{"PC18": "10.0.0.18"},
			}
			q := recipients.Query{To: []string{tt.to}, Via: tt.via, Admin: true}
			if tt.address != "" {
				q.Address = netip.MustParseAddr(tt.address)
			}
			got, err := around.find(t.Context(), q)
			want := []recipients.Recipient{{Recipient: store.Recipient{To: strings.TrimSpace(tt.to), Device: tt.want, Via: tt.wantVia}}}
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); err != nil || diff != "" {
				t.Errorf("%v, recipients (-want +got):\n%s", err, diff)
			}
			if asked := strings.Join(around.asked, ","); asked != tt.lookups {
				t.Errorf("looked up %q, want %q", asked, tt.lookups)
			}
		})
	}
}

// Whoever cannot be found does not keep the others from being.
func TestLost(t *testing.T) {
	got, err := new(town).find(t.Context(), recipients.Query{To: []string{"alice@pc99", "PC18", "a-long-name.example.com"}})
	if err != nil || len(got) != 3 {
		t.Fatalf("found %+v, %v", got, err)
	}
	for i, lost := range []bool{true, false, true} {
		if errors.Is(got[i].Lost, messngr.ErrUnknownName) != lost {
			t.Errorf("%s: %v", got[i].To, got[i].Lost)
		}
	}
}

func TestLookUpsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, err := (&town{delay: 2 * time.Second}).find(t.Context(), recipients.Query{To: []string{"a.example.com", "b.example.com", "c.example.com"}})
		if d := time.Since(begin); err != nil || d != 2*time.Second {
			t.Errorf("%v after %v, want three lookups at the same time", err, d)
		}
	})
}

func TestUsers(t *testing.T) {
	everybody := recipients.Query{To: []string{"/users"}, Admin: true}
	got, err := (&town{people: []string{"alice", "10.0.0.18", "somebody-with-a-long-name"}}).find(t.Context(), everybody)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, to := range got {
		list = append(list, to.To+" is "+to.Device.String()+to.Via)
	}
	// Who has too long a name for any network is reached here.
	want := []string{"alice is ALICE", "10.0.0.18 is 10.0.0.18", "somebody-with-a-long-name is somebody-with-a-long-namelocal"}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	nobody, err := new(town).find(t.Context(), everybody)
	if err != nil || len(nobody) != 1 || !errors.Is(nobody[0].Lost, messngr.ErrUnknownName) {
		t.Errorf("with nobody here: %+v, %v; want that nobody is", nobody, err)
	}
	broken := &town{err: errors.New("no logind")}
	if _, err := broken.find(t.Context(), everybody); !errors.Is(err, messngr.ErrUnavailable) || !errors.Is(err, broken.err) {
		t.Errorf("without sessions: %v, want that they cannot be listed", err)
	}
}

func TestMisuse(t *testing.T) {
	for want, q := range map[string]recipients.Query{
		"nobody to send to":                  {},
		"a recipient is empty":               {To: []string{" "}},
		"unknown recipient":                  {To: []string{"/everything"}},
		"want USER@HOST":                     {To: []string{"alice@"}},
		"not a message name":                 {To: []string{"a name that is too long"}},
		"IPv4 addresses only":                {To: []string{"2001:db8::1"}},
		"is everybody, not somebody at":      {To: []string{"*"}, Address: netip.MustParseAddr("10.0.0.1")},
		`recipient "/domain:": not a`:        {To: []string{"/domain:"}},
		"more than 1000 recipients":          {To: slices.Repeat([]string{"PC18"}, 1001)},
		"more than 1000 recipients, in all ": {To: []string{"PC18", "/users"}},
	} {
		q.Admin = true
		around := &town{people: slices.Repeat([]string{"alice"}, 1000)}
		_, err := around.find(t.Context(), q)
		want, _, _ = strings.Cut(want, ",")
		if _, misuse := errors.AsType[*messngr.MisuseError](err); !misuse || !strings.Contains(err.Error(), want) {
			t.Errorf("Find = %v, want a MisuseError with %q", err, want)
		}
	}
}

func TestOnlyAdministratorsWriteToMany(t *testing.T) {
	for _, to := range []string{"*", "everyone", "/domain", "/domain:WORKGROUP", "/users"} {
		if _, err := new(town).find(t.Context(), recipients.Query{To: []string{"PC18", to}}); !errors.Is(err, messngr.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", to, err)
		}
	}
}
