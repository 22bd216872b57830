// Package nbns reads and writes the packets of the NetBIOS name service over
// UDP 137 (RFC 1002 4.2, MS-NBTE 2.2), the ones that nodes exchange and the ones
// that a name server (WINS) adds.
package nbns

import (
	"net/netip"
	"time"

	"messngr/wire/netbios"
)

// Port is the UDP port of the name service (RFC 1002 5.2).
const Port = 137

// MaxDatagram is the longest packet, in bytes, that every node takes (RFC 1002 6).
const MaxDatagram = 576

// A Packet is one packet of the name service. Which fields count is said by its
// Kind; the others are zero. All packets but redirects have this layout:
//
//	 0  NAME_TRN_ID
//	 2  R | OPCODE (4) | AA TC RD RA 0 0 B (7) | RCODE (4)
//	 4  QDCOUNT  ANCOUNT  NSCOUNT  ARCOUNT
//	12  QUESTION_NAME  QUESTION_TYPE  QUESTION_CLASS           in every request
//	    RR_NAME  RR_TYPE  RR_CLASS  TTL  RDLENGTH  RDATA       in all but queries
//
// Requests that carry a record, those that claim, refresh or release, name it by a
// pointer to the question.
type Packet struct {
	// ID pairs a response with its request (NAME_TRN_ID).
	ID uint16
	// Kind says what the packet asks or answers.
	Kind Kind
	// Broadcast marks a request that went to a broadcast address (B).
	Broadcast bool
	// NoRecursion asks a node, in a Query, only for what it has itself, and not for what it
	// knows of others as a name server (RD clear). Name servers ask owners so.
	NoRecursion bool
	// Server marks the answer of a name server to a query (RA). Samba's nodes set it too.
	Server bool
	// Truncated says that the answer had more addresses or names (TC).
	Truncated bool
	// Rcode says in a response why the request failed; RcodeOK if it did not.
	Rcode Rcode

	// Name and Scope are what the packet is about. A failure may come without
	// them: Name is then the zero Name, and only ID tells which request failed.
	Name  netbios.Name
	Scope string
	// TTL is how long a claim lasts, in whole seconds; zero is for ever. A Wait
	// says with it how long to wait.
	TTL time.Duration
	// Addresses are the owners of the name, or the claimant's own address. In a
	// Redirect it is the other name server's, if that was told.
	Addresses []Address
	// Waiting is the kind of the request that a Wait is about; zero if unknown.
	Waiting Kind
	// Status is what a StatusResponse tells; nil in all other kinds.
	Status *Status
}

// A Kind is what a packet asks or answers. The zero Kind is none.
type Kind uint8

// The kinds of packets. Requests first, then responses.
const (
	_ Kind = iota
	// Query asks for the addresses of a name (RFC 1002 4.2.12).
	Query
	// StatusRequest asks a node for all its names (RFC 1002 4.2.17).
	StatusRequest
	// Registration claims a name, and gives way if anybody objects (RFC 1002 4.2.2).
	Registration
	// MultihomedRegistration claims a name for one address of several that a
	// node has; only name servers take it (MS-NBTE 2.2.2).
	MultihomedRegistration
	// Overwrite tells that a name is ours from now on: the demand that ends a
	// claim by broadcast, or the request to a name server (RFC 1002 4.2.3).
	Overwrite
	// Refresh keeps a name at the name server (RFC 1002 4.2.4). It is sent with
	// opcode 8 and also understood with 9: RFC 1002 names both.
	Refresh
	// Release gives a name up (RFC 1002 4.2.9).
	Release

	// QueryResponse tells the owners of a name (RFC 1002 4.2.13), or with an
	// Rcode that there are none (4.2.14).
	QueryResponse
	// StatusResponse tells a node's names (RFC 1002 4.2.18).
	StatusResponse
	// RegistrationResponse says whether a Registration, Overwrite or Refresh
	// succeeded (RFC 1002 4.2.5 and 4.2.6). One with RcodeConflict that nobody
	// asked for is a name conflict demand (4.2.8); its address is 0.0.0.0.
	RegistrationResponse
	// Challenge is a name server's answer to a Registration of a name that has
	// an owner already: the claimant must ask that owner (RFC 1002 4.2.7).
	Challenge
	// ReleaseResponse says whether a Release succeeded (RFC 1002 4.2.10 and 4.2.11).
	ReleaseResponse
	// Wait says that the answer takes longer, up to TTL (WACK, RFC 1002 4.2.16).
	Wait
	// Redirect names another server that should be asked (RFC 1002 4.2.15). No
	// server in use sends it, so it can be parsed but not appended.
	Redirect
)

