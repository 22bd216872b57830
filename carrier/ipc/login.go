package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"messngr/wire/ntlm"
	"messngr/wire/smb2"
	"messngr/wire/spnego"
)

// begin agrees on a dialect, logs in, and opens the share.
func (s *Session) begin(ctx context.Context, host string, who Credentials) error {
	transcript, agreed, err := s.negotiate(ctx)
	if err != nil {
		return err
	}
	s.dialect = agreed.Dialect
	if err := s.login(ctx, host, who, transcript, agreed); err != nil {
		return err
	}
	if err := s.connect(ctx, host); err != nil {
		return err
	}
	return s.validate(ctx, agreed)
}

// negotiate agrees on a dialect.
func (s *Session) negotiate(ctx context.Context) (t smb2.Transcript, n smb2.Negotiated, err error) {
	var random [16 + 32]byte
	if _, err := io.ReadFull(s.random, random[:]); err != nil {
		return t, n, err
	}
	s.client = [16]byte(random[:])
	request := s.message(smb2.Negotiate, smb2.AppendNegotiate(nil, s.client, [32]byte(random[16:])))
	h, answer, err := s.exchange(ctx, smb2.Negotiate, request)
	if err != nil {
		return t, n, err
	}
	if h.Status != smb2.Success {
		return t, n, fmt.Errorf("%w: %w", ErrNotSMB, h.Status)
	}
	if n, err = smb2.ParseNegotiated(answer); err != nil {
		return t, n, fmt.Errorf("%w: %w", ErrNotSMB, err)
	}
	t.Add(request)
	t.Add(answer)
	return t, n, nil
}

// login proves who we are (MS-SMB2 3.2.4.2.3, 3.2.5.3).
func (s *Session) login(ctx context.Context, host string, who Credentials, transcript smb2.Transcript, agreed smb2.Negotiated) error {
	first := ntlm.Negotiate()
	request := s.message(smb2.SessionSetup, smb2.AppendSessionSetup(nil, spnego.AppendInit(nil, first)))
	h, answer, err := s.exchange(ctx, smb2.SessionSetup, request)
	if err != nil {
		return err
	}
	if h.Status != smb2.MoreProcessing {
		return refused(h.Status)
	}
	s.id = h.Session
	challenge, err := tokenOf(answer)
	if err != nil {
		return err
	}
	var random [8 + 16]byte
	if _, err := io.ReadFull(s.random, random[:]); err != nil {
		return err
	}
	chance := ntlm.Random{Challenge: [8]byte(random[:]), Key: [16]byte(random[8:])}
	proof, err := ntlm.Authenticate(who, "cifs/"+host, first, challenge, chance, filetime(time.Now()))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLogin, err)
	}
	signature, err := proof.Sign(spnego.Means())
	if err != nil {
		return err
	}
	transcript.Add(request)
	transcript.Add(answer)
	request = s.message(smb2.SessionSetup, smb2.AppendSessionSetup(nil, spnego.AppendResponse(nil, proof.Message, signature)))
	transcript.Add(request)
	if h, answer, err = s.exchange(ctx, smb2.SessionSetup, request); err != nil {
		return err
	}
	if h.Status != smb2.Success {
		return refused(h.Status)
	}
	session, err := smb2.ParseSession(answer)
	switch {
	case err != nil:
		return err
	case who.User == "":
		return nil // nobody has no key
	case session.Guest || session.Null:
		return ErrGuest
	}
	signer := smb2.NewSigner(s.dialect, proof.Key, transcript)
	// Only the last dialect makes all servers sign this answer; it protects everything
	// that was said before.
	if (h.Signed || s.dialect == smb2.Dialect311) && !signer.Verify(answer) {
		return ErrForged
	}
	s.signer = signer
	s.sealer = agreed.NewCipher(proof.Key, transcript, s.id)
	return s.encrypt(session.Encrypted)
}

// encrypt encrypts everything from now on, if the server asks for it. Of nobody, who has no
// key, a server asks it without need.
func (s *Session) encrypt(asked bool) error {
	switch {
	case !asked || s.signer == nil:
		return nil
	case s.sealer == nil:
		return ErrEncryption
	}
	s.cipher = s.sealer
	return nil
}

// connect opens the share of the pipes.
func (s *Session) connect(ctx context.Context, host string) error {
	h, answer, err := s.ask(ctx, smb2.TreeConnect, smb2.AppendTreeConnect(nil, `\\`+host+`\IPC$`))
	switch {
	case err != nil:
		return err
	case h.Status == smb2.AccessDenied:
		return fmt.Errorf("the share of the pipes: %w", ErrDenied)
	case h.Status != smb2.Success:
		return fmt.Errorf("the share of the pipes: %w", h.Status)
	}
	encrypted, err := smb2.ParseTree(answer)
	if err != nil {
		return err
	}
	s.tree = h.Tree
	return s.encrypt(encrypted)
}

// validate has the server tell once more, signed, what it said in the negotiation, so that
// nobody can have made both speak an older dialect, or one that cannot encrypt (MS-SMB2
// 3.2.5.5). The last dialect needs no such question, and nobody can sign for nobody. A server
// that does not know the question says so, signed as well; one that has heard another
// negotiation ends the connection.
func (s *Session) validate(ctx context.Context, agreed smb2.Negotiated) error {
	if s.signer == nil || s.dialect == smb2.Dialect311 {
		return nil
	}
	h, answer, err := s.ask(ctx, smb2.Ioctl, smb2.AppendValidate(nil, s.client))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%w: %w", ErrForged, err)
	case err != nil:
		return err
	case h.Status != smb2.Success:
		return nil
	}
	if same, err := agreed.Confirmed(answer); err != nil || !same {
		return fmt.Errorf("%w: %w", ErrForged, errors.Join(err, errors.New("it has negotiated something else")))
	}
	return nil
}

// tokenOf returns the message of NTLM in a response of the login.
func tokenOf(answer []byte) ([]byte, error) {
	session, err := smb2.ParseSession(answer)
	if err != nil {
		return nil, err
	}
	token, err := spnego.ParseResponse(session.Token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLogin, err)
	}
	return token, nil
}

// refused says why the server lets nobody in.
func refused(status smb2.Status) error {
	if status == smb2.Success {
		return errors.New("the server let us in before we said who we are")
	}
	return fmt.Errorf("%w: %w", ErrLogin, status)
}

// filetime counts units of 100 ns since 1601 (MS-DTYP 2.3.3).
func filetime(t time.Time) uint64 {
	const since1601 = 11644473600
	return uint64(t.Unix()+since1601)*1e7 + uint64(t.Nanosecond()/100)
}
