package tty

import "context"

// job is a message that a terminal has not taken yet, or not all of it.
type job struct {
	terminal string
	file     *terminal
	lane     *lane
	has      bool // has the lane's turn
	rest     []byte
	cancel   context.CancelFunc
}

// finish waits for the terminal and writes the rest.
func (j *job) finish(ctx context.Context) error {
	if !j.has {
		select {
		case j.lane.turn <- struct{}{}:
			j.has = true
		case <-ctx.Done():
			return errBlocked
		}
	}
	if ctx.Err() != nil || j.file.write(ctx, j.rest) != nil {
		return errBlocked
	}
	return nil
}

// await waits a little for one of the jobs to be done. If none is they are
// cancelled, so that the message can be tried anew without showing twice.
func await(ctx context.Context, jobs []*job, late <-chan error) bool {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	ended := ctx.Done()
	for left := len(jobs); left > 0; {
		select {
		case err := <-late:
			if err == nil {
				return true
			}
			left--
		case <-ended:
			ended = nil
			for _, j := range jobs {
				j.cancel()
			}
		}
	}
	return false
}
