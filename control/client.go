package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"messngr"
)

// The limits of a client. They bound what a broken service can cost.
const (
	// maxAnswer is the largest answer that is read: 10,000 messages of an
	// ordinary length many times over.
	maxAnswer = 256 << 20
	// maxLine is the longest line of a stream: the longest text with every
	// character escaped, and room for the other fields.
	maxLine = 8 * messngr.MaxText
	// answerTime is how long a service may take for an answer that does not
	// wait for the network.
	answerTime = 30 * time.Second
	// streamSilence is how long a stream may be silent; the service sends an
	// empty line every 30 seconds.
	streamSilence = 90 * time.Second
)

// ErrNoService says that no service answers at the socket: there is none, or
// nobody listens there.
var ErrNoService = errors.New("no service is running")

// ErrNoAccess says that this user may not open the service's socket.
var ErrNoAccess = errors.New("no access to the service's socket")

// Error makes an answer of the service an error of the caller. The hint is not
// part of it, so that it can be shown on a line of its own.
func (e *Error) Error() string { return e.Message }

// A Client asks a running service by its unix socket. Every call opens a
// connection of its own, so a Client holds nothing and needs no closing. Its
// methods may be called by several goroutines at once. They return ErrNoService
// or ErrNoAccess if the service cannot be asked, and an *Error if it declined.
type Client struct {
	socket string
}

// NewClient returns a client of the service that listens at the socket.
func NewClient(socket string) *Client { return &Client{socket: socket} }

// FindSocket returns the socket of the service: the explicit one if it is not
// empty, else that of the environment variable MESSNGR_SOCKET, else the first
// that exists of /run/messngr/messngr.sock, $XDG_RUNTIME_DIR/messngr.sock and
// messngr.sock in the user's state folder, where a service without a runtime
// folder puts it. If none exists it is the one of /run: asking there tells so.
func FindSocket(explicit string, getenv func(string) string) string {
	const system = "/run/messngr/messngr.sock"
	if explicit != "" {
		return explicit
	}
	if s := getenv("MESSNGR_SOCKET"); s != "" {
		return s
	}
	if exists(system) {
		return system
	}
	for _, folder := range []struct{ variable, below string }{
		{"XDG_RUNTIME_DIR", "/"},
		{"XDG_STATE_HOME", "/messngr/"},
		{"HOME", "/.local/state/messngr/"},
	} {
		if base := getenv(folder.variable); base != "" && exists(base+folder.below+"messngr.sock") {
			return base + folder.below + "messngr.sock"
		}
	}
	return system
}

