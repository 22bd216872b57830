// Package pcap reads the recordings in testdata folders: classic pcap files of
// Ethernet frames, as tcpdump and tshark -F pcap write them. It serves tests only.
package pcap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

const (
	fileHeader   = 24
	recordHeader = 16
	ethernet     = 1 // LINKTYPE_ETHERNET
	maxFrame     = 1 << 18
)

// Frames returns the Ethernet frames of a recording, in the order of the file.
// A recording without any frame is an error, so that no test passes on nothing.
func Frames(file []byte) ([][]byte, error) {
	if len(file) < fileHeader {
		return nil, errors.New("pcap: file is shorter than its header")
	}
	var order binary.ByteOrder
	switch magic := binary.LittleEndian.Uint32(file); magic {
	case 0xA1B2C3D4, 0xA1B23C4D:
		order = binary.LittleEndian
	case 0xD4C3B2A1, 0x4D3CB2A1:
		order = binary.BigEndian
	default:
		return nil, fmt.Errorf("pcap: unknown magic number %#08x", magic)
	}
	if link := order.Uint32(file[20:]); link != ethernet {
		return nil, fmt.Errorf("pcap: link type %d is not Ethernet", link)
	}
	var frames [][]byte
	for rest := file[fileHeader:]; len(rest) > 0; {
		if len(rest) < recordHeader {
			return nil, errors.New("pcap: record header is cut short")
		}
		size := order.Uint32(rest[8:])
		rest = rest[recordHeader:]
		if size > maxFrame || int(size) > len(rest) {
			return nil, fmt.Errorf("pcap: frame %d of %d bytes is cut short", len(frames)+1, size)
		}
		frames = append(frames, rest[:size])
		rest = rest[size:]
	}
	if len(frames) == 0 {
		return nil, errors.New("pcap: recording holds no frames")
	}
	return frames, nil
}

// A Packet is what one frame carries over UDP or TCP on IPv4.
type Packet struct {
	Protocol uint8 // of the IP header: 17 UDP, 6 TCP
	From, To netip.AddrPort
	Payload  []byte
}

// Packets returns the UDP datagrams and TCP segments on IPv4 that a recording
// holds, leaving out all other frames. Finding none is an error.
func Packets(file []byte) ([]Packet, error) {
	frames, err := Frames(file)
	if err != nil {
		return nil, err
	}
	var packets []Packet
	for _, f := range frames {
		if p, ok := packet(f); ok {
			packets = append(packets, p)
		}
	}
	if len(packets) == 0 {
		return nil, errors.New("pcap: recording holds no UDP or TCP on IPv4")
	}
	return packets, nil
}

func packet(frame []byte) (Packet, bool) {
	const udp, tcp = 17, 6
	if len(frame) < 34 || binary.BigEndian.Uint16(frame[12:]) != 0x0800 {
		return Packet{}, false
	}
	ip := frame[14:]
	header, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if ip[0]>>4 != 4 || header < 20 || total > len(ip) || total < header+8 {
		return Packet{}, false
	}
	body := ip[header:total]
	skip := 8
	switch {
	case ip[9] == tcp && len(body) >= 20:
		skip = int(body[12]>>4) * 4
	case ip[9] != udp:
		return Packet{}, false
	}
	if skip < 8 || skip > len(body) {
		return Packet{}, false
	}
	end := func(addr, port []byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr)), binary.BigEndian.Uint16(port))
	}
	return Packet{
		Protocol: ip[9],
		From:     end(ip[12:16], body[0:]),
		To:       end(ip[16:20], body[2:]),
		Payload:  body[skip:],
	}, true
}
