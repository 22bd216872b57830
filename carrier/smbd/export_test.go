package smbd

import "time"

// Listens is for tests.
var Listens = listens

// SetListens makes a test say on which ports programs listen.
func (s *Samba) SetListens(f func(port uint16) bool) { s.listens = f }

// SetRetry makes a test look for nmbd more often.
func (s *Samba) SetRetry(d time.Duration) { s.retry = d }
