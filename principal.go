package messngr

// Principal is who asks the service for something: a person or program that
// the kernel, or later a login, has proven to be who it is.
type Principal struct {
	// UID is the numeric user id; -1 if there is none.
	UID int
	// Login is the login name.
	Login string
	// Admin says that it may administer the service: root, the user that the
	// service runs as, or a member of the group messngr.
	Admin bool
}

// Audiences lists whose messages p may read, as store queries take it: nil for
// all, otherwise those of the person and those of the machine.
func (p Principal) Audiences() []string {
	if p.Admin {
		return nil
	}
	return []string{"", p.Login}
}

// MaySee reports whether p may see a message for that audience.
func (p Principal) MaySee(audience string) bool {
	return p.Admin || audience == "" || audience == p.Login
}
