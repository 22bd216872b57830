// Package control is the one way in to a running service: what is said over its
// API /v1 (HTTP and JSON, described by server/openapi.json), and the client that
// the command line and the desktop use. The service's side is package server.
package control

import (
	"time"

	"messngr"
)

// Message is a received message as the API shows it.
type Message struct {
	ID         messngr.ID    `json:"id"`
	Seq        int64         `json:"seq"`
	From       string        `json:"from"`
	To         string        `json:"to"`
	Text       string        `json:"text"`
	Via        string        `json:"via"`
	Trust      messngr.Trust `json:"trust"`
	Proven     string        `json:"proven,omitempty"`
	Address    string        `json:"address"`
	ReceivedAt time.Time     `json:"received_at"`
	Level      messngr.Level `json:"level"`
	Drill      bool          `json:"drill,omitempty"`
	Title      string        `json:"title,omitempty"`
	Answers    []string      `json:"answers,omitempty"`
	Warning    string        `json:"warning,omitempty"`
	// Audience is the login name of the person it is for; "" for the machine.
	Audience  string `json:"audience,omitempty"`
	InReplyTo string `json:"in_reply_to,omitempty"`
	// Quiet says that it is to be counted and not to pop up by itself, because
	// its sender has sent too many.
	Quiet          bool       `json:"quiet,omitempty"`
	ExpiresAt      *time.Time `json:"expires_at,omitempty"`
	ShownAt        *time.Time `json:"shown_at,omitempty"`
	ReadAt         *time.Time `json:"read_at,omitempty"`
	AcknowledgedAt *time.Time `json:"acknowledged_at,omitempty"`
}

// MessageList is the answer to GET /v1/messages.
type MessageList struct {
	Messages []Message `json:"messages"`
	Total    int       `json:"total"`  // in the whole inbox of the asker
	Unread   int       `json:"unread"` // in the whole inbox of the asker
}

// MessageQuery selects messages for GET /v1/messages and GET /v1/sent; the
// query parameters have the names of the JSON fields.
type MessageQuery struct {
	// Unread selects messages that were not read; GET /v1/sent does not know it.
	Unread bool `json:"unread,omitempty"`
	// Own leaves out what is for other people, or was sent by them, also for one
	// who administers the service.
	Own bool `json:"own,omitempty"`
	// Search selects messages that contain all these words in sender, recipient,
	// title or text; the last one may be the beginning of a word.
	Search string `json:"search,omitempty"`
	After  int64  `json:"after,omitempty"`  // Seq, exclusive
	Before int64  `json:"before,omitempty"` // Seq, exclusive
	// Oldest lists the oldest first instead of the newest.
	Oldest bool `json:"oldest,omitempty"`
	// Limit is the largest number of messages; 0: 100; at most 10,000.
	Limit int `json:"limit,omitempty"`
}

// WatchQuery selects what GET /v1/messages/watch streams; the query parameters
// have the names of the JSON fields.
type WatchQuery struct {
	// After is the Seq of the message after which to begin; if it is not given,
	// only new messages are streamed.
	After *int64 `json:"after,omitempty"`
	// Search selects messages as in MessageQuery.
	Search string `json:"search,omitempty"`
	// Own leaves out what is for other people, also for one who administers the
	// service.
	Own bool `json:"own,omitempty"`
	// Events streams events instead of messages: arrivals and marks.
	Events bool `json:"events,omitempty"`
}

// MarkRequest is the body of POST /v1/messages/mark.
type MarkRequest struct {
	IDs []messngr.ID `json:"ids"`
	// As is "shown", "read", "unread" or "acknowledged".
	As string `json:"as"`
}

// CountAnswer says how many messages or rules a change touched.
type CountAnswer struct {
	Count int `json:"count"`
}