func exists(path string) bool {
	_, err := os.Stat(path)
	// A socket in a folder that may not be read is there all the same.
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// Status asks how the service is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// Service pauses, continues or stops the service; action is one of the words
// of ServiceRequest.
func (c *Client) Service(ctx context.Context, action string) error {
	return c.call(ctx, http.MethodPost, "/v1/service", ServiceRequest{Action: action}, nil)
}

// Messages lists received messages.
func (c *Client) Messages(ctx context.Context, q MessageQuery) (MessageList, error) {
	return ask[MessageList](ctx, c, http.MethodGet, "/v1/messages"+q.Encode(), nil)
}

// Message returns one received message.
func (c *Client) Message(ctx context.Context, id messngr.ID) (Message, error) {
	return ask[Message](ctx, c, http.MethodGet, "/v1/messages/"+id.String(), nil)
}

// Delete removes one received message.
func (c *Client) Delete(ctx context.Context, id messngr.ID) error {
	return c.call(ctx, http.MethodDelete, "/v1/messages/"+id.String(), nil, nil)
}

// Mark marks received messages and says how many were there.
func (c *Client) Mark(ctx context.Context, r MarkRequest) (int, error) {
	n, err := ask[CountAnswer](ctx, c, http.MethodPost, "/v1/messages/mark", r)
	return n.Count, err
}

// Send sends a message and returns what is known of it at the end of the
// request's time. An answer in which nobody was reached is no error.
func (c *Client) Send(ctx context.Context, r SendRequest) (SendAnswer, error) {
	wait := time.Duration(r.TimeoutSeconds * float64(time.Second))
	ctx, cancel := context.WithTimeout(ctx, answerTime+wait)
	defer cancel()
	return ask[SendAnswer](ctx, c, http.MethodPost, "/v1/messages", r)
}

// Sent lists sent messages, newest first.
func (c *Client) Sent(ctx context.Context, q MessageQuery) (SentList, error) {
	return ask[SentList](ctx, c, http.MethodGet, "/v1/sent"+q.Encode(), nil)
}

// SentMessage returns one sent message with its attempts.
func (c *Client) SentMessage(ctx context.Context, id messngr.ID) (SentMessage, error) {
	return ask[SentMessage](ctx, c, http.MethodGet, "/v1/sent/"+id.String(), nil)
}

// Retract takes back a message that was sent.
func (c *Client) Retract(ctx context.Context, id messngr.ID) (RetractAnswer, error) {
	return ask[RetractAnswer](ctx, c, http.MethodPost, "/v1/sent/retract", RetractRequest{id})
}

// Names lists the names of this host.
func (c *Client) Names(ctx context.Context) (NameList, error) {
	return ask[NameList](ctx, c, http.MethodGet, "/v1/names", nil)
}

// AddName claims a name. The *Error of a name that another machine has says
// who that is.
func (c *Client) AddName(ctx context.Context, r NameRequest) (Name, error) {
	return ask[Name](ctx, c, http.MethodPost, "/v1/names", r)
}

// RemoveName gives a name up.
func (c *Client) RemoveName(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/v1/names/"+url.PathEscape(name), nil, nil)
}

// Rules lists the policy for received messages.
func (c *Client) Rules(ctx context.Context) (RuleList, error) {
	return ask[RuleList](ctx, c, http.MethodGet, "/v1/policy", nil)
}

// AddRule adds a rule.
func (c *Client) AddRule(ctx context.Context, r RuleRequest) error {
	return c.call(ctx, http.MethodPost, "/v1/policy", r, nil)
}

// RemoveRule removes a rule that was added while the service ran.
func (c *Client) RemoveRule(ctx context.Context, r RuleRequest) error {
	q := url.Values{"verdict": {r.Verdict}, "match": {r.Match}}
	return c.call(ctx, http.MethodDelete, "/v1/policy?"+q.Encode(), nil, nil)
}

// Watch calls show for every message after the number after, oldest first, and
// then for every new one as it comes; a negative number means only new ones. It
// returns nil when ctx ends, the error of show, and io.ErrUnexpectedEOF when
// the service goes away.
func (c *Client) Watch(ctx context.Context, after int64, show func(Message) error) error {
	path := "/v1/messages/watch"
	if after >= 0 {
		path += "?after=" + strconv.FormatInt(after, 10)
	}
	return follow(ctx, c, path, show)
}

// follow calls show for every object of a stream.
func follow[T any](ctx context.Context, c *Client, path string, show func(T) error) error {
	conn, resp, err := c.roundTrip(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for {
		conn.SetDeadline(time.Now().Add(streamSilence))
		if !lines.Scan() {
			if ctx.Err() != nil {
				return nil
			}
			if err := lines.Err(); err != nil {
				return fmt.Errorf("stream of messages: %w", err)
			}
			return io.ErrUnexpectedEOF
		}
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return fmt.Errorf("stream of messages: %w", err)
		}
		if err := show(v); err != nil {
			return err
		}
	}
}

// ask is call for an answer of a known type.
func ask[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var answer T
	err := c.call(ctx, method, path, body, &answer)
	return answer, err
}

// call makes one request whose answer comes as a whole. A nil answer expects no
// content.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, answerTime)
		defer cancel()
	}
	conn, resp, err := c.roundTrip(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(answer); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("answer to %s %s: %w", method, path, err)
	}
	return nil
}

// roundTrip writes the request and reads the head of the answer. It does
// without http.Transport, whose pool and goroutines cost a short-lived program
// more than the request itself. The caller closes the connection.
func (c *Client) roundTrip(ctx context.Context, method, path string, body any) (net.Conn, *http.Response, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://messngr"+path, content)
	if err != nil {
		return nil, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "messngr")
	req.Close = true
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, nil, dialError(c.socket, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	resp, err := exchange(conn, req)
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, nil, fmt.Errorf("ask the service: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		defer conn.Close()
		return nil, nil, answerError(resp)
	}
	return conn, resp, nil
}

func exchange(conn net.Conn, req *http.Request) (*http.Response, error) {
	// A service that refuses the request early may close before it has read
	// all of it: its answer counts more than the failure to write.
	writeErr := req.Write(conn)
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil && writeErr != nil {
		return nil, writeErr
	}
	return resp, err
}

// dialError tells the reasons apart that a person can do something about.
func dialError(socket string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w at %s", ErrNoService, socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w %s", ErrNoAccess, socket)
	default:
		return SocketError(socket, err)
	}
}

// maxSocketPath is the longest path of a socket that every system takes, in bytes:
// that of macOS and the BSDs (sun_path without its zero byte). Linux takes 4 more.
const maxSocketPath = 103

// SocketError returns why a socket could not be opened: err, or that its path is too long,
// of which systems speak in riddles.
func SocketError(path string, err error) error {
	if len(path) > maxSocketPath {
		return fmt.Errorf("socket %s: the path is longer than %d bytes, which is too long for a socket", path, maxSocketPath)
	}
	return err
}

// answerError reads the Error of an answer that is not a success.
func answerError(resp *http.Response) error {
	var e Error
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&e) != nil || e.Message == "" {
		return &Error{Code: "internal", Message: "the service answered " + strconv.Quote(resp.Status)}
	}
	return &e
}

// Encode returns the query string, with its question mark, that selects the
// same messages.
func (q MessageQuery) Encode() string {
	v := url.Values{}
	if q.Unread {
		v.Set("unread", "true")
	}
	if q.Search != "" {
		v.Set("search", q.Search)
	}
	if q.After != 0 {
		v.Set("after", strconv.FormatInt(q.After, 10))
	}
	if q.Before != 0 {
		v.Set("before", strconv.FormatInt(q.Before, 10))
	}
	if q.Oldest {
		v.Set("oldest", "true")
	}
	if q.Own {
		v.Set("own", "true")
	}
	if q.Limit != 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}
