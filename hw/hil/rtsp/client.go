package rtsp

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

const (
	// queue is how many packets wait for a client that reads slowly: some large key frames.
	queue = 1024
	// quiet is how long a client may say nothing; sessionTimeout, which it is told, is shorter.
	quiet          = 90 * time.Second
	sessionTimeout = 60
	writeTimeout   = 5 * time.Second
)

// client is one connection, which holds at most one session.
type client struct {
	server *Server
	conn   net.Conn
	out    chan []byte // closed, under server.mu, when the connection leaves

	session string // belongs to read

	// Under server.mu.
	channel byte // of RTP; that of RTCP is the next
	playing bool
}

// put gives bytes to write; the caller holds server.mu, and the client has not left.
func (c *client) put(b []byte) {
	select {
	case c.out <- b:
	default:
	}
}

func (c *client) write() {
	defer c.conn.Close()
	for b := range c.out {
		c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := c.conn.Write(b); err != nil {
			c.server.leave(c)
			return
		}
	}
}

// read answers requests until the client leaves, says nothing for long, or says what is no RTSP.
func (c *client) read() {
	defer c.server.leave(c)
	in := bufio.NewReaderSize(c.conn, maxLine)
	for {
		c.conn.SetReadDeadline(time.Now().Add(quiet))
		q, err := readRequest(in)
		if errors.Is(err, errMalformed) {
			c.answer(reply{status: badRequest})
			return
		}
		if err != nil {
			return
		}
		a := c.respond(q)
		a.cseq = q.header["cseq"]
		c.answer(a)
		if q.method == "PLAY" && a.status == ok {
			c.play()
		}
		if q.method == "TEARDOWN" && a.status == ok {
			return
		}
	}
}

func (c *client) answer(a reply) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if _, there := c.server.clients[c]; there {
		c.put(a.text())
	}
}

// play lets packets come, behind the answer that says so.
func (c *client) play() {
	c.server.mu.Lock()
	c.playing = true
	c.server.mu.Unlock()
}

// respond is the answer to a request.
func (c *client) respond(q request) reply {
	switch {
	case q.version != "RTSP/1.0":
		return reply{status: badVersion}
	case q.header["cseq"] == "":
		return reply{status: badRequest}
	case q.header["session"] != "" && sessionOf(q) != c.session:
		return reply{status: noSession}
	}
	switch q.method {
	case "OPTIONS":
		return reply{status: ok, header: []string{"Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"}}
	case "DESCRIBE":
		if !c.server.has(q.path) {
			return reply{status: notFound}
		}
		return reply{status: ok, header: []string{"Content-Base: " + strings.TrimSuffix(q.url, "/") + "/", "Content-Type: application/sdp"}, body: sdp}
	case "SETUP":
		return c.setup(q)
	case "PLAY":
		if c.session == "" {
			return reply{status: notYet}
		}
		return reply{status: ok, header: []string{"Session: " + c.session, "Range: npt=now-"}}
	case "GET_PARAMETER": // clients ask for nothing with it, to show that they are there
		return reply{status: ok, header: c.sessionLine()}
	case "TEARDOWN":
		return reply{status: ok, header: c.sessionLine()}
	}
	return reply{status: notImplemented}
}

func (c *client) setup(q request) reply {
	if !c.server.has(q.path) {
		return reply{status: notFound}
	}
	channel, found := tcpChannel(q.header["transport"])
	if !found {
		return reply{status: noTransport}
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.playing {
		return reply{status: notYet}
	}
	if c.session == "" {
		c.session = rand.Text()
	}
	c.channel = channel
	return reply{status: ok, header: []string{fmt.Sprintf("Session: %s;timeout=%d", c.session, sessionTimeout),
		fmt.Sprintf("Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d", channel, channel+1)}}
}

func (c *client) sessionLine() []string {
	if c.session == "" {
		return nil
	}
	return []string{"Session: " + c.session}
}

// has is whether a path is the stream's, or the one track's in it.
func (s *Server) has(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == s.path || path == s.path+"/"+track
}

// sessionOf is the session of a request without its parameters.
func sessionOf(q request) string {
	id, _, _ := strings.Cut(q.header["session"], ";")
	return strings.TrimSpace(id)
}

// tcpChannel is the channel for RTP of the first transport that is offered and can be had; found
// is false if there is none.
func tcpChannel(transport string) (channel byte, found bool) {
	for offer := range strings.SplitSeq(transport, ",") {
		params := strings.Split(strings.TrimSpace(offer), ";")
		if params[0] != "RTP/AVP/TCP" {
			continue
		}
		for _, p := range params[1:] {
			if pair, is := strings.CutPrefix(p, "interleaved="); is {
				first, _, _ := strings.Cut(pair, "-")
				n, err := strconv.ParseUint(first, 10, 8)
				if err != nil || n > 254 {
					return 0, false
				}
				channel = byte(n)
			}
		}
		return channel, true
	}
	return 0, false
}
