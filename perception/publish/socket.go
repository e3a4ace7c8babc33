package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"perceive/perception"
)

// Socket serves lines on a Unix socket: every client that connects gets the header, and then
// the lines from now on. What a client does not read in time it misses, and is told so.
type Socket struct {
	*hub
	listener *net.UnixListener
	path     string
	ctx      context.Context // ends the clients
	cancel   context.CancelFunc
	ended    chan struct{}

	connMu sync.Mutex
	conns  map[net.Conn]struct{}
}

// NewSocket listens at path. The file of a program that is gone is replaced; one that somebody
// listens at, and any other file, is an error. maxClients 0 means MaxClients.
func NewSocket(path string, h perception.Header, o Options, maxClients int) (*Socket, error) {
	if err := clearSocket(path); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("publish: socket: %w", err)
	}
	u, err := newHub(h, o, maxClients)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &Socket{hub: u, listener: l, path: path, ended: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.accept()
	return s, nil
}

// clearSocket removes what a dead program left.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish: socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("publish: socket %s: there is a file of this name that is no socket: move it, or choose another name", path)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return fmt.Errorf("publish: socket %s: another program listens there: end it, or choose another name", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) { // a living one that is busy refuses otherwise
		return fmt.Errorf("publish: socket %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("publish: socket: %w", err)
	}
	return nil
}

func (s *Socket) accept() {
	defer close(s.ended)
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many open files, say: it may pass
			report(&s.trouble, fmt.Errorf("publish: socket: %w", err))
			time.Sleep(firstPause)
			continue
		}
		c, err := s.join()
		if err != nil {
			line, _ := appendEvent(nil, "refused", time.Now(), map[string]string{"reason": err.Error()})
			conn.SetWriteDeadline(time.Now().Add(time.Second))
			conn.Write(line)
			conn.Close()
			continue
		}
		s.connMu.Lock()
		s.conns[conn] = struct{}{}
		s.connMu.Unlock()
		go s.client(conn, c)
	}
}

// client serves one connection until either side ends it. What a client sends is not read, and
// it may close its sending half: that it has gone shows at the next line.
func (s *Socket) client(conn net.Conn, c *client) {
	defer s.leave(c)
	defer func() {
		s.connMu.Lock()
		delete(s.conns, conn)
		s.connMu.Unlock()
		conn.Close()
	}()
	// One that does not read for long gives its place to another.
	send := func(line []byte) error {
		conn.SetWriteDeadline(time.Now().Add(s.patience))
		_, err := conn.Write(line)
		return err
	}
	if send(c.header) != nil {
		return
	}
	c.serve(s.ctx, func(line []byte, _ *Meta) error { return send(line) }, time.Hour, nil)
}

// Close implements perception.Sink.
func (s *Socket) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), DrainTime)
	defer cancel()
	return s.Shutdown(ctx)
}

// Shutdown implements Output: clients that have not read what waits when ctx ends are cut off.
func (s *Socket) Shutdown(ctx context.Context) error {
	err := s.listener.Close() // removes the file
	<-s.ended
	err = errors.Join(err, s.hub.Shutdown(ctx))
	s.wait(ctx)
	s.cancel()
	s.connMu.Lock()
	for conn := range s.conns {
		conn.Close()
	}
	s.connMu.Unlock()
	s.active.Wait()
	if err != nil {
		return fmt.Errorf("publish: socket: %w", err)
	}
	return nil
}

// wait waits until all clients are served, or ctx ends.
func (u *hub) wait(ctx context.Context) {
	served := make(chan struct{})
	go func() {
		u.active.Wait()
		close(served)
	}()
	select {
	case <-served:
	case <-ctx.Done():
	}
}
