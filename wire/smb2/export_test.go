package smb2

// CMAC and Derive are for the examples of their specifications.
var (
	CMAC   = cmac
	Derive = derive
)

// NewServerCipher is the cipher of the other side.
func NewServerCipher(sessionKey []byte, transcript Transcript, session uint64) *Cipher {
	return newCipher(sessionKey, transcript, session, "SMBS2CCipherKey\x00", "SMBC2SCipherKey\x00")
}
