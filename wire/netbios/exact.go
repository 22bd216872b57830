package netbios

// Exact is New for a label that is in capitals already: every byte is taken as it
// is. Labels in the code pages of East Asia need it, where the second byte of a
// character can look like a small letter.
func Exact(label string, suffix Suffix) (Name, error) {
	n, err := New(label, suffix)
	if err != nil {
		return Name{}, err
	}
	copy(n[:MaxLabel], label)
	return n, nil
}
