//go:build linux

// Package screen gives the hosts of a lab screens that nobody looks at, and people who are logged in there: an X server
// in memory for each, a message bus of the person's own, and eyes and a hand for the test.
package screen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"messngr/interop/lab"
)

// Programs are what a session needs to be installed.
func Programs() []string {
	return []string{"Xvfb", "dbus-daemon", "setpriv", "xdotool", "import"}
}

// Session is a person's desktop session in a host.
type Session struct {
	host *lab.Host
	who  *user.User
	dir  string
	env  []string
	run  []*lab.Daemon
}

// Open logs a person of the system in, with an empty home and a screen of that size.
func Open(ctx context.Context, h *lab.Host, login string, width, height int) (*Session, error) {
	who, err := user.Lookup(login)
	if err != nil {
		return nil, fmt.Errorf("screen: %w", err)
	}
	// Not in the host's folder: the path of a socket may not be long.
	dir, err := os.MkdirTemp("", "desk")
	if err != nil {
		return nil, fmt.Errorf("screen: %w", err)
	}
	s := &Session{host: h, who: who, dir: dir}
	if err := s.open(ctx, width, height); err != nil {
		return nil, fmt.Errorf("screen: %s: %w", login, errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Session) open(ctx context.Context, width, height int) error {
	uid, err := strconv.Atoi(s.who.Uid)
	if err != nil {
		return err
	}
	for _, d := range []string{"", "home", "run"} {
		path := filepath.Join(s.dir, d)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
		if err := os.Chown(path, uid, -1); err != nil {
			return err
		}
	}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + s.Home(), "USER=" + s.who.Username, "LOGNAME=" + s.who.Username,
		"XDG_RUNTIME_DIR=" + filepath.Join(s.dir, "run"), "GDK_BACKEND=x11", "QT_QPA_PLATFORM=xcb", "NO_AT_BRIDGE=1",
	}
	x, err := s.Daemon("Xvfb", "Xvfb", "-displayfd", "1", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-noreset", "-ac", "-nolisten", "tcp")
	if err != nil {
		return err
	}
	display, err := firstLine(ctx, x)
	if err != nil {
		return err
	}
	s.env = append(s.env, "DISPLAY=:"+display)
	conf := filepath.Join(s.dir, "bus.conf")
	if err := os.WriteFile(conf, []byte(strings.ReplaceAll(busConf, "DIR", s.dir)), 0o644); err != nil {
		return err
	}
	bus, err := s.Daemon("bus", "dbus-daemon", "--config-file="+conf, "--nofork", "--nopidfile", "--print-address=1")
	if err != nil {
		return err
	}
	if _, err := firstLine(ctx, bus); err != nil {
		return err
	}
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS="+s.Bus())
	return nil
}

// busConf is that of a session's bus, which takes nobody but the person, but for root: the test is to be able to stand
// in for programs of the desktop.
const busConf = `<busconfig><type>session</type><listen>unix:path=DIR/bus</listen><standard_session_servicedirs/>
<policy context="default"><allow user="root"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// firstLine waits for the first line that a daemon prints that is not an excuse.
func firstLine(ctx context.Context, d *lab.Daemon) (line string, err error) {
	err = lab.Until(ctx, func() error {
		for l := range strings.Lines(d.Log()) {
			if strings.HasSuffix(l, "\n") && (strings.HasPrefix(l, "unix:") || strings.Trim(l, "0123456789\n") == "") {
				line = strings.TrimSpace(l)
				return nil
			}
		}
		select {
		case <-d.Ended():
			return lab.Stop{Err: fmt.Errorf("it ended: %s", d.Log())}
		default:
			return fmt.Errorf("it printed %q", d.Log())
		}
	})
	return line, err
}

// Close ends the session's programs, the last first, and removes its files.
func (s *Session) Close() error {
	for _, d := range slices.Backward(s.run) {
		d.Kill()
	}
	return os.RemoveAll(s.dir)
}

// User is the login name.
func (s *Session) User() string { return s.who.Username }

// Home is the person's home.
func (s *Session) Home() string { return filepath.Join(s.dir, "home") }

// Bus is the address of the session's bus. Unlike on other ones root may connect to it, besides the person.
func (s *Session) Bus() string { return "unix:path=" + s.dir + "/bus" }

// Command is a command of the person, in the session.
func (s *Session) Command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--reuid", s.who.Uid, "--regid", s.who.Gid, "--clear-groups", "--"}, args...)
	cmd := exec.CommandContext(ctx, "setpriv", args...)
	cmd.Env = s.env
	cmd.Dir = s.Home()
	return cmd
}

// Output runs a command of the person and returns what it printed, errors too.
func (s *Session) Output(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := s.Command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := s.host.Run(cmd)
	return out.String(), err
}

// Daemon starts a program of the person that runs until the session ends.
func (s *Session) Daemon(name string, args ...string) (*lab.Daemon, error) {
	cmd := s.Command(context.Background(), args...)
	d, err := s.host.Daemon(fmt.Sprintf("%s-%d-%s", s.who.Username, len(s.run)+1, name), cmd)
	if err == nil {
		s.run = append(s.run, d)
	}
	return d, err
}

// Owned waits until somebody has the name on the session's bus.
func (s *Session) Owned(ctx context.Context, name string) error {
	return lab.Until(ctx, func() error {
		out, err := s.Output(ctx, "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:"+name)
		if err == nil && !strings.Contains(out, "true") {
			err = fmt.Errorf("nobody has the name %s", name)
		}
		return err
	})
}

// Click moves the mouse there and presses a button: 1 is the left one, 3 the right one.
func (s *Session) Click(ctx context.Context, x, y, button int) error {
	out, err := s.Output(ctx, "xdotool", "mousemove", strconv.Itoa(x), strconv.Itoa(y), "sleep", "0.3", "click", strconv.Itoa(button))
	if err != nil {
		return fmt.Errorf("screen: xdotool: %w: %s", err, out)
	}
	return nil
}

// Image is what is on the screen.
type Image struct {
	Width, Height int
	pix           []byte // red, green, blue
}

// Look takes a picture of the screen.
func (s *Session) Look(ctx context.Context) (*Image, error) {
	var out, errs bytes.Buffer
	cmd := s.Command(ctx, "import", "-silent", "-window", "root", "-depth", "8", "ppm:-")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := s.host.Run(cmd); err != nil {
		return nil, fmt.Errorf("screen: import: %w: %s", err, errs.String())
	}
	i := &Image{}
	var depth int
	b := out.Bytes()
	if _, err := fmt.Fscanf(bytes.NewReader(b), "P6\n%d %d\n%d\n", &i.Width, &i.Height, &depth); err != nil || depth != 255 || len(b) < 3*i.Width*i.Height {
		return nil, fmt.Errorf("screen: import printed %d bytes: %w", len(b), err)
	}
	i.pix = b[len(b)-3*i.Width*i.Height:]
	return i, nil
}

// At is the color of a point.
func (i *Image) At(x, y int) color.RGBA {
	p := i.pix[3*(y*i.Width+x):]
	return color.RGBA{p[0], p[1], p[2], 255}
}

// Differs returns the smallest rectangle that holds all points in which the pictures differ; it is empty if they are the
// same.
func (i *Image) Differs(other *Image) image.Rectangle {
	var r image.Rectangle
	for y := range min(i.Height, other.Height) {
		for x := range min(i.Width, other.Width) {
			if i.At(x, y) != other.At(x, y) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// Find returns the smallest rectangle that holds all points of the color within r.
func (i *Image) Find(c color.RGBA, r image.Rectangle) image.Rectangle {
	var found image.Rectangle
	r = r.Intersect(image.Rect(0, 0, i.Width, i.Height))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if i.At(x, y) == c {
				found = found.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return found
}

// Save writes the picture as a PNG file.
func (i *Image) Save(path string) error {
	m := image.NewRGBA(image.Rect(0, 0, i.Width, i.Height))
	for y := range i.Height {
		for x := range i.Width {
			m.SetRGBA(x, y, i.At(x, y))
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}
