//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/ipv4"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

const (
	// window is how many questions are under way at the same time.
	window = 64
	// patience is how long an answer may take before it counts as lost.
	patience = 100 * time.Millisecond
)

// questioner asks one name server, many questions with one system call.
type questioner struct {
	self  netip.Addr
	conn  *net.UDPConn
	batch *ipv4.PacketConn
	id    uint16
}

// newQuestioner opens a socket. It runs in the host that asks.
func newQuestioner(self, server netip.Addr) (*questioner, error) {
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: self.AsSlice()}, &net.UDPAddr{IP: server.AsSlice(), Port: nbns.Port})
	if err != nil {
		return nil, err
	}
	return &questioner{self: self, conn: conn, batch: ipv4.NewPacketConn(conn)}, nil
}

func (q *questioner) close() error { return q.conn.Close() }

// register makes the names known to the server, as this host's.
func (q *questioner) register(names []netbios.Name) error {
	buf := make([]byte, nbns.MaxDatagram)
	for _, name := range names {
		q.id++
		b, err := nbns.Packet{
			ID: q.id, Kind: nbns.Registration, Name: name, TTL: 300000 * time.Second,
			Addresses: []nbns.Address{{Addr: q.self, Node: nbns.HNode}},
		}.Append(nil)
		if err != nil {
			return err
		}
		if _, err := q.conn.Write(b); err != nil {
			return err
		}
		q.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := q.conn.Read(buf)
		if err != nil {
			return fmt.Errorf("registration of %v: %w", name, err)
		}
		if p, err := nbns.Parse(buf[:n]); err != nil || p.Rcode != nbns.RcodeOK || p.Kind != nbns.RegistrationResponse {
			return fmt.Errorf("registration of %v: %+v, %w", name, p, err)
		}
	}
	return nil
}

// questions encodes a question for each name.
func questions(names []netbios.Name) ([][]byte, error) {
	var list [][]byte
	for _, name := range names {
		b, err := nbns.Packet{Kind: nbns.Query, Name: name}.Append(nil)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

// flood asks as fast as answers come, and returns how many came.
func (q *questioner) flood(names []netbios.Name, d time.Duration) (answered int, err error) {
	asked, err := questions(names)
	if err != nil {
		return 0, err
	}
	out, in := make([]ipv4.Message, window), make([]ipv4.Message, window)
	for i := range window {
		out[i].Buffers = [][]byte{make([]byte, 0, nbns.MaxDatagram)}
		in[i].Buffers = [][]byte{make([]byte, nbns.MaxDatagram)}
	}
	underWay := 0
	for start := time.Now(); time.Since(start) < d; {
		batch := out[:window-underWay]
		for i := range batch {
			q.id++
			batch[i].Buffers[0] = append(batch[i].Buffers[0][:0], asked[int(q.id)%len(asked)]...)
			binary.BigEndian.PutUint16(batch[i].Buffers[0], q.id)
		}
		for len(batch) > 0 {
			n, err := q.batch.WriteBatch(batch, 0)
			if err != nil {
				return 0, err
			}
			batch, underWay = batch[n:], underWay+n
		}
		q.conn.SetReadDeadline(time.Now().Add(patience))
		n, err := q.batch.ReadBatch(in, 0)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			underWay = 0
			continue
		}
		if err != nil {
			return 0, err
		}
		for _, m := range in[:n] {
			if positive(m.Buffers[0][:m.N]) {
				answered++
			}
		}
		underWay = max(0, underWay-n)
	}
	if answered == 0 {
		return 0, errors.New("no question was answered")
	}
	return answered, nil
}

// positive reports whether a packet is the answer that somebody has the name.
func positive(b []byte) bool {
	return len(b) > 12 && b[2]&0x80 != 0 && b[3]&0x0F == 0
}

// oneByOne asks for names at random, each after the answer to the one before, and returns how long the answers took.
func (q *questioner) oneByOne(names []netbios.Name, d time.Duration) (took []time.Duration, err error) {
	asked, err := questions(names)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, nbns.MaxDatagram)
	for start := time.Now(); time.Since(start) < d; {
		b := asked[rand.IntN(len(asked))]
		q.id++
		binary.BigEndian.PutUint16(b, q.id)
		q.conn.SetReadDeadline(time.Now().Add(patience))
		began := time.Now()
		if _, err := q.conn.Write(b); err != nil {
			return nil, err
		}
		for {
			n, err := q.conn.Read(buf)
			if err != nil {
				return nil, err
			}
			if n > 12 && binary.BigEndian.Uint16(buf) == q.id {
				break
			}
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
