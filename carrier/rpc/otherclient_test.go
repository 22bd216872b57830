package rpc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/fragment"
	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

// habits are what the specifications leave to a client's runtime, and what small programs do
// beyond them.
type habits struct {
	Big, Idempotent     bool
	Size, Burst         int // bytes in a fragment; fragments sent at once
	Asks                int // every so many of them asks for a fack; 0: none does
	Shuffles            bool
	Wait                time.Duration // until something is sent again
	Pings               bool          // not the request, but a ping
	Knows               []uint16      // the ways of being asked that it knows
	Refuses             dcerpc.PacketType
	Thinks              time.Duration // before it answers a callback
	AnswersTwice        bool
	AnswersOtherwise    bool   // in the other order of bytes than it was asked in
	Counts              uint32 // what it adds to the number of a call for the next; 0: they all have one
	First               uint32 // the number of the first
	Boot, Object, Hints bool   // whether it fills in these fields
	Serials             uint16 // what it adds to the serial for the next packet
	Acks                int    // how often it acknowledges
	Moves               bool   // takes a new port for each call
	MovesWithin         bool   // takes one when nothing is heard
	GivesUp             float64
	CancelsGently       bool
}

func someHabits(random *rand.Rand) habits {
	yes := func(share float64) bool { return random.Float64() < share }
	h := habits{
		Big: yes(0.3), Idempotent: yes(0.3),
		Size: []int{400, 944, 1384, 1392, 4016, 16000, 65400}[random.IntN(7)], Burst: []int{1, 1, 4, 32, 256}[random.IntN(5)],
		Asks: []int{0, 1, 1, 4}[random.IntN(4)], Shuffles: yes(0.3),
		Wait: time.Duration(300+random.IntN(2000)) * time.Millisecond, Pings: yes(0.5),
		Knows:  [][]uint16{{0, 1}, {0, 1}, {0}, {1}}[random.IntN(4)],
		Thinks: time.Duration(random.IntN(1200)) * time.Millisecond, AnswersTwice: yes(0.2), AnswersOtherwise: yes(0.2),
		Counts: []uint32{1, 1, 1, 5, 1 << 20, 0}[random.IntN(6)], First: []uint32{0, 0, 1, 77, 1<<31 - 1, 1<<32 - 2}[random.IntN(6)],
		Boot: yes(0.7), Object: yes(0.3), Hints: yes(0.3), Serials: []uint16{0, 1, 1, 300}[random.IntN(4)],
		Acks: random.IntN(3), Moves: yes(0.3), MovesWithin: yes(0.2), GivesUp: []float64{0, 0, 0.3}[random.IntN(3)],
		CancelsGently: yes(0.3),
	}
	h.Refuses = []dcerpc.PacketType{dcerpc.TypeReject, dcerpc.TypeFault, dcerpc.TypeAck}[random.IntN(3)] // the last is no answer
	if h.Asks == 0 {
		h.Burst = 256 // it can hear of none
	}
	if h.Counts == 0 { // such a program does little else
		h.Moves, h.MovesWithin, h.Pings, h.GivesUp = true, false, false, 0
	}
	return h
}

// otherClient is a client of another make.
type otherClient struct {
	habits
	t        *testing.T
	network  *network
	random   *rand.Rand
	addr     netip.Addr
	conn     udp.Conn
	activity uuid.UUID
	sequence uint32
	boot     uint32
	serial   uint16
	answered map[uuid.UUID]bool

	stub    []byte
	count   int
	arrived map[int]bool
	base    int // the first that is not known to have arrived
	sent    int // the first that was not sent
	in      fragment.Assembly
	working bool
	moved   int
}

func newOtherClient(t *testing.T, n *network, random *rand.Rand, addr netip.Addr) *otherClient {
	c := &otherClient{t: t, network: n, random: random, addr: addr, habits: someHabits(random), activity: uuid.New()}
	c.sequence = c.First - c.Counts
	c.move()
	return c
}

// move takes a new port.
func (c *otherClient) move() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	conn, err := c.network.listen(netip.AddrPortFrom(c.addr, 0))
	if err != nil {
		c.t.Fatal(err)
	}
	c.conn = conn
}

