package ntlm

// The steps of the answer, for the examples of the specification.
var (
	MD4         = md4
	PasswordKey = passwordKey
	Respond     = respond
	Seal        = seal
)
