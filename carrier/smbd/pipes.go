package smbd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"messngr/peercred"
	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
	"messngr/wire/npa"
)

const (
	// maxClients is how many clients of pipes are served at once.
	maxClients = 128
	// maxPerAddress is how many of them may come from one address.
	maxPerAddress = 32
	// toldTime is how often the log says so.
	toldTime = time.Minute
	// introTime is how long smbd may take to introduce a client.
	introTime = 10 * time.Second
	// idleTime is how long a client may keep a pipe open and say nothing.
	idleTime = 5 * time.Minute
	// answerTime is how long an answer may wait for a client that does not read.
	answerTime = 30 * time.Second
)

// A Handler runs the calls of one interface on one pipe. who is the client in smbd's
// words. What it returns is the stub of the response; a *dcerpc.StatusError becomes the
// fault that it says, every other error an unspecified fault. It may be called by several
// goroutines at once. A call that is being run when the service ends is still answered.
type Handler = func(ctx context.Context, who npa.Client, call dcerpc.Call) ([]byte, error)

// service is one interface on one pipe.
type service struct {
	syntax dcerpc.Syntax
	run    Handler
}

// Pipes serves named pipes to clients of smbd, which opens a socket named like the pipe
// for each of them, says who it is, and passes on what it writes. smbd does that as root;
// nobody else is let in.
//
// The sockets are in a folder of our own. smbd finds them by links in its private one,
// which root makes, once (see doc/samba.md).
type Pipes struct {
	folder string
	links  string // smbd's folder, if we may make the links ourselves; else ""
	log    *slog.Logger
	pipes  map[string][]service
	slots  chan struct{}
	retry  time.Duration

	mu    sync.Mutex
	inUse map[netip.Addr]int // pipes that are open, by where their clients are
}

// NewPipes returns pipes whose sockets are to be in folder. With the rights of root, the
// link to the pipe \PIPE\msgsvc is made as well, wherever smbd of cfg is, and comes.
func NewPipes(cfg Config, folder string, log *slog.Logger) *Pipes {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Pipes{
		folder: folder, log: log, pipes: make(map[string][]service), slots: make(chan struct{}, maxClients),
		retry: retryTime, inUse: make(map[netip.Addr]int),
	}
	if os.Geteuid() == 0 {
		p.links = (&Samba{cfg: cfg}).pipes()
	}
	return p
}

// Handle makes h run the calls of an interface on a pipe, such as "msgsvc". It is called
// before Run.
func (p *Pipes) Handle(pipe string, served dcerpc.Syntax, h Handler) {
	p.pipes[pipe] = append(p.pipes[pipe], service{served, h})
}

// Run serves the pipes until ctx ends. Where the sockets cannot be made it says so in the
// log, and does nothing.
func (p *Pipes) Run(ctx context.Context) error {
	listeners, err := p.listen()
	if err != nil {
		p.log.Warn("the pipes of smbd are not served", "folder", p.folder, "err", err)
		return nil
	}
	var running sync.WaitGroup
	for pipe, l := range listeners {
		running.Go(func() { p.accept(ctx, pipe, l) })
	}
	p.keepLinks(ctx)
	err = closeAll(listeners)
	running.Wait()
	return err
}

// listen makes the sockets, which nobody but root and ourselves can open.
func (p *Pipes) listen() (map[string]net.Listener, error) {
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(p.folder, 0o700); err != nil {
		return nil, err
	}
	listeners := make(map[string]net.Listener)
	for pipe := range p.pipes {
		path := filepath.Join(p.folder, pipe)
		// The folder is ours alone, and one service runs in it: what is there is left over.
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(err, closeAll(listeners))
		}
		l, err := net.Listen("unix", path)
		if err != nil {
			return nil, errors.Join(err, closeAll(listeners))
		}
		listeners[pipe] = l
	}
	return listeners, nil
}

func closeAll(listeners map[string]net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// LinkedPipe is the pipe whose clients smbd hands over to whoever is at a link. All others
// that we could serve are Samba's own.
const LinkedPipe = "msgsvc"

// keepLinks makes the link by which smbd finds our socket, if we may, again whenever smbd
// has got a new folder, and takes it away at the end. What is there already stays.
func (p *Pipes) keepLinks(ctx context.Context) {
	if p.links == "" || p.pipes[LinkedPipe] == nil {
		<-ctx.Done()
		return
	}
	link, target := filepath.Join(p.links, LinkedPipe), filepath.Join(p.folder, LinkedPipe)
	for made := false; ; {
		if err := os.Symlink(target, link); err == nil {
			made = true
			p.log.Info("clients of smbd can reach the message names of this host", "pipe", LinkedPipe)
		}
		select {
		case <-ctx.Done():
			if there, err := os.Readlink(link); made && err == nil && there == target {
				_ = os.Remove(link)
			}
			return
		case <-time.After(p.retry):
		}
	}
}

// accept serves the clients of one pipe until its socket is closed.
func (p *Pipes) accept(ctx context.Context, pipe string, l net.Listener) {
	var clients sync.WaitGroup
	defer clients.Wait()
	var told time.Time // that there are too many
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.log.Warn("client of a pipe not taken", "pipe", pipe, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(p.retry):
			}
			continue
		}
		select {
		case p.slots <- struct{}{}:
		default:
			if now := time.Now(); now.Sub(told) >= toldTime {
				told = now
				p.log.Warn("too many clients of pipes at once", "pipe", pipe)
			}
			_ = conn.Close()
			continue
		}
		clients.Go(func() {
			defer func() { <-p.slots }()
			p.serve(ctx, pipe, conn)
		})
	}
}

