package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier"
	"messngr/carrier/rpc/fragment"
	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

// customs are what the specifications leave to a server's runtime, and what small programs do
// beyond them.
type customs struct {
	Moves            bool // a mapper passes calls on: all answers come from another port
	Big              bool // its own order of bytes
	Asks             []uint16
	AsksAgain        bool // whenever a request is repeated
	AsksAboutAnother bool // also about an activity that is not the client's
	Boot             int  // 0: always told, 1: never in headers, 2: not before it has run a call
	FackVersion      uint8
	FackShort        bool // without serial and masks
	Window           uint16
	FirstWindow      uint16
	Works            time.Duration // how long a call runs
	SaysWorking      bool          // when a request is repeated meanwhile
	Size             int           // bytes in a fragment of the answer
	Burst            int           // fragments of the answer that it sends at once
	NoFack           bool          // of which none asks for a fack
	Numbers          bool          // leaves the request's number in an answer that is whole
	Resends          time.Duration // of the answer, unasked, until it is acknowledged; 0: never
	Forgets          bool          // the answer, as soon as it is acknowledged
}

func someCustoms(random *rand.Rand) customs {
	yes := func(share float64) bool { return random.Float64() < share }
	c := customs{
		Moves: yes(0.5), Big: yes(0.3), Asks: [][]uint16{nil, {0}, {1}, {1, 0}, {3, 0}, {2, 1}}[random.IntN(6)],
		AsksAgain: yes(0.3), AsksAboutAnother: yes(0.2), Boot: random.IntN(3),
		FackVersion: uint8(random.IntN(2)), FackShort: yes(0.2), Window: []uint16{1, 2, 8, 64, 0xffff}[random.IntN(5)],
		FirstWindow: []uint16{0, 1, 8}[random.IntN(3)], Works: time.Duration(random.IntN(3)*random.IntN(20000)) * time.Millisecond,
		SaysWorking: yes(0.9), Size: []int{8, 400, 944, 1384, 4016, 60000}[random.IntN(6)], Burst: []int{1, 4, 256}[random.IntN(3)],
		NoFack: yes(0.3), Numbers: yes(0.3), Resends: time.Duration(random.IntN(2)*(500+random.IntN(3000))) * time.Millisecond,
		Forgets: yes(0.3),
	}
	if !c.SaysWorking {
		c.Works /= 4 // who says nothing for so long is given up
	}
	return c
}

// otherServer is a server of another make.
type otherServer struct {
	customs
	t       *testing.T
	mapper  udp.Conn // where calls come to
	conn    udp.Conn // where answers come from
	boot    uint32
	learned bool // whether it tells when it was started

	mu    sync.Mutex
	calls map[string]*otherCall
	asked map[uuid.UUID]*otherCall // by the activity of the callback
	taken map[string]int           // by the text of the call
}

// otherCall is one call of a client, as the server knows it.
type otherCall struct {
	head    dcerpc.Datagram
	from    netip.AddrPort
	in      fragment.Assembly
	facks   int
	asked   int
	known   bool // whether the client has said who it is
	running bool
	done    bool
	acked   bool
	stub    []byte
	base    int
}

// serve takes packets until its socket is closed.
func (s *otherServer) serve(conn udp.Conn) {
	b := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		d, err := dcerpc.ParseDatagram(append([]byte(nil), b[:n]...))
		if err != nil {
			s.t.Errorf("%+v: our client says %x: %v", s.customs, b[:n], err)
			continue
		}
		s.mu.Lock()
		s.take(&d, from)
		s.mu.Unlock()
	}
}

