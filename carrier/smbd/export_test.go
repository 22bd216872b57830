package smbd

// Listens is for tests.
var Listens = listens

// SetListens makes a test say on which ports programs listen.
func (s *Samba) SetListens(f func(port uint16) bool) { s.listens = f }
