package face

func (p *program) window(args []string) int { return exitMisuse }