func (s *otherServer) send(to netip.AddrPort, d dcerpc.Datagram) {
	b, err := d.Append(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = s.conn.WriteToUDPAddrPort(b, to)
}

// answer returns a packet about the call of d.
func (s *otherServer) answer(d *dcerpc.Datagram, kind dcerpc.PacketType) dcerpc.Datagram {
	a := d.Answer(kind, s.boot)
	if s.Boot == 1 || s.Boot == 2 && !s.learned {
		a.ServerBoot = 0
	}
	a.BigEndian = s.Big
	return a
}

func (s *otherServer) take(d *dcerpc.Datagram, from netip.AddrPort) {
	if d.Interface == dcerpc.Conversation() {
		if d.Type == dcerpc.TypeResponse {
			s.identity(d)
		}
		return
	}
	key := fmt.Sprint(d.Activity, "/", d.Sequence)
	c := s.calls[key]
	switch d.Type {
	case dcerpc.TypeRequest:
		if d.ServerBoot != 0 && d.ServerBoot != s.boot {
			s.reject(d, from, dcerpc.WrongBootTime, d.ServerBoot)
			return
		}
		if c == nil {
			c = &otherCall{head: *d, known: len(s.Asks) == 0}
			s.calls[key] = c
		}
		c.from = from
		s.request(c, d)
	case dcerpc.TypePing:
		switch {
		case c == nil:
			s.send(from, s.answer(d, dcerpc.TypeNoCall))
		case c.done:
			s.respond(c)
		case c.running:
			s.send(from, s.answer(d, dcerpc.TypeWorking))
		default:
			s.fack(c, d, dcerpc.TypeNoCall)
			s.ask(c)
		}
	case dcerpc.TypeFack:
		if c != nil && c.done {
			if next := int(d.Number + 1); next > c.base {
				c.base = next
				s.respond(c)
			}
		}
	case dcerpc.TypeAck:
		if c != nil {
			c.acked = true
			if s.Forgets {
				c.stub = nil
			}
		}
	case dcerpc.TypeCancel:
		s.send(from, s.answer(d, dcerpc.TypeQuack))
	}
}

func (s *otherServer) reject(d *dcerpc.Datagram, to netip.AddrPort, status dcerpc.Status, boot uint32) {
	a := s.answer(d, dcerpc.TypeReject)
	a.ServerBoot, a.Body = boot, status.AppendStatus(nil, s.Big)
	s.send(to, a)
}

func (s *otherServer) request(c *otherCall, d *dcerpc.Datagram) {
	switch {
	case c.done:
		s.respond(c)
		return
	case c.running && s.SaysWorking:
		s.send(c.from, s.answer(d, dcerpc.TypeWorking))
		return
	case c.running:
		return
	}
	fresh, err := c.in.Add(d)
	if err != nil {
		s.t.Errorf("%+v: our client says %+v: %v", s.customs, d, err)
		return
	}
	if !d.NoFack && !c.in.Complete() {
		s.fack(c, d, dcerpc.TypeFack)
	}
	if c.asked == 0 || !fresh && (s.AsksAgain || !c.known) {
		s.ask(c)
	}
	s.run(c)
}

// fack says what has arrived.
func (s *otherServer) fack(c *otherCall, d *dcerpc.Datagram, kind dcerpc.PacketType) {
	a := c.in.Fack(kind, d, s.boot)
	f, err := a.ParseFack()
	if err != nil {
		s.t.Fatal(err)
	}
	f.Window = s.Window
	if c.facks++; c.facks == 1 {
		f.Window = s.FirstWindow
	}
	said := s.answer(d, kind)
	said.Number, said.Body = a.Number, f.Append(nil, s.Big)
	said.Body[0] = s.FackVersion
	if s.FackShort {
		said.Body = said.Body[:12]
	}
	s.send(c.from, said)
}

// ask asks the client who it is. Who is asked in two ways has to answer one.
func (s *otherServer) ask(c *otherCall) {
	if len(s.Asks) == 0 {
		return
	}
	op := s.Asks[c.asked%len(s.Asks)]
	c.asked++
	q := dcerpc.Question{Activity: c.head.Activity, Boot: s.boot}
	d := dcerpc.Datagram{
		Type: dcerpc.TypeRequest, Idempotent: true, BigEndian: s.Big, Interface: dcerpc.Conversation(), Op: op,
		Activity: uuid.New(), Body: q.Append(nil, s.Big),
	}
	s.asked[d.Activity] = c
	s.send(c.from, d)
	if s.AsksAboutAnother {
		q.Activity = uuid.New()
		d.Activity, d.Body = uuid.New(), q.Append(nil, s.Big)
		s.send(c.from, d)
	}
}

func (s *otherServer) identity(d *dcerpc.Datagram) {
	who, err := dcerpc.ParseIdentity(d.Body, d.Op, d.BigEndian)
	if err != nil {
		s.t.Errorf("%+v: our client answers a callback with %+v: %v", s.customs, d, err)
		return
	}
	c := s.asked[d.Activity]
	switch {
	case c == nil, before(c.head.Sequence, who.Sequence): // the client is past it
	case d.Op == dcerpc.AreYouThere && who.Status == 0: // which does not say whose the call is
	case who.Status == dcerpc.YouCrashed:
		s.reject(&c.head, c.from, dcerpc.WhoAreYouFailed, s.boot)
	case who.Status == 0 && who.Sequence == c.head.Sequence:
		c.known = true
		s.run(c)
	default:
		s.t.Errorf("%+v: our client says of its call %d that it is %+v", s.customs, c.head.Sequence, who)
	}
}

// run runs a call that is complete, of a client that is known.
func (s *otherServer) run(c *otherCall) {
	if !c.in.Complete() || !c.known || c.running || c.done {
		return
	}
	c.running = true
	text, _, _ := strings.Cut(string(c.in.Stub()), "|")
	s.taken[text]++
	time.AfterFunc(s.Works, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.running, c.done, c.stub, s.learned = false, true, c.in.Stub(), true
		s.respond(c)
		s.resend(c, 10)
	})
}