// serve talks with one client until that closes the pipe, says nothing for too long, or
// talks nonsense.
func (p *Pipes) serve(ctx context.Context, pipe string, conn net.Conn) {
	defer conn.Close()
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("client of a pipe dropped", "pipe", pipe, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	if err := p.talk(ctx, pipe, conn); err != nil && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		p.log.Debug("pipe closed", "pipe", pipe, "err", err)
	}
}

func (p *Pipes) talk(ctx context.Context, pipe string, conn net.Conn) error {
	who, err := introduced(conn)
	if err != nil {
		return err
	}
	if !p.enter(who.Address.Addr()) {
		return fmt.Errorf("%v has %d pipes open already", who.Address.Addr(), maxPerAddress)
	}
	defer p.leave(who.Address.Addr())
	a := newAssociation(`\PIPE\`+pipe, p.pipes[pipe], who)
	var waiting []byte
	for {
		// A read waits for the client alone, so that the end of the service may cut it
		// short; the time between a call and its answer is not cut.
		if err := conn.SetReadDeadline(time.Now().Add(idleTime)); err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
		message, err := readMessage(conn)
		stop()
		if err != nil {
			return err
		}
		if waiting = append(waiting, message...); len(waiting) > dcerpc.MaxPDU {
			return errors.New("packet without an end")
		}
		if waiting, err = p.converse(context.WithoutCancel(ctx), conn, a, waiting); err != nil {
			return err
		}
	}
}

// converse answers the packets at the beginning of b, and returns what it has not used:
// the beginning of a packet of which more is to come.
func (p *Pipes) converse(ctx context.Context, conn net.Conn, a *association, b []byte) ([]byte, error) {
	for len(b) > 0 {
		pdu, rest, err := dcerpc.ParsePDU(b)
		if errors.Is(err, ndr.ErrShort) {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		answers, err := a.take(ctx, &pdu)
		if failed := p.answer(conn, answers); failed != nil || err != nil {
			return nil, errors.Join(failed, err)
		}
		b = rest
	}
	return nil, nil
}

// enter reports whether a client at addr may open one more pipe; if so, leave closes it.
func (p *Pipes) enter(addr netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inUse[addr] >= maxPerAddress {
		return false
	}
	p.inUse[addr]++
	return true
}

func (p *Pipes) leave(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inUse[addr]--; p.inUse[addr] == 0 {
		delete(p.inUse, addr)
	}
}

// introduced lets smbd say who the client is. Everybody else who knocks is sent away.
func introduced(conn net.Conn) (npa.Client, error) {
	if uid, err := peercred.UID(conn); err != nil || uid != 0 && uid != os.Geteuid() {
		return npa.Client{}, fmt.Errorf("user %d is not smbd: %w", uid, errors.Join(err, fs.ErrPermission))
	}
	if err := conn.SetDeadline(time.Now().Add(introTime)); err != nil {
		return npa.Client{}, err
	}
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return npa.Client{}, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > npa.MaxSize {
		return npa.Client{}, fmt.Errorf("introduction of %d bytes", n)
	}
	intro := append(length[:], make([]byte, n)...)
	if _, err := io.ReadFull(conn, intro[4:]); err != nil {
		return npa.Client{}, err
	}
	who, err := npa.Parse(intro)
	if err != nil {
		return npa.Client{}, err
	}
	_, err = conn.Write(npa.AppendReply(nil, who.Level))
	return who, err
}

// readMessage reads what a client wrote at once.
func readMessage(conn io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.LittleEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, message)
	return message, err
}

// answer writes packets, each as a message of its own.
func (p *Pipes) answer(conn net.Conn, packets [][]byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	for _, b := range packets {
		message := append(binary.LittleEndian.AppendUint16(nil, uint16(len(b))), b...)
		if _, err := conn.Write(message); err != nil {
			return err
		}
	}
	return nil
}
