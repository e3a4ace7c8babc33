package hil

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// firstPort is that of the first camera where none is said.
const firstPort = 8700

// Listen is where cameras are found: on one address of this machine, at one port each, from the first on.
type Listen struct {
	Host string
	Port int
}

// ParseListen reads HOST or HOST:FIRSTPORT. HOST is what the unit connects to: an address of this machine,
// and not all of them.
func ParseListen(text string) (Listen, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil { // without a port, or not at all
		host, port = text, strconv.Itoa(firstPort)
	}
	n, err := strconv.Atoi(port)
	ip := net.ParseIP(host)
	if host == "" || ip != nil && ip.IsUnspecified() {
		return Listen{}, fmt.Errorf("%q: want the address of this machine that the unit connects to, HOST or HOST:FIRSTPORT", text)
	}
	if err != nil || n < 1 || n > 65535-100 {
		return Listen{}, fmt.Errorf("%q: the port of the first camera is not within 1 to %d", text, 65535-100)
	}
	return Listen{host, n}, nil
}

// at is where camera n listens, empty for a free port of this machine.
func (l Listen) at(n int) string {
	if l.Host == "" {
		return ""
	}
	return net.JoinHostPort(l.Host, strconv.Itoa(l.Port+n))
}

// here is whether only this machine can connect to it.
func (l Listen) here() bool {
	ip := net.ParseIP(l.Host)
	return l.Host == "" || l.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// anywhere are the faults of the unit that need no process and no file of the bench's own.
var anywhere = []string{"model_swap", "slow_reader", "deaf"}

// Refuses is why a scenario cannot be run with a unit that runs already, or that is not on this machine;
// nil if it can.
func (b *Bench) Refuses(s *Scenario) error {
	var all []error
	no := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, c := range s.Cameras {
		if !b.Listen.here() && Media[c.Over].here {
			no("camera %s is over %s, which does not leave this machine: over: mjpeg and rtsp do", c.Name, c.Over)
		}
	}
	if b.Address == "" {
		return errors.Join(all...)
	}
	for _, f := range s.Faults {
		if slices.Contains(onUnit, f.Kind) && !slices.Contains(anywhere, f.Kind) && !(f.Kind == "bad_model" && f.File != "") {
			no("fault %s needs a unit that the bench starts, whose process and files are its own", f.Kind)
		}
	}
	for _, q := range s.Require {
		if q.Kind == "recording" || q.Kind == "memory" {
			no("requirement %s needs a unit that the bench starts, whose process and files are its own", q.Kind)
		}
	}
	if len(s.Unit.Set) > 0 || s.Unit.Restart || s.Unit.Disk > 0 {
		no("its key unit says how the unit is started, and needs one that the bench starts")
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("scenario %s, with a unit that runs already: %w", s.Name, err)
	}
	return nil
}

// await waits until the unit is ready and has opened its cameras.
func (b *Bench) await(ctx context.Context, dir string, feeds []*feed, u *unit, o *observer) error {
	limit := b.Patience
	if limit == 0 {
		limit = startTime
	}
	wait, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	look := "see " + filepath.Join(dir, "unit.log")
	if u == nil {
		look = "is it at " + b.Address + ", and configured with the cameras above?"
	}
	for {
		var missing error
		if !o.ready() {
			missing = errors.New("the unit is not ready")
		}
		for _, f := range feeds {
			if missing == nil && !f.wire.reaches() {
				missing = fmt.Errorf("camera %s: the unit has not connected to %s", f.cam.Name, f.URL())
			}
		}
		if missing == nil {
			return nil
		}
		if died := u.deaths(); len(died) > 0 {
			return fmt.Errorf("hil: the unit did not start (%s): %s", died[0], look)
		}
		if sleep(wait, 20*time.Millisecond) != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("hil: %w within %v: %s", missing, limit, look))
		}
	}
}
