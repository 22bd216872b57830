package icon

import "strconv"

// The icon is drawn here rather than looked up in a theme, because it carries
// the number of unread messages. It is the bubble of packaging/desktop/messngr.svg.

// color is alpha, red, green and blue.
type color [4]uint8

const (
	blue  = 0x2f6fb5
	red   = 0xc62828
	grey  = 0x808890
	amber = 0xb26a00
	black = 0x202020
	white = 0xffffff
)

func opaque(rgb uint32) color { return color{255, uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb)} }

// pixmaps draws the icon in the sizes that hosts use.
func pixmaps(s State) []pixmap {
	var list []pixmap
	for _, size := range []int{16, 22, 24, 32, 48} {
		list = append(list, draw(s, size))
	}
	return list
}

// samples is how many points in each direction make one pixel.
const samples = 4

func draw(s State, size int) pixmap {
	p := pixmap{Width: int32(size), Height: int32(size), Data: make([]byte, 0, 4*size*size)}
	b := newBadge(s, size)
	for y := range size {
		for x := range size {
			c, on := b.at(x, y)
			if !on {
				c = pixel(s, x, y, size)
			}
			p.Data = append(p.Data, c[:]...) // ARGB in network byte order
		}
	}
	return p
}

// pixel is the mean of the points in it.
func pixel(s State, x, y, size int) color {
	var sum [4]int
	for i := range samples * samples {
		fx := (float64(x) + (float64(i%samples)+0.5)/samples) / float64(size)
		fy := (float64(y) + (float64(i/samples)+0.5)/samples) / float64(size)
		rgb, in := bubble(s, fx, fy)
		if !in {
			continue
		}
		c := opaque(rgb)
		for j := range sum {
			sum[j] += int(c[j])
		}
	}
	if sum[0] == 0 {
		return color{}
	}
	points := sum[0] / 255
	return color{uint8(sum[0] / (samples * samples)), uint8(sum[1] / points), uint8(sum[2] / points), uint8(sum[3] / points)}
}

// bubble says what is at a point of the unit square: a speech bubble with three
// lines of text, with a bar across if nothing pops up, or with an exclamation mark
// if nothing is known.
func bubble(s State, x, y float64) (rgb uint32, in bool) {
	const left, top, right, bottom, round = 0.03, 0.08, 0.97, 0.76, 0.14
	body := inRounded(x, y, left, top, right, bottom, round)
	tail := y >= bottom && y < 0.96 && x >= 0.18 && x <= 0.18+(0.96-y)*1.2
	if !body && !tail {
		return 0, false
	}
	switch {
	case s.Away && isMark(x, y):
		return white, true
	case s.Away:
		return amber, true
	case s.Muted && x > 0.2 && x < 0.8 && y > 0.36 && y < 0.48:
		return white, true
	case s.Muted:
		return grey, true
	case body && x > 0.18 && isLine(x, y):
		return white, true
	case s.Attention:
		return red, true
	}
	return blue, true
}

func isLine(x, y float64) bool {
	return y > 0.22 && y < 0.30 && x < 0.82 || y > 0.38 && y < 0.46 && x < 0.82 || y > 0.54 && y < 0.62 && x < 0.58
}

func isMark(x, y float64) bool {
	return x > 0.43 && x < 0.57 && (y > 0.16 && y < 0.48 || y > 0.55 && y < 0.68)
}

func inRounded(x, y, left, top, right, bottom, round float64) bool {
	if x < left || x > right || y < top || y > bottom {
		return false
	}
	dx := max(left+round-x, x-(right-round), 0)
	dy := max(top+round-y, y-(bottom-round), 0)
	return dx*dx+dy*dy <= round*round
}

// badge is the number in the corner.
type badge struct {
	text            string
	ground          color
	scale           int // pixels of one dot of a digit
	left, top, size int // the box that it fills, down to the corner
}

func newBadge(s State, size int) badge {
	if s.Unread <= 0 {
		return badge{}
	}
	b := badge{text: strconv.Itoa(min(s.Unread, 99)), ground: opaque(red), scale: max(1, (size+6)/14), size: size}
	if s.Attention {
		b.ground = opaque(black)
	}
	b.left = size - (len(b.text)*4+1)*b.scale
	b.top = size - 7*b.scale
	return b
}

// at says what the badge has at a pixel.
func (b *badge) at(x, y int) (color, bool) {
	if b.text == "" || x < b.left || y < b.top {
		return color{}, false
	}
	corner := (x == b.left || x == b.size-1) && (y == b.top || y == b.size-1)
	if corner {
		return color{}, true
	}
	column, row := (x-b.left)/b.scale-1, (y-b.top)/b.scale-1
	if row >= 0 && row < 5 && column >= 0 && column%4 < 3 && column/4 < len(b.text) {
		if digit(b.text[column/4])[row]&(4>>(column%4)) != 0 {
			return opaque(white), true
		}
	}
	return b.ground, true
}

// digit is a digit of three by five dots, a row in each byte.
func digit(c byte) [5]byte {
	switch c {
	case '0':
		return [5]byte{7, 5, 5, 5, 7}
	case '1':
		return [5]byte{2, 6, 2, 2, 7}
	case '2':
		return [5]byte{7, 1, 7, 4, 7}
	case '3':
		return [5]byte{7, 1, 7, 1, 7}
	case '4':
		return [5]byte{5, 5, 7, 1, 1}
	case '5':
		return [5]byte{7, 4, 7, 1, 7}
	case '6':
		return [5]byte{7, 4, 7, 5, 7}
	case '7':
		return [5]byte{7, 1, 1, 2, 2}
	case '8':
		return [5]byte{7, 5, 7, 5, 7}
	}
	return [5]byte{7, 5, 7, 1, 7}
}
