//go:build linux

package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Faults are what a bad cable does to each frame, both ways.
type Faults struct {
	Loss  float64       // the probability that it gets lost; 1 is a cable that is cut
	Twice float64       // that it arrives twice
	Delay time.Duration // how long it takes
	// Jitter is how much longer it may take; with it, frames overtake each other.
	Jitter time.Duration
}

// Cable is the cable between a host's eth0 and the switch, after it has been replaced by one that this process carries
// the frames of: the kernels of many machines have no netem. It ends with the lab.
type Cable struct {
	near, far *wire
	mu        sync.Mutex
	faults    Faults
	random    *rand.Rand
	carrying  sync.WaitGroup
}

// Cable replaces the host's cable by one with faults. The seed makes their order repeatable as far as the frames are.
func (h *Host) Cable(f Faults, seed uint64) (*Cable, error) {
	wires := h.subnet.lab.wires
	inner, outer := h.port+"n", h.port+"f" // near and far ends of the new cable
	err := errors.Join(
		wires.ip("link", "set", h.port, "nomaster"),
		wires.ip("link", "add", inner, "type", "veth", "peer", "name", outer),
		wires.ip("link", "set", outer, "master", h.subnet.bridge, "up"),
		wires.ip("link", "set", inner, "up"))
	if err != nil {
		return nil, fmt.Errorf("lab: host %s: cable: %w", h.name, err)
	}
	c := &Cable{faults: f, random: rand.New(rand.NewPCG(seed, 0))}
	if err := wires.do(func() (err error) {
		if c.near, err = openWire(h.port); err != nil {
			return err
		}
		c.far, err = openWire(inner)
		return err
	}); err != nil {
		return nil, fmt.Errorf("lab: host %s: cable: %w", h.name, err)
	}
	c.carrying.Go(func() { c.carry(c.near, c.far) })
	c.carrying.Go(func() { c.carry(c.far, c.near) })
	h.cables = append(h.cables, c)
	return c, nil
}

// Set changes the faults from now on.
func (c *Cable) Set(f Faults) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = f
}

// fate says after which times a frame arrives: none, one or two.
func (c *Cable) fate() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var after []time.Duration
	copies := 1
	if c.random.Float64() < c.faults.Twice {
		copies = 2
	}
	for range copies {
		if c.random.Float64() >= c.faults.Loss {
			after = append(after, c.faults.Delay+time.Duration(c.random.Float64()*float64(c.faults.Jitter)))
		}
	}
	return after
}

// carry takes frames from one end to the other until the cable is closed.
func (c *Cable) carry(from, to *wire) {
	buf := make([]byte, maxFrame)
	for {
		n, err := from.read(buf)
		if err != nil {
			return
		}
		for _, wait := range c.fate() {
			if wait == 0 {
				to.write(buf[:n])
				continue
			}
			frame := append([]byte(nil), buf[:n]...)
			time.AfterFunc(wait, func() { to.write(frame) })
		}
	}
}

func (c *Cable) close() {
	c.near.close()
	c.far.close()
	c.carrying.Wait()
}

// maxFrame is the longest frame with its header: the kernel cuts long ones to size only behind the cable.
const maxFrame = 10 + 14 + 1<<16

// wire is a packet socket on one interface (packet(7)). Its frames carry a header, struct virtio_net_hdr, with what the
// kernel has not done yet: without it checksums that are left to the hardware would be wrong.
type wire struct {
	fd     int
	mu     sync.Mutex
	closed bool
}

func openWire(name string) (*wire, error) {
	iface, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL&0xFF<<8 // in the network's byte order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
			&unix.PacketMreq{Ifindex: int32(iface.Index), Type: unix.PACKET_MR_PROMISC}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: iface.Index}))
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &wire{fd: fd}, nil
}

// read returns one frame. Now and then it looks whether the wire has been closed.
func (w *wire) read(b []byte) (int, error) {
	for {
		n, err := unix.Read(w.fd, b)
		w.mu.Lock()
		closed := w.closed
		w.mu.Unlock()
		switch {
		case closed:
			unix.Close(w.fd)
			return 0, net.ErrClosed
		case err == unix.EAGAIN || err == unix.EINTR || err == unix.ENETDOWN:
		case err != nil:
			return 0, err
		default:
			return n, nil
		}
	}
}

// write sends one frame, unless the wire has been closed. What the other side cannot take is lost, as on any cable.
func (w *wire) write(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		_, _ = unix.Write(w.fd, b)
	}
}

func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}
