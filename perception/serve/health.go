package serve

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Status is the daemon's word about itself.
func (d *Daemon) Status() Status {
	now := time.Now()
	d.mu.Lock()
	s := Status{Program: d.deps.Program, Started: d.started, Ready: d.ready.Load(), Model: d.model, Reload: d.reload, Problems: []Problem{}}
	sources, out, det, board := d.sources, d.outputs, d.detector, d.board
	d.mu.Unlock()
	if det != nil {
		s.Provider = det.Report()
	}
	if !s.Ready {
		s.Problems = append(s.Problems, Problem{Part: "daemon", What: "not ready", Since: d.started})
	}
	if s.Provider.Degraded {
		s.Problems = append(s.Problems, Problem{Part: "provider", What: s.Provider.String(), Since: s.Model.Loaded})
	}
	for _, src := range sources {
		s.Sources = append(s.Sources, src.status())
		s.Problems = append(s.Problems, src.problems(now)...)
	}
	if out != nil {
		s.Outputs = out.Status()
		for _, o := range s.Outputs {
			if o.Error == "" {
				d.works(o.Name)
			} else {
				s.Problems = append(s.Problems, Problem{Part: "output " + o.Name, What: o.Error, Since: d.failing(o.Name, now)})
			}
		}
	}
	if r := s.Reload; r != nil && r.Result == "refused" {
		s.Problems = append(s.Problems, Problem{Part: "model", What: fmt.Sprintf("%s was refused, the one before goes on: %s", r.File, r.Reason), Since: r.At})
	}
	if board != nil {
		s.Board = board.status()
		if p := board.problem(); p != nil {
			s.Problems = append(s.Problems, *p)
		}
	}
	s.Healthy = s.Ready && d.advancing(now, sources) == nil
	return s
}

// failing is since when an output has been failing; works forgets that.
func (d *Daemon) failing(output string, now time.Time) time.Time {
	since, _ := d.broken.LoadOrStore(output, now)
	return since.(time.Time)
}

func (d *Daemon) works(output string) { d.broken.Delete(output) }

// advancing is nil if every source gives results and no stage is stuck: being alive is not
// enough to be healthy.
func (d *Daemon) advancing(now time.Time, sources []*source) error {
	for _, s := range sources {
		if err := s.stuck(now, d.cfg.Watch.Stage); err != nil {
			return err
		}
		if quiet := s.meter.silent(now, s.started); quiet > d.cfg.Watch.Silence && s.state().State != Ended {
			return fmt.Errorf("source %s: no result for %v", s.cfg.Name, quiet.Round(time.Millisecond))
		}
	}
	return nil
}

// stuck says which stage has been busy with one frame for longer than limit.
func (s *source) stuck(now time.Time, limit time.Duration) error {
	if stage, took := s.watch.Slowest(now); took > limit {
		return fmt.Errorf("source %s: stage %s has been busy with one frame for %v", s.cfg.Name, stage, took.Round(time.Millisecond))
	}
	return nil
}

// barred says that no connection to the camera has been possible for longer than limit, because reads
// of it hang in native code; limit 0 is for ever.
func (s *source) barred(now time.Time, limit time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit == 0 || s.blocked.IsZero() || now.Sub(s.blocked) <= limit {
		return nil
	}
	return fmt.Errorf("source %s: %s, for %v", s.cfg.Name, s.event.Reason, now.Sub(s.blocked).Round(time.Second))
}

// watchdog tells systemd that the stages move, and ends the process when one does not: what is
// stuck in native code cannot be taken back, only started again. A camera that is lost is no
// reason to start again, unless its reads hang there.
func (d *Daemon) watchdog(ctx context.Context) {
	tick := min(d.cfg.Watch.Stage/4, time.Second)
	if every, err := daemon.SdWatchdogEnabled(false); err == nil && every > 0 {
		tick = min(tick, every/3)
	}
	t := time.NewTicker(tick)
	defer t.Stop()
	var said time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			moving := true
			for _, s := range d.sources {
				err := s.stuck(now, d.cfg.Watch.GiveUp)
				if err == nil {
					err = s.barred(now, d.cfg.Watch.Blocked)
				}
				if err != nil {
					d.stuck <- fmt.Errorf("serve: %w: given up", err)
					return
				}
				if err := s.stuck(now, d.cfg.Watch.Stage); err != nil {
					d.log.Error("stuck", "source", s.cfg.Name, "error", err)
					moving = false
				}
			}
			if moving {
				notify("WATCHDOG=1")
			}
			if now.Sub(said) > 5*time.Second {
				said = now
				notify("STATUS=" + d.line(now))
			}
		}
	}
}

// line is the daemon's state in a line, for systemctl status.
func (d *Daemon) line(now time.Time) string {
	var parts []string
	for _, s := range d.sources {
		st := s.status()
		parts = append(parts, fmt.Sprintf("%s %s, %.1f results/s", st.Name, st.State, st.FPS))
	}
	if err := d.advancing(now, d.sources); err != nil {
		parts = append(parts, err.Error())
	}
	return strings.Join(parts, "; ")
}

// notify tells systemd, if it wants to know.
func notify(state string) { daemon.SdNotify(false, state) }
