package nbns

import (
	"encoding/binary"
	"errors"
	"fmt"

	"messngr/wire/netbios"
)

// A Status is what a node tells about itself (RFC 1002 4.2.18):
//
//	0  NUM_NAMES (1), each name: 16 bytes, NAME_FLAGS (2)
//	   STATISTICS (46)
type Status struct {
	Names      []StatusName
	Statistics Statistics
}

// A StatusName is one name in the table of a node.
type StatusName struct {
	Name          netbios.Name
	Group         bool
	Node          NodeType
	Deregistering bool // DRG: it is being released
	Conflict      bool // CNF: another node has it too
	Active        bool // ACT: it is in use
	Permanent     bool // PRM: it is the node's permanent name
}

// Statistics are the counters of a node (RFC 1002 4.2.18). All nodes fill in
// UnitID, Samba's with zeros; the other fields are zero on all nodes in use.
type Statistics struct {
	UnitID              [6]byte // the hardware address
	Jumpers             uint8
	TestResult          uint8
	Version             uint16
	Period              uint16 // in minutes
	CRCErrors           uint16
	AlignmentErrors     uint16
	Collisions          uint16
	SendAborts          uint16
	GoodSends           uint32
	GoodReceives        uint32
	Retransmits         uint16
	NoResources         uint16
	FreeCommandBlocks   uint16
	CommandBlocks       uint16
	MaxCommandBlocks    uint16
	PendingSessions     uint16
	MaxPendingSessions  uint16
	MaxSessions         uint16
	SessionDatagramSize uint16
}

const (
	maxStatusNames = 255
	statusNameSize = len(netbios.Name{}) + 2
	statisticsSize = 46

	nameDeregistering = 0x1000
	nameConflict      = 0x0800
	nameActive        = 0x0400
	namePermanent     = 0x0200
)

// parseStatus reads the data of a status response. Statistics that are cut short
// count as zero from there on: some nodes send fewer of them than they should.
func parseStatus(b []byte) (*Status, error) {
	if len(b) == 0 {
		return nil, errors.New("nbns: status has no data")
	}
	count := int(b[0])
	b = b[1:]
	if count*statusNameSize > len(b) {
		return nil, fmt.Errorf("nbns: status of %d names has %d bytes", count, len(b))
	}
	s := &Status{}
	if count > 0 {
		s.Names = make([]StatusName, count)
	}
	for i := range s.Names {
		flags := binary.BigEndian.Uint16(b[statusNameSize-2:])
		s.Names[i] = StatusName{
			Name:          netbios.Name(b[:len(netbios.Name{})]),
			Group:         flags&nbGroup != 0,
			Node:          NodeType(flags >> nbNodeShift & 3),
			Deregistering: flags&nameDeregistering != 0,
			Conflict:      flags&nameConflict != 0,
			Active:        flags&nameActive != 0,
			Permanent:     flags&namePermanent != 0,
		}
		b = b[statusNameSize:]
	}
	var full [statisticsSize]byte
	copy(full[:], b)
	if _, err := binary.Decode(full[:], binary.BigEndian, &s.Statistics); err != nil {
		return nil, fmt.Errorf("nbns: statistics: %w", err)
	}
	return s, nil
}

func (s *Status) append(b []byte) ([]byte, error) {
	if len(s.Names) > maxStatusNames {
		return b, fmt.Errorf("nbns: status of %d names, at most %d are possible", len(s.Names), maxStatusNames)
	}
	b = append(b, byte(len(s.Names)))
	for _, n := range s.Names {
		flags := nbFlags(n.Group, n.Node)
		for _, f := range [...]struct {
			set bool
			bit uint16
		}{
			{n.Deregistering, nameDeregistering},
			{n.Conflict, nameConflict},
			{n.Active, nameActive},
			{n.Permanent, namePermanent},
		} {
			if f.set {
				flags |= f.bit
			}
		}
		b = append(b, n.Name[:]...)
		b = binary.BigEndian.AppendUint16(b, flags)
	}
	b, err := binary.Append(b, binary.BigEndian, s.Statistics)
	if err != nil {
		return b, fmt.Errorf("nbns: statistics: %w", err)
	}
	return b, nil
}

func nbFlags(group bool, node NodeType) uint16 {
	flags := uint16(node&3) << nbNodeShift
	if group {
		flags |= nbGroup
	}
	return flags
}
