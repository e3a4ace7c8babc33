package serve

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"perceive/camera"
	"perceive/hw/board"
	"perceive/hw/nvml"
	"perceive/perception"
)

// BoardConfig says how the board is watched.
type BoardConfig struct {
	// Root is the file system that the sensors are in; empty is this machine's.
	Root string `yaml:"root"`
	// Poll is the time between readings; 0 is none at all.
	Poll  time.Duration     `yaml:"poll"`
	Bands board.BandsConfig `yaml:"bands"`
}

func (c *BoardConfig) faults(bad func(string, string, ...any)) {
	if c.Poll < 0 || c.Poll > time.Minute {
		bad("board.poll", "%v is not within 0s to 1m", c.Poll)
	}
	if err := c.Bands.Validate(); err != nil {
		bad("board.bands", "%v", err)
	}
}

// thermometer reads the board's sensors and says how much may be evaluated.
type thermometer struct {
	cfg    BoardConfig
	reader board.Reader
	close  func() error
	bands  *board.Bands
	state  atomic.Pointer[board.State]
	told   func(board.State)

	first   chan struct{} // closed by the first reading
	started time.Time
	mu      sync.Mutex
	reading board.Reading
	since   time.Time // of the level
}

func newThermometer(c BoardConfig, device int, told func(board.State)) (*thermometer, error) {
	bands, err := board.NewBands(c.Bands)
	if err != nil {
		return nil, err
	}
	t := &thermometer{cfg: c, reader: &board.Sysfs{}, close: func() error { return nil }, bands: bands, told: told,
		first: make(chan struct{}), started: time.Now()}
	if c.Root != "" {
		t.reader = &board.Sysfs{Root: os.DirFS(c.Root)}
	} else {
		r := nvml.New(&board.Sysfs{}, device)
		t.reader, t.close = r, r.Close
	}
	t.state.Store(&board.State{Every: 1})
	return t, nil
}

// run reads until ctx ends.
func (t *thermometer) run(ctx context.Context) {
	if t.cfg.Poll == 0 {
		t.close()
		return
	}
	defer t.close()
	tick := time.NewTicker(t.cfg.Poll)
	defer tick.Stop()
	for first := true; ; first = false {
		t.read()
		if first {
			close(t.first)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// await waits for the first reading, so that a hot board is known before the first frame. A sensor
// that hangs is no reason to wait for ever.
func (t *thermometer) await(ctx context.Context) {
	if t.cfg.Poll == 0 {
		return
	}
	timer := time.NewTimer(firstReading)
	defer timer.Stop()
	select {
	case <-t.first:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// firstReading is how long the first reading is waited for.
const firstReading = time.Second

func (t *thermometer) read() {
	r := t.reader.Read()
	s := t.bands.Update(r)
	before := t.state.Swap(&s)
	t.mu.Lock()
	t.reading = r
	if before.Level != s.Level || t.since.IsZero() {
		t.since = time.Now()
	}
	t.mu.Unlock()
	if before.Level != s.Level {
		t.told(s)
	}
}

// status is the last reading with what follows from it, nil before there is one.
func (t *thermometer) status() any {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reading.Time.IsZero() {
		return nil
	}
	s := t.state.Load()
	return struct {
		board.Reading
		Level  board.Level `json:"level"`
		Reason string      `json:"reason"`
	}{t.reading, s.Level, s.Reason}
}

// problem is what is wrong with the board, nil if it is well.
func (t *thermometer) problem() *Problem {
	s := t.state.Load()
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.reading.Time
	if last.IsZero() {
		last = t.started
	}
	// A sensor that hangs keeps the bands from noticing: they are told nothing.
	if t.cfg.Poll > 0 && time.Since(last) > t.cfg.Bands.Silence+2*t.cfg.Poll {
		return &Problem{Part: "board", What: fmt.Sprintf("no reading for %v: a sensor hangs; the last level, %s, goes on to count",
			time.Since(last).Round(time.Second), s.Level), Since: last}
	}
	if s.Level == board.Normal && !(len(s.Silent) > 0 && s.Celsius.OK) { // a board without sensors has no problem
		return nil
	}
	return &Problem{Part: "board", What: s.Reason, Since: t.since}
}

// Check implements perception.Guard: a hot board leaves frames out, and says so.
func (t *thermometer) Check(f *camera.Frame) (perception.Status, string) {
	if s := t.state.Load(); !s.Evaluate(f.Seq) {
		return perception.Skipped, s.Reason
	}
	return perception.OK, ""
}
