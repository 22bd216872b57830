package tray

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"messngr"
	"messngr/config"
)

// Config is what a person, or for everybody the administrator, can choose: the
// file messngr/tray.toml in $XDG_CONFIG_HOME, else in one of $XDG_CONFIG_DIRS.
type Config struct {
	PopUp        string  `toml:"popup" comment:"messages of this level and above open the pop-up window, where it is installed: info, notice, urgent, emergency or never"`
	BreakThrough string  `toml:"break_through" comment:"messages of this level and above are shown even when nobody is to be disturbed: info, notice, urgent, emergency or never"`
	Locked       string  `toml:"locked" comment:"on a locked screen: show everything, hide the text, or wait until it is unlocked"`
	AtOnce       int     `toml:"at_once" comment:"so many messages at once are shown one by one, those beyond become one digest"`
	PerMinute    float64 `toml:"per_minute" comment:"and in the long run so many a minute"`
	Sound        bool    `toml:"sound" comment:"play a sound when a message is shown"`
	Info         string  `toml:"sound_info" comment:"which one: a name of the desktop's sound theme, or the absolute path of a file; empty: none"`
	Notice       string  `toml:"sound_notice"`
	Urgent       string  `toml:"sound_urgent"`
	Emergency    string  `toml:"sound_emergency"`
}

// Defaults is what holds where no file says otherwise.
func Defaults() Config {
	return Config{
		PopUp: "urgent", BreakThrough: "urgent", Locked: lockedHide, AtOnce: 5, PerMinute: 60, Sound: true,
		Info: "message-new-instant", Notice: "message-new-instant", Urgent: "dialog-warning", Emergency: "alarm-clock-elapsed",
	}
}

// What is shown on a locked screen.
const (
	lockedShow = "show"
	lockedHide = "hide"
	lockedWait = "wait"
)

// Reference returns a configuration file that names every key with its meaning
// and its default, all of them commented out.
func Reference() ([]byte, error) {
	c := Defaults()
	return config.Reference([]config.Section{{Config: &c}})
}

// load reads the configuration, or the defaults if there is no file.
func load(getenv func(string) string) (Config, error) {
	c := Defaults()
	var paths []string
	for _, dir := range configDirs(getenv) {
		paths = append(paths, filepath.Join(dir, "messngr", "tray.toml"))
	}
	path, err := config.Find(paths...)
	if err != nil || path == "" {
		return c, err
	}
	if err := config.Load(path, []config.Section{{Config: &c}}); err != nil {
		return c, err
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *Config) check() error {
	for key, word := range map[string]string{"popup": c.PopUp, "break_through": c.BreakThrough} {
		if _, err := threshold(word); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	switch c.Locked {
	case lockedShow, lockedHide, lockedWait:
	default:
		return fmt.Errorf("locked = %q: want show, hide or wait", c.Locked)
	}
	if c.AtOnce < 1 || c.AtOnce > maxAtOnce || !(c.PerMinute > 0 && c.PerMinute <= 6000) {
		return fmt.Errorf("at_once = %d, per_minute = %v: want 1 to %d, and more than 0 up to 6000", c.AtOnce, c.PerMinute, maxAtOnce)
	}
	return nil
}

// never is a threshold that no message reaches.
const never = messngr.LevelEmergency + 1

// threshold reads a level, or "never".
func threshold(word string) (messngr.Level, error) {
	if word == "never" {
		return never, nil
	}
	var l messngr.Level
	err := l.UnmarshalText([]byte(word))
	return l, err
}

// mustThreshold is threshold for a word that was checked.
func mustThreshold(word string) messngr.Level {
	l, err := threshold(word)
	if err != nil {
		return never
	}
	return l
}

// sound is the sound of a level; "" for none.
func (c *Config) sound(l messngr.Level) string {
	switch {
	case !c.Sound:
		return ""
	case l >= messngr.LevelEmergency:
		return c.Emergency
	case l == messngr.LevelUrgent:
		return c.Urgent
	case l == messngr.LevelNotice:
		return c.Notice
	}
	return c.Info
}

// configDirs lists where configuration is looked for, the person's own first
// (XDG Base Directory Specification).
func configDirs(getenv func(string) string) []string {
	dirs := []string{}
	if own := ownDir(getenv, "XDG_CONFIG_HOME", ".config"); own != "" {
		dirs = append(dirs, own)
	}
	return append(dirs, list(getenv("XDG_CONFIG_DIRS"), "/etc/xdg")...)
}

// dataDirs lists where the data of all programs is.
func dataDirs(getenv func(string) string) []string {
	return list(getenv("XDG_DATA_DIRS"), "/usr/local/share:/usr/share")
}

func list(value, otherwise string) []string {
	if value == "" {
		value = otherwise
	}
	var dirs []string
	for dir := range strings.SplitSeq(value, string(os.PathListSeparator)) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// ownDir is a folder of the person's own; "" if there is none.
func ownDir(getenv func(string) string, variable, below string) string {
	if dir := getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, below)
	}
	return ""
}