// SendRequest is the body of POST /v1/messages.
type SendRequest struct {
	// From is the name to send as; "": the caller's login name.
	From string `json:"from,omitempty"`
	// To are the recipients: a message name, an IP address, a DNS name,
	// USER@HOST, "everyone" or "*" or "/domain" (the own workgroup),
	// "/domain:NAME", "/users".
	To []string `json:"to,omitempty"`
	// Via is the only route allowed; "": the best.
	Via string `json:"via,omitempty"`
	// Address is where To is, if it is not to be looked up.
	Address string `json:"address,omitempty"`
	Text    string `json:"text"`
	Title   string `json:"title,omitempty"`
	// Level is "info" if it is not given.
	Level   messngr.Level `json:"level,omitempty"`
	Drill   bool          `json:"drill,omitempty"`
	Answers []string      `json:"answers,omitempty"`
	// InReplyTo is the received message that this one answers.
	InReplyTo messngr.ID `json:"in_reply_to,omitzero"`
	// ExpireSeconds allows the message to wait for a route for that long. 0: it
	// is tried once, at once.
	ExpireSeconds int `json:"expire_seconds,omitempty"`
	// Wait is the state to wait for; not given: the best state that the route
	// can report at once.
	Wait *messngr.State `json:"wait,omitempty"`
	// TimeoutSeconds bounds the whole answer; 0: 10 s; at most 300.
	TimeoutSeconds float64 `json:"timeout_seconds,omitempty"`
	// Wall makes it a message for everybody who is logged in on this host; To
	// is then empty. Terminal restricts a message to a local user to one
	// terminal, such as "pts/3".
	Wall     bool   `json:"wall,omitempty"`
	Terminal string `json:"terminal,omitempty"`
}

// SendAnswer is the answer to POST /v1/messages.
type SendAnswer struct {
	ID         messngr.ID        `json:"id"`
	Recipients []RecipientAnswer `json:"recipients"`
	// Reached says that every recipient reached the state that was waited for.
	Reached bool `json:"reached"`
}

// RecipientAnswer is what is known of the message for one recipient.
type RecipientAnswer struct {
	To      string        `json:"to"`
	State   messngr.State `json:"state"`
	Via     string        `json:"via"`
	Address string        `json:"address"`
	// Error is why it did not arrive, for a person; "" if it did.
	Error string `json:"error"`
	// Code is a stable word for Error: "unknown_name", "refused", "busy",
	// "paused", "too_long", "unavailable", "uncertain", "expired" or "".
	Code string `json:"code,omitempty"`
	// Hint is what the sender can do about it; "" if there is nothing to say.
	Hint string `json:"hint,omitempty"`
	// Detail is what else is known, such as the number of parts.
	Detail string `json:"detail,omitempty"`
	// Reached says that the state waited for was reached; of a message that was sent
	// before, that the best was which its route reports at once.
	Reached bool `json:"reached"`
}

// SentMessage is a message that was sent from here.
type SentMessage struct {
	ID         messngr.ID        `json:"id"`
	From       string            `json:"from"`
	Text       string            `json:"text"`
	Title      string            `json:"title,omitempty"`
	Level      messngr.Level     `json:"level"`
	SentAt     time.Time         `json:"sent_at"`
	ExpiresAt  *time.Time        `json:"expires_at,omitempty"`
	Owner      string            `json:"owner"`
	Recipients []RecipientAnswer `json:"recipients"`
	Attempts   []Attempt         `json:"attempts,omitempty"`
}

// Attempt is one try to reach a recipient.
type Attempt struct {
	To      string        `json:"to"`
	Via     string        `json:"via"`
	Address string        `json:"address"`
	State   messngr.State `json:"state"`
	Began   time.Time     `json:"began"`
	Ended   *time.Time    `json:"ended,omitempty"`
	Detail  string        `json:"detail,omitempty"`
	Error   string        `json:"error,omitempty"`
}

// RetractRequest is the body of POST /v1/sent/retract.
type RetractRequest struct {
	// ID is the message that was sent.
	ID messngr.ID `json:"id"`
}

// RetractAnswer says what became of the request to take a message back.
type RetractAnswer struct {
	// Count is how many messages on this machine it ended. They stay in the inboxes and
	// leave the screens.
	Count int `json:"count"`
	// Beyond are the recipients, as the sender wrote them, for whom it is out of reach:
	// they got it from another machine, or may still get it.
	Beyond []string `json:"beyond"`
}

// SentList is the answer to GET /v1/sent.
type SentList struct {
	Messages []SentMessage `json:"messages"`
}

// Name is a message name of this host.
type Name struct {
	Name   string `json:"name"`
	Suffix int    `json:"suffix"` // the 16th byte
	Group  bool   `json:"group,omitempty"`
	// Kind is "computer", "user", "alias" or "workgroup".
	Kind string `json:"kind"`
	// User is the login name whose messages the name receives; "": the machine.
	User    string `json:"user,omitempty"`
	Persist bool   `json:"persist,omitempty"`
	// State is "registered", "claiming" or "conflict": the worst of all places.
	State string `json:"state"`
	// Owner is who has the name in a conflict, if that is known.
	Owner  string      `json:"owner,omitempty"`
	Places []NamePlace `json:"places"`
}

