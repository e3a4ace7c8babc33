package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sys/unix"
)

// maxHead bounds a request's line and headers, bytes.
const maxHead = 16 << 10

// drain is how long requests are given to end when the face closes.
const drain = time.Second

// Listen takes the address. One that is not loopback is an error without Config.Remote, and a
// warning with it.
func (s *Server) Listen() (net.Listener, error) {
	at, err := net.ResolveTCPAddr("tcp", s.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("web: listen %q: %w: want ADDRESS:PORT, 127.0.0.1:8080 for example", s.cfg.Listen, err)
	}
	if !at.IP.IsLoopback() {
		if !s.cfg.Remote {
			return nil, fmt.Errorf("web: listen %q: others than this machine could see the cameras' pictures there: use 127.0.0.1:%d, or allow it in so many words (http.remote: true)", s.cfg.Listen, at.Port)
		}
		s.cfg.Log.Warn("the HTTP face is open to others than this machine: whoever reaches the address sees the cameras' pictures, without a password", "listen", s.cfg.Listen)
	}
	lc := net.ListenConfig{Control: boundBuffer}
	l, err := lc.Listen(context.Background(), "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("web: listen %q: %w: is another program there, or this one already?", s.cfg.Listen, err)
	}
	return netutil.LimitListener(l, s.cfg.Connections), nil
}

// writeBuffer is what the kernel holds of an answer that its reader does not take, bytes. It would hold
// megabytes, which is minutes of results: who reads late is to be late by its queue, not by that.
const writeBuffer = 64 << 10

// boundBuffer sets it on the listening socket; connections inherit it.
func boundBuffer(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, writeBuffer) })
	return errors.Join(err, failed)
}

// Serve answers requests until ctx ends, and closes the listener. It returns nil after an orderly
// end.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.cfg.ReadTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHead,
		BaseContext:       func(net.Listener) context.Context { return s.base },
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("web: %w", err)
	case <-ctx.Done():
	}
	s.stop() // streams do not end by themselves
	end, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := server.Shutdown(end); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("web: %w", err)
	}
	return server.Close()
}
