package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"perceive/camera"
	"perceive/camera/guard"
	"perceive/camera/open"
	"perceive/hw/ort"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/replay"
	"perceive/perception/serve"
)

// second loads the model to compare with, nil if there is none.
func (c *replayCmd) second(a *app, rt *ort.Runtime) (*model.Model, error) {
	if c.Against == "" {
		return nil, nil
	}
	flags := c.modelFlags
	flags.Model, flags.Manifest = c.Against, c.AgainstManifest
	m, err := flags.load(a, rt, ort.Options{Threads: c.threads()}, false)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	sayDegraded(a, "--against: ", m)
	return m, nil
}

// sayDegraded tells that a model runs on something else than what was asked for.
func sayDegraded(a *app, of string, m *model.Model) {
	if rep := m.Report(); rep.Degraded {
		fmt.Fprintf(a.errOut, "degraded: %s%s\n", of, rep)
	}
}

// replaySpeed is a factor, 0 for as fast as possible.
type replaySpeed float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *replaySpeed) UnmarshalText(text []byte) error {
	*s = 0
	if string(text) == "max" {
		return nil
	}
	factor, times := strings.CutSuffix(string(text), "x")
	f, err := strconv.ParseFloat(factor, 64)
	if !times || err != nil || !(f >= 0.001 && f <= 1000) {
		return fmt.Errorf("%q: want max, or a factor from 0.001x to 1000x, such as 1x or 0.5x", text)
	}
	*s = replaySpeed(f)
	return nil
}

// output is where results go: with --update the golden itself.
func (c *replayCmd) output(stdout io.Writer, head perception.Header) (*replay.File, error) {
	switch {
	case c.Update != nil:
		return replay.Create(c.Golden, replay.WithReason(head, c.Golden, *c.Update))
	case c.Out == "":
		return replay.Discard(head)
	case c.Out == "-":
		return replay.NewFile(stdout, head)
	}
	return replay.Create(c.Out, head)
}

// open opens a recording.
func (c *replayCmd) open(uri string) (camera.Source, error) {
	src, err := open.Source(uri, open.Options{Threads: c.decoders()})
	if errors.Is(err, open.ErrURI) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	if _, live := src.(camera.Live); live {
		src.Close()
		return nil, usageError{fmt.Errorf("%s: a live camera cannot be replayed: record it, or use perceive run", uri)}
	}
	if c.road != nil {
		src = c.road.Source(src)
	}
	if c.Speed > 0 {
		src = replay.Pace(src, float64(c.Speed))
	}
	return src, nil
}

func (c *replayCmd) setup() replay.Setup {
	drops := ""
	if c.road != nil {
		drops = c.road.Hash
	}
	var guards []string
	if c.Guards {
		guards = append(guards, fmt.Sprintf("input %+v", c.vehicle.Guards))
	}
	return replay.Setup{Guards: guards, Drops: drops, Program: "perceive " + version(), Deterministic: c.Deterministic, Threads: c.threads(), DecoderThreads: c.decoders(),
		Expiry: c.vehicle.Decide.Expiry, Steady: c.vehicle.Decide.Steady}
}

// guards are those of one recording.
func (c *replayCmd) guards() (out []perception.Guard) {
	if c.road != nil {
		out = append(out, c.road.Guard())
	}
	if c.Guards {
		out = append(out, perception.InputGuard{Guard: guard.New(c.vehicle.Guards)})
	}
	return out
}

// threads are those of the network.
func (c *replayCmd) threads() int {
	switch {
	case c.Threads > 0:
		return c.Threads
	case c.Deterministic:
		return 1
	}
	return (&runCmd{}).threads()
}

// decoders are the video decoder's threads.
func (c *replayCmd) decoders() int {
	if c.Deterministic {
		return 1
	}
	return decoders()
}

// decideAs reads how the vehicle decides: from its own configuration, or from the flags over the
// daemon's defaults.
func (c *replayCmd) decideAs() error {
	c.vehicle = serve.Default()
	if c.Config != "" {
		if c.Leave != nil || c.Hold != nil || c.Expiry != nil {
			return errors.New("--config: the file says how labels are decided: leave --leave, --hold and --expiry")
		}
		text, err := os.ReadFile(c.Config)
		if err != nil {
			return fmt.Errorf("--config: %w", err)
		}
		c.vehicle, err = serve.Parse(serve.Text{Name: c.Config, YAML: text})
		return err
	}
	d := &c.vehicle.Decide
	if c.Leave != nil {
		d.Leave = *c.Leave
	}
	if c.Hold != nil {
		d.Hold = *c.Hold
	}
	if c.Expiry != nil {
		d.Expiry = *c.Expiry
	}
	if !(d.Leave >= 0 && d.Leave <= 1) || d.Hold < 0 || d.Expiry <= 0 {
		return fmt.Errorf("--leave %g, --hold %v, --expiry %v: want a part from 0 to 1, no negative time, and more than nothing", d.Leave, d.Hold, d.Expiry)
	}
	return nil
}
