// Package sound plays sounds of the desktop's sound theme where the
// notification daemon does not: by whatever player is installed.
package sound

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// longest is how long a sound may play.
const longest = 10 * time.Second

// Player plays sounds.
type Player struct {
	// Look finds a program by its name, as exec.LookPath does.
	Look func(name string) (string, error)
	// Themes are the folders of sound themes, as /usr/share/sounds.
	Themes []string

	jobs sync.WaitGroup
}

// New returns a player that looks for programs in $PATH and for themes in the
// data folders, which are those of $XDG_DATA_DIRS.
func New(dataDirs []string) *Player {
	p := &Player{Look: exec.LookPath}
	for _, dir := range dataDirs {
		p.Themes = append(p.Themes, filepath.Join(dir, "sounds"))
	}
	return p
}

// Play plays the sound with that name of the sound theme, such as
// "message-new-instant", or the file with that absolute path. It returns at
// once, and false if nothing here can play it.
func (p *Player) Play(ctx context.Context, name string) bool {
	command := p.command(name)
	if command == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	if cmd.Start() != nil {
		cancel()
		return false
	}
	p.jobs.Go(func() {
		defer cancel()
		_ = cmd.Wait() // a player without a sound card fails, and nobody minds
	})
	return true
}

// Wait waits for what plays. The context of Play ends it.
func (p *Player) Wait() { p.jobs.Wait() }

// command finds a program that plays the sound.
func (p *Player) command(name string) []string {
	file := name
	if !filepath.IsAbs(name) {
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(name) {
			return nil // no name of a sound
		}
		if path, err := p.Look("canberra-gtk-play"); err == nil {
			return []string{path, "-i", name}
		}
		if file = p.find(name); file == "" {
			return nil
		}
	}
	for _, player := range []string{"pw-play", "paplay"} {
		if path, err := p.Look(player); err == nil {
			return []string{path, file}
		}
	}
	return nil
}

// find looks for the sound in the theme that every other one falls back to.
func (p *Player) find(name string) string {
	for _, dir := range p.Themes {
		for _, ext := range []string{".oga", ".ogg", ".wav"} {
			file := filepath.Join(dir, "freedesktop", "stereo", name+ext)
			if _, err := os.Stat(file); err == nil {
				return file
			}
		}
	}
	return ""
}
