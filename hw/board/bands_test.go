package board_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"perceive/hw/board"
)

// at is a reading some seconds after the first; NaN is a sensor without a reading.
func at(seconds float64, zones map[string]float64) board.Reading {
	r := board.Reading{Time: time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))}
	for name, c := range zones {
		z := board.Zone{Name: name}
		if !math.IsNaN(c) {
			z.Celsius = board.Some(c)
		}
		r.Zones = append(r.Zones, z)
	}
	return r
}

func TestBands(t *testing.T) {
	cpu := func(c float64) map[string]float64 { return map[string]float64{"cpu": c} }
	none := math.NaN()
	type step struct {
		at     float64
		zones  map[string]float64
		level  board.Level
		silent string
	}
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"up and down, one level at a time", []step{
			{0, cpu(84.9), board.Normal, ""}, {1, cpu(85), board.Reduced, ""}, {2, cpu(80), board.Reduced, ""},
			{3, cpu(79.9), board.Normal, ""}, {4, cpu(84.9), board.Normal, ""}, {5, cpu(96.9), board.Reduced, ""},
			{6, cpu(97), board.Stop, ""}, {7, cpu(90), board.Stop, ""}, {8, cpu(89.9), board.Reduced, ""},
			{9, cpu(82), board.Reduced, ""}, {10, cpu(20), board.Normal, ""}}},
		{"a leap", []step{{0, cpu(20), board.Normal, ""}, {1, cpu(120), board.Stop, ""}, {2, cpu(20), board.Normal, ""}}},
		{"silence holds the level, then says so, and never lowers it", []step{
			{0, cpu(98), board.Stop, ""}, {9, cpu(none), board.Stop, ""}, {11, cpu(none), board.Stop, "cpu"},
			{1000, nil, board.Stop, "cpu"}, {1001, cpu(20), board.Normal, ""}}},
		{"the hottest falls silent beside a cool one", []step{
			{0, map[string]float64{"cpu": 40, "gpu": 99}, board.Stop, ""}, {30, map[string]float64{"cpu": 40, "gpu": none}, board.Stop, "gpu"}}},
		{"never a reading", []step{{0, nil, board.Normal, "all"}, {60, cpu(none), board.Normal, "all"}}},
		{"time that steps back", []step{{50, cpu(86), board.Reduced, ""}, {0, cpu(none), board.Reduced, ""}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := board.NewBands(board.DefaultBands())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range tc.steps {
				got := b.Update(at(s.at, s.zones))
				if got.Level != s.level || strings.Join(got.Silent, " ") != s.silent || got.Reason == "" {
					t.Errorf("at %g s, %v: %+v, want %v, silent %q", s.at, s.zones, got, s.level, s.silent)
				}
			}
		})
	}
}

func TestBandsOfChosenZones(t *testing.T) {
	cfg := board.DefaultBands()
	cfg.Zones = []string{"tj", "cv"}
	b, err := board.NewBands(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := b.Update(at(0, map[string]float64{"tj": 70, "wifi": 99}))
	if s.Level != board.Normal || s.Zone != "tj" || !slices.Equal(s.Silent, []string{"cv"}) {
		t.Errorf("%+v: want the chosen zone alone to count, and cv to be missed", s)
	}
}

func TestEvaluate(t *testing.T) {
	for _, tc := range []struct {
		celsius float64
		frames  []uint64
		says    string
	}{{50, []uint64{0, 1, 2, 3, 4, 5, 6}, "50.0"}, {86, []uint64{0, 3, 6}, "one frame in 3"}, {98, nil, "nothing is evaluated"}} {
		b, err := board.NewBands(board.DefaultBands())
		if err != nil {
			t.Fatal(err)
		}
		s := b.Update(at(0, map[string]float64{"tj": tc.celsius}))
		var got []uint64
		for i := range uint64(7) {
			if s.Evaluate(i) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, tc.frames) || !strings.Contains(s.Reason, tc.says) {
			t.Errorf("%g °C: frames %v, reason %q", tc.celsius, got, s.Reason)
		}
	}
}

func TestBandsConfigIsChecked(t *testing.T) {
	for says, spoil := range map[string]func(*board.BandsConfig){
		"bands.reduced: leave 85":              func(c *board.BandsConfig) { c.Reduced.Leave = 85 },
		"bands.reduced: leave NaN":             func(c *board.BandsConfig) { c.Reduced.Leave = math.NaN() },
		"bands.stop: leave 99":                 func(c *board.BandsConfig) { c.Stop.Leave = 99 },
		"bands.stop.enter: 84":                 func(c *board.BandsConfig) { c.Stop = board.Band{Enter: 84, Leave: 82} },
		"bands.stop.leave: 80":                 func(c *board.BandsConfig) { c.Stop.Leave = 80 },
		"bands.stop: 90 to 300 °C is not with": func(c *board.BandsConfig) { c.Stop.Enter = 300 },
		"bands.every: 1":                       func(c *board.BandsConfig) { c.Every = 1 },
		"bands.silence: 0s":                    func(c *board.BandsConfig) { c.Silence = 0 },
	} {
		cfg := board.DefaultBands()
		spoil(&cfg)
		if _, err := board.NewBands(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %q", err, says)
		}
	}
}

func TestLevelsHaveNames(t *testing.T) {
	for _, l := range []board.Level{board.Normal, board.Reduced, board.Stop} {
		text, err := json.Marshal(l)
		var back board.Level
		if err != nil || json.Unmarshal(text, &back) != nil || back != l {
			t.Errorf("%v: %s, %v", l, text, err)
		}
	}
	var l board.Level
	if err := l.UnmarshalText([]byte("hot")); err == nil || !strings.Contains(err.Error(), "reduced") {
		t.Errorf("error %v", err)
	}
}
