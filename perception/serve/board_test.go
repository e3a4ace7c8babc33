package serve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/renameio/v2"

	"perceive/hw/board"
)

// A board that gets too hot leaves frames out and says so, until it has cooled down.
func TestHotBoard(t *testing.T) {
	root := t.TempDir()
	zone := filepath.Join(root, "sys", "class", "thermal", "thermal_zone0")
	if err := os.MkdirAll(zone, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(zone, "type"), []byte("cpu-thermal\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	set := func(celsius int) { // at once, as the kernel does
		if err := renameio.WriteFile(filepath.Join(zone, "temp"), fmt.Appendf(nil, "%d\n", celsius*1000), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set(40)
	r := start(t, func(c *Config) { c.Board.Root, c.Board.Poll = root, 10*time.Millisecond }, nil)
	until(t, "results", func() bool { return r.out.count("left") > 5 })
	skipped := func() uint64 { return r.Status().Sources[0].Results["skipped"] }
	if skipped() != 0 || r.problem("board") {
		t.Errorf("%+v", r.Status())
	}
	set(110)
	until(t, "skipped frames", func() bool { return skipped() > 10 && r.problem("board: ") })
	set(40)
	until(t, "no problem", func() bool { return !r.problem("board") })
	before := skipped()
	until(t, "answers", func() bool { return r.Status().Sources[0].Results["ok"] > before+20 })
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}

// A sensor that hangs is waited for at the start for a moment, and is a problem from then on.
func TestHangingSensor(t *testing.T) {
	c := Default().Board
	c.Poll, c.Bands.Silence = time.Millisecond, 10*time.Millisecond
	b, err := newThermometer(c, 0, func(board.State) {})
	if err != nil {
		t.Fatal(err)
	}
	sensor := &hangingSensor{celsius: 40, hang: make(chan struct{})}
	b.reader = sensor
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); b.run(ctx) }()
	b.await(ctx)
	if b.status() == nil {
		t.Error("the first reading was not waited for")
	}
	until(t, "a reading that hangs", func() bool { return sensor.reads.Load() == 3 })
	until(t, "a problem", func() bool { p := b.problem(); return p != nil && strings.Contains(p.What, "a sensor hangs") })
	close(sensor.hang)
	until(t, "no problem", func() bool { return b.problem() == nil })
	cancel()
	<-ended
}

type hangingSensor struct {
	celsius float64
	reads   atomic.Int64
	hang    chan struct{}
}

func (s *hangingSensor) Read() board.Reading {
	if s.reads.Add(1) == 3 {
		<-s.hang
	}
	return board.Reading{Time: time.Now(), Zones: []board.Zone{{Name: "cpu", Celsius: board.Optional[float64]{Value: s.celsius, OK: true}}}}
}