func (s *otherServer) resend(c *otherCall, times int) {
	time.AfterFunc(s.Resends, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.Resends > 0 && times > 0 && !c.acked {
			s.respond(c)
			s.resend(c, times-1)
		}
	})
}

// respond sends some fragments of the answer.
func (s *otherServer) respond(c *otherCall) {
	size := max(s.Size, (len(c.stub)+199)/200)
	count := max(1, (len(c.stub)+size-1)/size)
	if s.Forgets && c.acked { // it knows only that it has run it
		s.reject(&c.head, c.from, dcerpc.ProtocolError, s.boot)
		return
	}
	end := min(c.base+s.Burst, count)
	for i := min(c.base, count-1); i < end; i++ {
		d := s.answer(&c.head, dcerpc.TypeResponse)
		d.Fragment, d.Last, d.Number, d.Serial = count > 1, count > 1 && i == count-1, uint16(i), uint16(i)
		d.NoFack = i < end-1 || s.NoFack && s.Burst > count || count == 1
		d.Body = c.stub[i*size : min(len(c.stub), (i+1)*size)]
		if s.Numbers && count == 1 {
			d.Number = 3
		}
		s.send(c.from, d)
	}
}

// restart makes it forget everything.
func (s *otherServer) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boot++
	s.learned = false
	clear(s.calls)
	clear(s.asked)
}

// TestOtherServers lets our client call servers of other makes over networks that lose,
// duplicate and hold up datagrams, while some are restarted. What is answered was taken once; what was refused, or had
// nobody to go to, was not; and over a good network every call is answered.
func TestOtherServers(t *testing.T) {
	seeds := 600
	if testing.Short() {
		seeds = 100
	}
	outcomes := make(map[string]int)
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) { playOtherServer(t, seed, outcomes) })
		if t.Failed() {
			return
		}
	}
	if outcomes["taken"] < seeds || outcomes["uncertain: taken"] == 0 {
		t.Errorf("%v: this test does not show what it is for", outcomes)
	}
}

func playOtherServer(t *testing.T, seed uint64, outcomes map[string]int) {
	random := rand.New(rand.NewPCG(seed, 17))
	n := newNetwork(seed)
	good := random.IntN(3) == 0
	if !good {
		n.loss, n.duplicate, n.reorder = 0.3*random.Float64(), 0.3*random.Float64(), 0.3*random.Float64()
		n.delay = time.Duration(random.Int64N(int64(2 * time.Second)))
	}
	s := &otherServer{
		customs: someCustoms(random), t: t, boot: boot,
		calls: make(map[string]*otherCall), asked: make(map[uuid.UUID]*otherCall), taken: make(map[string]int),
	}
	s.mapper, _ = n.listen(netip.AddrPortFrom(beta, 135))
	s.conn = s.mapper
	if s.Moves {
		s.conn, _ = n.listen(netip.AddrPortFrom(beta, 1026))
		go s.serve(s.conn)
	}
	go s.serve(s.mapper)
	caller, stop := host(t, n, alpha, nil)
	// Who does not ask cannot know a call of before it was restarted.
	restarts := random.IntN(3) == 0 && len(s.Asks) > 0
	for i := range 1 + random.IntN(4) {
		text := fmt.Sprintf("call %d", i)
		stub := text + "|" + strings.Repeat("x", []int{0, 30, 900, 2000, 9600, 60000}[random.IntN(6)])
		if restarts && random.IntN(2) == 0 {
			time.AfterFunc(time.Duration(random.IntN(random.IntN(8000)+1))*time.Millisecond, s.restart)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		answer, err := caller.Call(ctx, beta, dcerpc.Call{Interface: echoes, Stub: []byte(stub)})
		cancel()
		time.Sleep(time.Duration(random.IntN(8000)) * time.Millisecond)
		s.mu.Lock()
		r := result{text, err, string(answer.Stub) == stub && answer.BigEndian == s.Big}
		outcome, problem := r.judge(s.taken[text])
		s.mu.Unlock()
		outcomes[outcome]++
		if problem != "" {
			t.Errorf("seed %d, %+v: %s was %s: %v, %d bytes", seed, s.customs, text, problem, err, len(answer.Stub))
		}
		if err != nil && good && !restarts && !errors.Is(err, carrier.ErrOff) {
			t.Errorf("seed %d, %+v: %s of %d bytes over a good network: %v", seed, s.customs, text, len(stub), err)
		}
	}
	stop()
	time.Sleep(time.Minute)
	_, _ = s.conn.Close(), s.mapper.Close()
}
