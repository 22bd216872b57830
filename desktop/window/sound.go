package window

import (
	"os/exec"

	"messngr/desktop/gtk"
)

// playSound plays the desktop's sound for a new message where there is a program
// for that, and beeps where there is none.
func playSound(app *gtk.App) {
	player, err := exec.LookPath("canberra-gtk-play")
	if err != nil {
		app.Beep()
		return
	}
	cmd := exec.Command(player, "--id", "message-new-instant")
	if cmd.Start() == nil {
		go cmd.Wait()
	}
}