func (c *otherClient) send(d dcerpc.Datagram) {
	b, err := d.Append(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	_, _ = c.conn.WriteToUDPAddrPort(b, netip.AddrPortFrom(beta, 135))
}

func (c *otherClient) head(kind dcerpc.PacketType) dcerpc.Datagram {
	d := dcerpc.Datagram{
		Type: kind, Idempotent: c.Idempotent, BigEndian: c.Big, Interface: echoes, Activity: c.activity, Sequence: c.sequence,
		InterfaceHint: dcerpc.NoHint, ActivityHint: dcerpc.NoHint, Serial: c.serial,
	}
	c.serial += c.Serials
	if c.Boot {
		d.ServerBoot = c.boot
	}
	if c.Object {
		d.Object = uuid.UUID{1, 2, 3}
	}
	if c.Hints {
		d.InterfaceHint, d.ActivityHint = 7, 11
	}
	return d
}

// request sends some fragments of the request.
func (c *otherClient) request() {
	var list []int
	for i := c.base; i < c.count && len(list) < c.Burst; i++ {
		if !c.arrived[i] {
			list = append(list, i)
		}
	}
	if c.Shuffles {
		c.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	for at, i := range list {
		d := c.head(dcerpc.TypeRequest)
		d.Fragment, d.Last, d.Number = c.count > 1, c.count > 1 && i == c.count-1, uint16(i)
		d.NoFack = c.Asks == 0 || at%c.Asks != c.Asks-1 && at != len(list)-1
		d.Body = c.stub[i*c.Size : min(len(c.stub), (i+1)*c.Size)]
		c.send(d)
		c.sent = max(c.sent, i+1)
	}
}

// call makes one call. It reports false if the client gave it up, or was told that it has
// failed.
func (c *otherClient) call(stub []byte) (answer []byte, ok bool) {
	c.sequence += c.Counts
	c.stub, c.count = stub, max(1, (len(stub)+c.Size-1)/c.Size)
	c.arrived, c.base, c.sent, c.in, c.working = make(map[int]bool), 0, 0, fragment.Assembly{}, false
	c.moved = 0
	c.answered = make(map[uuid.UUID]bool)
	if c.Moves {
		c.move()
	}
	c.request()
	patience, next := time.Now().Add(10*time.Minute), time.Now().Add(c.Wait)
	if c.random.Float64() < c.GivesUp {
		patience = time.Now().Add(time.Duration(c.random.IntN(5000)) * time.Millisecond)
	}
	b := make([]byte, 1<<16)
	for time.Now().Before(patience) {
		_ = c.conn.SetReadDeadline(earlier(next, patience))
		n, _, err := c.conn.ReadFromUDPAddrPort(b)
		if isTimeout(err) {
			if time.Now().Before(next) {
				continue
			}
			next = time.Now().Add(c.Wait)
			c.again()
			continue
		}
		if err != nil {
			c.t.Fatal(err)
		}
		d, err := dcerpc.ParseDatagram(b[:n])
		if err != nil {
			c.t.Errorf("%+v: our server says %x: %v", c.habits, b[:n], err)
			continue
		}
		if done, ok := c.take(&d); done {
			return c.in.Stub(), ok
		}
	}
	cancel := c.head(dcerpc.TypeCancel)
	if c.CancelsGently {
		cancel.Body = dcerpc.Cancel{ID: 1}.Append(nil, c.Big)
	}
	c.send(cancel)
	return nil, false
}

// again is what it does when nothing is heard.
func (c *otherClient) again() {
	if c.MovesWithin && c.random.IntN(3) == 0 && c.moved < 2 {
		c.moved++
		c.move()
	}
	if c.Pings && (c.working || c.random.IntN(2) == 0) {
		c.send(c.head(dcerpc.TypePing))
		return
	}
	c.request()
}

// take takes a packet of the server. It reports whether the call is over.
func (c *otherClient) take(d *dcerpc.Datagram) (done, ok bool) {
	switch {
	case d.Interface == dcerpc.Conversation():
		c.identify(d)
		return false, false
	case d.Activity != c.activity || d.Sequence != c.sequence:
		return false, false
	}
	c.boot = d.ServerBoot
	switch d.Type {
	case dcerpc.TypeWorking:
		c.working = true
	case dcerpc.TypeFack, dcerpc.TypeNoCall:
		c.progress(d)
	case dcerpc.TypeReject, dcerpc.TypeFault:
		return true, false
	case dcerpc.TypeResponse:
		if _, err := c.in.Add(d); err != nil {
			c.t.Errorf("%+v: our server answers %+v: %v", c.habits, d, err)
			return true, false
		}
		if !c.in.Complete() {
			if !d.NoFack {
				c.send(c.in.Fack(dcerpc.TypeFack, d, c.boot))
			}
			return false, false
		}
		for range c.Acks {
			c.send(c.head(dcerpc.TypeAck))
		}
		return true, true
	}
	return false, false
}

func (c *otherClient) progress(d *dcerpc.Datagram) {
	if len(d.Body) == 0 { // nothing has arrived, or it was forgotten
		c.base, c.working = 0, false
		clear(c.arrived)
		c.request()
		return
	}
	f, err := d.ParseFack()
	if err != nil {
		c.t.Errorf("%+v: our server says %+v: %v", c.habits, d, err)
		return
	}
	before := c.base
	c.base = max(c.base, min(int(d.Number+1), c.count))
	for _, n := range f.Beyond {
		c.arrived[int(d.Number+n)] = true
	}
	if c.base > before || d.Type == dcerpc.TypeNoCall {
		c.request()
	}
}

// identify answers a callback.
func (c *otherClient) identify(d *dcerpc.Datagram) {
	q, err := dcerpc.ParseQuestion(d.Body, d.BigEndian)
	if err != nil || d.Type != dcerpc.TypeRequest {
		c.t.Errorf("%+v: our server asks %+v: %v", c.habits, d, err)
		return
	}
	answer := d.Answer(dcerpc.TypeResponse, 5)
	answer.BigEndian = d.BigEndian != c.AnswersOtherwise
	if slices.Contains(c.Knows, d.Op) {
		who := dcerpc.Identity{Sequence: c.sequence, Client: uuid.UUID{9}}
		if q.Activity != c.activity {
			who.Status = dcerpc.BadActivity
		}
		c.boot = q.Boot
		answer.Body = who.Append(nil, d.Op, answer.BigEndian)
	} else {
		answer.Type, answer.Body = c.Refuses, dcerpc.OpRange.AppendStatus(nil, answer.BigEndian)
	}
	conn := c.conn
	b, _ := answer.Append(nil)
	time.AfterFunc(c.Thinks, func() {
		_, _ = conn.WriteToUDPAddrPort(b, netip.AddrPortFrom(beta, 135))
		if c.AnswersTwice {
			_, _ = conn.WriteToUDPAddrPort(b, netip.AddrPortFrom(beta, 135))
		}
	})
}

// journal is what a server has taken, by the origin that transports make of a call.
type journal struct {
	mu     sync.Mutex
	random *rand.Rand
	origin map[string]bool
	taken  map[string]int
}

func (j *journal) run(_ context.Context, _ netip.AddrPort, call dcerpc.Call) ([]byte, error) {
	j.mu.Lock()
	pause := time.Duration(j.random.IntN(2)) * time.Duration(j.random.IntN(6000)) * time.Millisecond
	j.mu.Unlock()
	time.Sleep(pause)
	j.mu.Lock()
	defer j.mu.Unlock()
	origin := fmt.Sprintf("%v/%d/%x", call.Activity, call.Sequence, sha256.Sum256(call.Stub))
	if !j.origin[origin] {
		j.origin[origin] = true
		text, _, _ := strings.Cut(string(call.Stub), "|")
		j.taken[text]++
	}
	return call.Stub, nil
}

// TestOtherClients lets clients of other makes call our server over networks that lose,
// duplicate and hold up datagrams, while the server is restarted now and then. Each call that
// its client does not give up is answered, unless the server was restarted, and was taken
// once; no other is taken twice.
func TestOtherClients(t *testing.T) {
	seeds := 600
	if testing.Short() {
		seeds = 100
	}
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) { playOtherClient(t, seed) })
		if t.Failed() {
			return
		}
	}
}

