package gtk

// Held says how many functions of Go's C may call. A program that opens and
// closes windows comes back to the same number.
func (a *App) Held() int {
	a.calls.mu.Lock()
	defer a.calls.mu.Unlock()
	return len(a.calls.handlers) + len(a.calls.sources)
}
