// Package smbmessage carries messages in sessions of NetBIOS, by the message commands
// of the first Server Message Block protocol: NET SEND to one name, WinPopup, and
// smbclient -M (MS-MSRP 2.2.3, 3.2).
//
// The receiver answers as soon as a message is stored. The best that a sender can learn
// is that the other side took it.
package smbmessage

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// Name is what `via` says of these messages.
const Name = "smb"

// Config is the section [transport.smb].
type Config struct {
	MaxText       int    `toml:"max_text" comment:"longest text in bytes, both ways; longer ones are refused or sent in parts"`
	IdleSeconds   int    `toml:"idle_seconds" comment:"how long a session may say nothing"`
	AnswerSeconds int    `toml:"answer_seconds" comment:"how long to wait for each answer when sending; smbd may take 30"`
	Newline       string `toml:"newline" comment:"line breaks that are sent: dc4 (Windows), crlf (smbclient), lf, or auto: dc4 to peers that number their messages as Windows does, else crlf"`
}

// DefaultConfig returns what is in force where the configuration says nothing.
func DefaultConfig() *Config {
	return &Config{MaxText: 65536, IdleSeconds: 30, AnswerSeconds: 30, Newline: "auto"}
}

// Kind describes the transport.
func Kind() transport.Kind {
	return transport.Kind{
		Name:    Name,
		Summary: "messages in NetBIOS sessions (NET SEND, WinPopup, smbclient -M)",
		Config:  func() any { return DefaultConfig() },
		New: func(env transport.Env, config any) (any, error) {
			c, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("smb: configuration is %T", config)
			}
			return New(env, *c)
		},
	}
}

// Transport is the transport. It implements messngr.Receiver and messngr.Sender.
type Transport struct {
	env      transport.Env
	log      *slog.Logger
	maxText  int
	idle     time.Duration
	answer   time.Duration
	newline  newline
	instance string        // makes origins unique over restarts
	sessions atomic.Uint64 // since the start
	intake   *transport.Intake
}

// An admitter is a NetBIOS network that asks, before it grants a session to a called
// name, whether there is anybody to talk to.
type admitter interface {
	AdmitSessions(func(remote netip.Addr, called netbios.Name) error)
}

// New makes the transport and attaches it to the networks of env.
func New(env transport.Env, c Config) (*Transport, error) {
	if c.MaxText < 1 || c.MaxText > messngr.MaxText {
		return nil, fmt.Errorf("smb: max_text is %d, want 1 to %d", c.MaxText, messngr.MaxText)
	}
	idle, err := transport.Wait("idle_seconds", c.IdleSeconds)
	if err != nil {
		return nil, fmt.Errorf("smb: %w", err)
	}
	answer, err := transport.Wait("answer_seconds", c.AnswerSeconds)
	if err != nil {
		return nil, fmt.Errorf("smb: %w", err)
	}
	breaks, err := parseNewline(c.Newline)
	if err != nil {
		return nil, err
	}
	var instance [8]byte
	if _, err := rand.Read(instance[:]); err != nil {
		return nil, fmt.Errorf("smb: %w", err)
	}
	t := &Transport{
		env:      env,
		log:      env.Log,
		maxText:  c.MaxText,
		idle:     idle,
		answer:   answer,
		newline:  breaks,
		instance: hex.EncodeToString(instance[:]),
		intake:   transport.NewIntake(),
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	for _, network := range env.NetBIOS {
		if a, ok := network.(admitter); ok {
			a.AdmitSessions(t.admit)
		}
		network.HandleSessions(t.serve)
	}
	return t, nil
}

// serverName is what a client calls that does not know the machine's name.
func serverName() netbios.Name {
	return netbios.Name([]byte("*SMBSERVER     \x20"))
}

// admit says whether somebody at remote may talk to a called name: one of our message
// names, also where it is called as a file server's, as clients do that know nothing
// but the machine's name.
func (t *Transport) admit(remote netip.Addr, called netbios.Name) error {
	if err := t.permit(remote); err != nil {
		return fmt.Errorf("%w: %w", carrier.ErrNotListening, err)
	}
	if called == serverName() {
		return nil
	}
	switch called.Suffix() {
	case netbios.Messenger, netbios.FileServer:
		if t.env.IsLocal(t.env.Page.DecodeName([]byte(called.Label()))) {
			return nil
		}
	}
	return carrier.ErrNoName
}

func (t *Transport) permit(addr netip.Addr) error {
	if t.env.Permit == nil {
		return nil
	}
	return t.env.Permit(addr)
}

// newline is the convention for line breaks when sending.
type newline struct {
	// numbered is for peers that number their messages as MS-MSRP says, and plain
	// for all others, smbd above all, which hands 0x14 on as it is.
	numbered, plain oem.Newline
}

func parseNewline(word string) (newline, error) {
	switch word {
	case "auto":
		return newline{oem.DC4, oem.CRLF}, nil
	case "dc4":
		return newline{oem.DC4, oem.DC4}, nil
	case "crlf":
		return newline{oem.CRLF, oem.CRLF}, nil
	case "lf":
		return newline{oem.LF, oem.LF}, nil
	}
	return newline{}, fmt.Errorf("smb: newline is %q, want auto, dc4, crlf or lf", word)
}