func playOtherClient(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	n := newNetwork(seed)
	if random.IntN(4) > 0 {
		n.loss, n.duplicate, n.reorder = 0.3*random.Float64(), 0.3*random.Float64(), 0.3*random.Float64()
		n.delay = time.Duration(random.Int64N(int64(2 * time.Second)))
	}
	j := &journal{random: rand.New(rand.NewPCG(seed, 8)), origin: make(map[string]bool), taken: make(map[string]int)}
	_, stop := host(t, n, beta, j.run)
	restarts := random.IntN(4) == 0
	if restarts {
		first, at, second := stop, time.Duration(random.IntN(20000))*time.Millisecond, make(chan func())
		go func() {
			time.Sleep(at)
			first()
			time.Sleep(2 * time.Second)
			_, stop := host(t, n, beta, j.run)
			second <- stop
		}()
		stop = func() { (<-second)() }
	}
	c := newOtherClient(t, n, random, alpha)
	for i := range 1 + random.IntN(4) {
		text := fmt.Sprintf("call %d", i)
		size := []int{30, 100, 900, 2000, 9600, 60000}[random.IntN(6)]
		size = min(size, 250*c.Size, 15*c.Size*c.Burst) // or it takes hours
		stub := text + "|" + strings.Repeat("x", size)
		answer, ok := c.call([]byte(stub))
		j.mu.Lock()
		taken := j.taken[text]
		j.mu.Unlock()
		switch {
		case ok && (taken != 1 || string(answer) != stub):
			t.Errorf("seed %d, %+v: %s of %d bytes was answered with %.20q… (%d bytes) and taken %d times", seed, c.habits, text, len(stub), answer, len(answer), taken)
		case taken > 1:
			t.Errorf("seed %d, %+v: %s was taken %d times", seed, c.habits, text, taken)
		case !ok && c.GivesUp == 0 && !restarts:
			t.Errorf("seed %d, %+v: %s of %d bytes was not answered; taken %d times", seed, c.habits, text, len(stub), taken)
		}
		time.Sleep(time.Duration(random.IntN(90)) * time.Second / time.Duration(1+random.IntN(20)))
	}
	_ = c.conn.Close()
	time.Sleep(10 * time.Second)
	stop()
	for text, taken := range j.taken {
		if taken > 1 {
			t.Errorf("seed %d, %+v: %s was taken %d times in the end", seed, c.habits, text, taken)
		}
	}
}