// NamePlace is the state of a name on one interface of one carrier.
type NamePlace struct {
	Carrier   string `json:"carrier"`
	Interface string `json:"interface"`
	State     string `json:"state"`
	Owner     string `json:"owner,omitempty"`
}

// NameList is the answer to GET /v1/names.
type NameList struct {
	Names []Name `json:"names"`
}

// NameRequest is the body of POST /v1/names.
type NameRequest struct {
	Name    string `json:"name"`
	Persist bool   `json:"persist,omitempty"`
	// User is the login name that the name stands for; "": the caller, or the
	// machine if the caller may administer it.
	User string `json:"user,omitempty"`
}

// Rule is one rule of the policy for received messages.
type Rule struct {
	// Verdict is "allow" or "block".
	Verdict string `json:"verdict"`
	// Match is an address, a prefix such as 10.1.0.0/16, or "name:BOSS".
	Match string `json:"match"`
	// Source is "config", "attached" (a subnet of a chosen interface) or "set"
	// (changed while the service ran; only those can be removed).
	Source string `json:"source"`
}

// RuleList is the answer to GET /v1/policy.
type RuleList struct {
	Rules []Rule `json:"rules"`
}

// RuleRequest is the body of POST and DELETE /v1/policy.
type RuleRequest struct {
	Verdict string `json:"verdict"`
	Match   string `json:"match"`
}

// Status is the answer to GET /v1/status.
type Status struct {
	Name       string      `json:"name"`
	Workgroup  string      `json:"workgroup"`
	Version    string      `json:"version"`
	PID        int         `json:"pid"`
	Started    time.Time   `json:"started"`
	State      string      `json:"state"` // "running" or "paused"
	StateDir   string      `json:"state_dir"`
	Socket     string      `json:"socket"`
	NodeType   string      `json:"node_type"`
	CodePage   string      `json:"code_page"`
	PortOffset int         `json:"port_offset,omitempty"`
	Interfaces []Interface `json:"interfaces"`
	// Available are interfaces that could be chosen and are not.
	Available []Interface `json:"available,omitempty"`
	WINS      []string    `json:"wins,omitempty"`
	Ports     []Port      `json:"ports"`
	// Samba is not given where there is no Samba.
	Samba      *Samba           `json:"samba,omitempty"`
	Transports []Part           `json:"transports"`
	Displays   []Part           `json:"displays"`
	Names      []Name           `json:"names"`
	Counters   map[string]int64 `json:"counters"`
	Refused    []Refusal        `json:"refused"`
	Total      int              `json:"total"`
	Unread     int              `json:"unread"`
}

// Samba says how the service lives beside the Samba of this host.
type Samba struct {
	// Arrangement is 1, 2 or 3, in the order of preference of doc/samba.md: 1 if
	// messngr has the names and port 139, 2 if nmbd has the names, 3 if smbd has
	// port 139.
	Arrangement int `json:"arrangement"`
	// State says in words who has what, and what follows from it.
	State []string `json:"state"`
	// Hint is what would make it better; "" if nothing.
	Hint string `json:"hint,omitempty"`
}

// Interface is a network interface of this host.
type Interface struct {
	Name   string `json:"name"`
	Prefix string `json:"prefix"` // address and length, such as 10.0.0.17/24
}

// Port is one port and what became of it.
type Port struct {
	Network   string `json:"network"` // "udp" or "tcp"
	Address   string `json:"address"`
	Interface string `json:"interface,omitempty"`
	Purpose   string `json:"purpose"`
	OK        bool   `json:"ok"`
	Error     string `json:"error,omitempty"`
	// Holder is who has the port, such as "nmbd (pid 812)"; "" if unknown.
	Holder string `json:"holder,omitempty"`
	// Hint is what to do about it.
	Hint string `json:"hint,omitempty"`
}

// Part is a transport or a display.
type Part struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
}

// Refusal counts what one source was refused.
type Refusal struct {
	Address string    `json:"address"`
	From    string    `json:"from"` // the last name claimed
	Reason  string    `json:"reason"`
	Count   int64     `json:"count"`
	Last    time.Time `json:"last"`
	// Allow is the command that would let it in; "" if none can.
	Allow string `json:"allow"`
}

// ServiceRequest is the body of POST /v1/service.
type ServiceRequest struct {
	// Action is "pause", "continue" or "stop".
	Action string `json:"action"`
}

// Error is the body of every answer that is not a success.
type Error struct {
	// Code is a stable word, as RecipientAnswer.Code, or "bad_request",
	// "forbidden", "not_found", "conflict", "too_many", "internal".
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Owner is who has the name, for "conflict".
	Owner string `json:"owner,omitempty"`
}
