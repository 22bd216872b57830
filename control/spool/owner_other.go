//go:build !unix

package spool

import "io/fs"

// nonBlocking has no meaning on this system.
const nonBlocking = 0

// ownerOf would return to whom a file belongs; this system does not tell.
func ownerOf(fs.FileInfo) (uid int, ok bool) { return 0, false }
