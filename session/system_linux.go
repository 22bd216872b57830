package session

// System returns the Lister of this host: logind, and utmp for what logind
// does not know.
func System() Lister { return Merge(Logind{}, Utmp{}) }
