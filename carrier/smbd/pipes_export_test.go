package smbd

import "time"

// MaxPerAddress is how many pipes one machine may have open.
const MaxPerAddress = maxPerAddress

// MaxClients is how many pipes all machines together may have open.
const MaxClients = maxClients

// SetLinks makes a test say where smbd's folder is, and how often it is looked for.
func (p *Pipes) SetLinks(folder string, retry time.Duration) { p.links, p.retry = folder, retry }
