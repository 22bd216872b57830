package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"messngr"
	"messngr/control"
	"messngr/store"
	"messngr/wire/oem"
)

// importPrograms are the programs whose mail is taken, and how people call them.
func importPrograms() map[string]string { return map[string]string{"linpopup": "LinPopUp"} }

// importMail takes old mail in. It is received now, so that the retention keeps
// it as long as any other message; when it was sent stands in the title. It
// does not pop up. The same message is taken once, however often it comes
// within a day (store.OriginAge).
func (s *Service) importMail(ctx context.Context, who messngr.Principal, req control.ImportRequest) (control.ImportAnswer, error) {
	program, ok := importPrograms()[req.Program]
	if !ok {
		return control.ImportAnswer{}, bad("program=%q: want linpopup", req.Program)
	}
	if req.User == "" && !req.Machine {
		req.User = who.Login
	}
	switch {
	case req.User != "" && req.Machine:
		return control.ImportAnswer{}, bad("either a user or the machine")
	case !who.Admin && (req.Machine || req.User != who.Login):
		return control.ImportAnswer{}, errForbidden
	}
	var answer control.ImportAnswer
	defer s.changes.resync() // the streams find what is new
	for _, old := range req.Messages {
		repeated, err := s.importOne(ctx, cmp.Or(req.User, who.Login), req, program, old)
		switch {
		case err != nil:
			return control.ImportAnswer{}, err
		case repeated:
			answer.Known++
		default:
			answer.Taken++
		}
	}
	return answer, nil
}

func (s *Service) importOne(ctx context.Context, reader string, req control.ImportRequest, program string, old control.OldMessage) (repeated bool, err error) {
	text := oem.Clean(oem.Normalize(old.Text))
	if len(text) > messngr.MaxText {
		return false, &messngr.TooLongError{Limit: messngr.MaxText, Length: len(text)}
	}
	m := &messngr.Message{
		Time: time.Now(), From: messngr.From{Claimed: oem.CleanLine(old.From)}, To: oem.CleanLine(old.To),
		Via: req.Program, Text: text, Audience: req.User,
		Title: fmt.Sprintf("%s, %s", program, old.Sent.Local().Format(time.DateTime)),
	}
	if old.Host != "" {
		m.Title += ", " + oem.CleanLine(old.Host)
	}
	if m.ID, err = messngr.NewID(); err != nil {
		return false, err
	}
	origin, err := importOrigin(req, old)
	if err != nil {
		return false, err
	}
	_, repeated, err = s.Store.Take(ctx, store.Incoming{Message: m, Origin: origin, Quiet: true})
	if err != nil || repeated {
		return repeated, err
	}
	// Quiet would have it counted in a digest, but it was seen long ago.
	if _, err = s.Store.Mark(ctx, store.Shown, "", m.Time, m.ID); err == nil && old.Read {
		_, err = s.Store.Mark(ctx, store.Read, reader, m.Time, m.ID)
	}
	return false, err
}

// importOrigin is the same for the same message in the same inbox.
func importOrigin(req control.ImportRequest, old control.OldMessage) (messngr.Origin, error) {
	old.Read, old.Sent = false, old.Sent.UTC()
	b, err := json.Marshal(struct {
		User string
		control.OldMessage
	}{req.User, old})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return messngr.Origin(req.Program + "/" + hex.EncodeToString(sum[:])), nil
}
