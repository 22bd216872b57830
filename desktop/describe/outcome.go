package describe

import (
	"context"
	"errors"
	"fmt"

	"messngr"
	"messngr/control"
	"messngr/desktop/lang"
	"messngr/wire/oem"
)

// Outcome says in one sentence what became of a message for one recipient.
func Outcome(c *lang.Catalogue, r *control.RecipientAnswer) string {
	to := name(Person(r.To))
	if byCode := outcomeByCode(c, r.Code); byCode != "" && !r.Reached {
		return fmt.Sprintf(byCode, to)
	}
	return fmt.Sprintf(outcomeByState(c, r.State), to)
}

func outcomeByCode(c *lang.Catalogue, code string) string {
	switch code {
	case "unknown_name":
		return c.Outcome.UnknownName
	case "busy":
		return c.Outcome.Busy
	case "paused":
		return c.Outcome.Paused
	case "too_long":
		return c.Outcome.TooLong
	case "unavailable":
		return c.Outcome.Unavailable
	case "uncertain":
		return c.Outcome.Unknown
	}
	return ""
}

func outcomeByState(c *lang.Catalogue, s messngr.State) string {
	switch s {
	case messngr.Queued:
		return c.Outcome.Queued
	case messngr.Sent:
		return c.Outcome.Sent
	case messngr.Accepted:
		return c.Outcome.Accepted
	case messngr.Delivered:
		return c.Outcome.Delivered
	case messngr.Displayed:
		return c.Outcome.Displayed
	case messngr.Acknowledged:
		return c.Outcome.Acknowledged
	case messngr.Answered:
		return c.Outcome.Answered
	case messngr.Refused:
		return c.Outcome.Refused
	case messngr.Expired:
		return c.Outcome.Expired
	case messngr.Retracted:
		return c.Outcome.Retracted
	case messngr.Unknown:
		return c.Outcome.Unknown
	}
	return c.Outcome.Failed
}

// Trouble says why the service could not be asked, or what it declined.
func Trouble(c *lang.Catalogue, err error) string {
	var declined *control.Error
	switch {
	case errors.Is(err, control.ErrNoService):
		return c.Trouble.NoService
	case errors.Is(err, control.ErrNoAccess):
		return c.Trouble.NoAccess
	case errors.Is(err, context.DeadlineExceeded):
		return c.Trouble.NoAnswer
	case errors.As(err, &declined) && (declined.Code == "forbidden" || declined.Code == "refused"):
		return c.Outcome.Forbidden
	}
	return fmt.Sprintf(c.Trouble.Declined, oem.CleanLine(err.Error()))
}
