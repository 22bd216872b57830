package link

// A Change says that the addresses or links of the system are not what they were.
type Change struct {
	// Back says that a link works again that did not.
	Back bool
}