// Response reports whether packets of this kind answer others, rather than ask.
func (k Kind) Response() bool {
	return k >= QueryResponse
}

// String returns the name of the kind in words.
func (k Kind) String() string {
	names := [...]string{
		"none", "query", "status request", "registration", "multi-homed registration", "overwrite", "refresh", "release",
		"query response", "status response", "registration response", "challenge", "release response", "wait", "redirect",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// An Rcode says why a request failed (RFC 1002 4.2.6, 4.2.11, 4.2.14).
type Rcode uint8

// The codes of RFC 1002.
const (
	RcodeOK       Rcode = 0
	RcodeFormat   Rcode = 1 // the request could not be understood
	RcodeServer   Rcode = 2 // the name server has a problem
	RcodeName     Rcode = 3 // nobody has the name
	RcodeOpcode   Rcode = 4 // the name server does not do this
	RcodeRefused  Rcode = 5 // the name server will not do this for this node
	RcodeActive   Rcode = 6 // another node has the name
	RcodeConflict Rcode = 7 // more than one node has the name
)

// String returns the code in words.
func (r Rcode) String() string {
	names := [...]string{
		"success", "format error", "server failure", "no such name", "unsupported request", "refused",
		"name is active at another node", "name is in conflict",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown error"
}

// An Address is one owner of a name: six bytes, NB_FLAGS and NB_ADDRESS (RFC 1002 4.2.1.3).
type Address struct {
	// Addr is an IPv4 address. In the answer about a group it may be 0.0.0.0
	// or 255.255.255.255, which both stand for all nodes of a subnet.
	Addr netip.Addr
	// Group says that the name is a group, which any number of nodes may hold.
	Group bool
	// Node is how the owner finds names.
	Node NodeType
}

// A NodeType is the way in which a node claims and finds names (RFC 1001 10, MS-NBTE 1.3).
type NodeType uint8

// The node types. RFC 1002 keeps the last one in reserve; Microsoft uses it.
const (
	BNode NodeType = iota // by broadcast
	PNode                 // at a name server
	MNode                 // by broadcast, then at a name server
	HNode                 // at a name server, then by broadcast
)

// String returns the letter of the node type.
func (n NodeType) String() string {
	return string("BPMH"[n&3])
}

// The word at offset 2 of a packet.
const (
	flagResponse  = 0x8000
	flagAuthority = 0x0400
	flagTruncated = 0x0200
	flagRecursion = 0x0100 // RD, desired
	flagServer    = 0x0080 // RA, available
	flagBroadcast = 0x0010
	opcodeShift   = 11
	opcodeMask    = 0x7800
	rcodeMask     = 0x000F
)

// OPCODE values (RFC 1002 4.2.1.1, MS-NBTE 2.2.2).
const (
	opQuery            = 0
	opRegistration     = 5
	opRelease          = 6
	opWait             = 7
	opRefresh          = 8
	opRefreshAlternate = 9
	opMultihomed       = 15
)

// flags returns the fixed part of the flag word of packets of kind k, as the
// pictures of RFC 1002 4.2 have it, and whether there are packets of that kind.
func (k Kind) flags() (word uint16, ok bool) {
	switch k {
	case Query:
		return 0x0100, true
	case StatusRequest:
		return 0x0000, true
	case Registration:
		return 0x2900, true
	case MultihomedRegistration:
		return 0x7900, true
	case Overwrite:
		return 0x2800, true
	case Refresh:
		return 0x4000, true
	case Release:
		return 0x3000, true
	case QueryResponse:
		return 0x8500, true
	case StatusResponse:
		return 0x8400, true
	case RegistrationResponse:
		return 0xAD80, true
	case Challenge:
		return 0xAD00, true
	case ReleaseResponse:
		return 0xB400, true
	case Wait:
		return 0xBC00, true
	default:
		return 0, false
	}
}

// Types and the class of questions and resource records (RFC 1002 4.2.1.2, 4.2.1.3).
const (
	typeA      = 0x0001
	typeNS     = 0x0002
	typeNull   = 0x000A
	typeNB     = 0x0020
	typeStatus = 0x0021
	classIN    = 0x0001
)

// NB_FLAGS, and their place in NAME_FLAGS (RFC 1002 4.2.1.3, 4.2.18).
const (
	nbGroup     = 0x8000
	nbNodeShift = 13
	addressSize = 6
)
