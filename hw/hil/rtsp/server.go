// Package rtsp serves one live H.264 stream to whoever connects, over RTSP 1.0 (RFC 2326) with the
// RTP packets inside the connection (RTP/AVP/TCP, interleaved). It packs nothing itself: it
// relays RTP and RTCP packets that come from elsewhere.
package rtsp

import (
	"net"
	"sync"
)

// PayloadType is the RTP payload type that the stream is announced with.
const PayloadType = 96

// maxClients bounds the connections; more are closed at once.
const maxClients = 32

// Server is a stream's server. Its methods may be called from any goroutine.
type Server struct {
	path string

	mu      sync.Mutex
	clients map[*client]struct{}
	closes  bool // connections are accepted and closed
}

// New is a server of a stream at a path that begins with a slash.
func New(path string) *Server { return &Server{path: path, clients: map[*client]struct{}{}} }

// Serve takes connections until the listener is closed. It may be called again with another one.
func (s *Server) Serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.take(c)
	}
}

// take begins a connection.
func (s *Server) take(nc net.Conn) {
	c := &client{server: s, conn: nc, out: make(chan []byte, queue)}
	s.mu.Lock()
	refused := s.closes || len(s.clients) >= maxClients
	if !refused {
		s.clients[c] = struct{}{}
	}
	s.mu.Unlock()
	if refused {
		nc.Close()
		return
	}
	go c.write()
	go c.read()
}

// leave ends a connection.
func (s *Server) leave(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.clients[c]; there {
		delete(s.clients, c)
		close(c.out) // ends write, which closes the connection
	}
}

// SendRTP gives a packet of the stream to every client that plays it, and does not wait: a client
// that does not read loses packets. The packet may be used again when it returns.
func (s *Server) SendRTP(packet []byte) { s.send(packet, 0) }

// SendRTCP does the same with a report about the stream.
func (s *Server) SendRTCP(packet []byte) { s.send(packet, 1) }

func (s *Server) send(packet []byte, which byte) {
	if len(packet) > 0xffff {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		if c.playing {
			c.put(interleaved(c.channel+which, packet))
		}
	}
}

// Playing is how many clients play the stream.
func (s *Server) Playing() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		if c.playing {
			n++
		}
	}
	return n
}

// Cut closes all connections, and new ones at once, until it is called with false.
func (s *Server) Cut(on bool) {
	s.mu.Lock()
	s.closes = on
	s.mu.Unlock()
	s.HangUp()
}

// HangUp closes all connections without a farewell.
func (s *Server) HangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		c.conn.Close()
		delete(s.clients, c)
		close(c.out)
	}
}

// interleaved is a packet as it goes inside the connection, RFC 2326 section 10.12.
func interleaved(channel byte, packet []byte) []byte {
	out := append(make([]byte, 0, 4+len(packet)), '$', channel, byte(len(packet)>>8), byte(len(packet)))
	return append(out, packet...)
}
