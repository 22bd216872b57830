package server

import (
	"context"

	"messngr"
	"messngr/control"
)

// who lists the machines on the networks of this host.
func (s *Service) who(ctx context.Context, _ messngr.Principal, in control.WhoQuery) (control.WhoList, error) {
	if s.Who == nil {
		return control.WhoList{}, errNoNetBIOS
	}
	return s.Who(ctx, in.Quick), nil
}
