package web

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// policy lets the page use what comes from here and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// headers are for every answer.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// hosts refuses names that are not ours: a page elsewhere whose name was made to point here
// (DNS rebinding) could else read the pictures. An address cannot be made to point elsewhere.
func (s *Server) hosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		name = strings.Trim(name, "[]")
		if net.ParseIP(name) == nil && name != "localhost" && !slices.Contains(s.cfg.Hosts, name) {
			s.cfg.Log.Warn("request refused: a name that is not ours", "host", r.Host, "from", r.RemoteAddr)
			fail(w, http.StatusMisdirectedRequest, fmt.Sprintf("%q is no name of this daemon: ask for it by address, or add the name to its configuration", name))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// only lets one method pass, and HEAD for GET.
func only(method string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			fail(w, http.StatusMethodNotAllowed, r.URL.Path+" is for "+method+", not "+r.Method)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// newLimit makes a wrapper; of all that it wraps, n run at a time.
func newLimit(n int) func(http.Handler) http.Handler {
	places := make(chan struct{}, n)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
				next.ServeHTTP(w, r)
			default:
				w.Header().Set("Retry-After", "1")
				fail(w, http.StatusServiceUnavailable, fmt.Sprintf("%d requests are being answered already: try again in a second", n))
			}
		})
	}
}

// endless takes the server's deadline for an answer off a stream.
func endless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a writer that knows none has none
		next.ServeHTTP(w, r)
	})
}

// local is whether a request comes from this machine.
func local(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// fail answers with words.
func fail(w http.ResponseWriter, code int, words string) { http.Error(w, words, code) }
