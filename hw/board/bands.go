package board

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Level is how much the board's temperature lets the program do.
type Level int

// The levels, from cool to hot.
const (
	Normal  Level = iota // evaluate every frame
	Reduced              // evaluate every Nth frame
	Stop                 // evaluate nothing, and say so
)

var levelNames = [...]string{"normal", "reduced", "stop"}

func (l Level) String() string {
	if l < Normal || l > Stop {
		return fmt.Sprintf("level %d", int(l))
	}
	return levelNames[l]
}

// MarshalText writes the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a name.
func (l *Level) UnmarshalText(text []byte) error {
	i := slices.Index(levelNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("board: unknown level %q: use %s", text, strings.Join(levelNames[:], ", "))
	}
	*l = Level(i)
	return nil
}

// Band is the hysteresis of a level, in °C: it is entered at or above Enter and left
// below Leave.
type Band struct {
	Enter float64 `json:"enter" yaml:"enter"`
	Leave float64 `json:"leave" yaml:"leave"`
}

// BandsConfig says at which temperatures the program does less.
type BandsConfig struct {
	Reduced Band `json:"reduced" yaml:"reduced"`
	Stop    Band `json:"stop" yaml:"stop"`
	// Every is N of "every Nth frame" when reduced, at least 2.
	Every int `json:"every" yaml:"every"`
	// Zones are the sensors that count; empty means all.
	Zones []string `json:"zones,omitempty" yaml:"zones"`
	// Silence is how long the last reading of a sensor holds without being called missing.
	Silence time.Duration `json:"silence" yaml:"silence"`
}

// DefaultBands are a start, for boards whose own throttling begins near 100 °C. A board
// has limits of its own, which its maker states.
func DefaultBands() BandsConfig {
	return BandsConfig{Reduced: Band{85, 80}, Stop: Band{97, 90}, Every: 3, Silence: 10 * time.Second}
}

// Validate reports every key that cannot be.
func (c BandsConfig) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("bands."+format, args...)) }
	for _, b := range []struct {
		key string
		Band
	}{{"reduced", c.Reduced}, {"stop", c.Stop}} {
		// Written so that NaN fails, too.
		if !(b.Leave < b.Enter) {
			bad("%s: leave %g °C is not below enter %g: without a band between them the level flutters", b.key, b.Leave, b.Enter)
		}
		if !(b.Leave > coldest/1000 && b.Enter < hottest/1000) {
			bad("%s: %g to %g °C is not within %d to %d", b.key, b.Leave, b.Enter, coldest/1000, hottest/1000)
		}
	}
	if !(c.Reduced.Enter < c.Stop.Enter) {
		bad("stop.enter: %g °C is not above reduced.enter, %g", c.Stop.Enter, c.Reduced.Enter)
	}
	if !(c.Reduced.Leave < c.Stop.Leave) {
		bad("stop.leave: %g °C is not above reduced.leave, %g: leaving stop would skip reduced", c.Stop.Leave, c.Reduced.Leave)
	}
	if c.Every < 2 {
		bad("every: %d is not at least 2", c.Every)
	}
	if c.Silence <= 0 {
		bad("silence: %v is not above 0", c.Silence)
	}
	return errors.Join(errs...)
}

// State is what the bands say now.
type State struct {
	Level Level `json:"level"`
	// Every is N: every Nth frame is evaluated; 1 is all, 0 none.
	Every int `json:"every"`
	// Zone and Celsius are the hottest sensor of those that count.
	Zone    string            `json:"zone,omitempty"`
	Celsius Optional[float64] `json:"celsius"`
	// Silent are the sensors without a reading for longer than is allowed, "all" if there
	// never was one. Their last reading goes on to count: silence does not cool.
	Silent []string `json:"silent,omitempty"`
	// Reason is one line for logs, health and results.
	Reason string `json:"reason"`
}

// Evaluate says whether a frame is to be evaluated, by its number.
func (s State) Evaluate(seq uint64) bool { return s.Every > 0 && seq%uint64(s.Every) == 0 }

// Bands turns readings into a level. It is used by one goroutine.
type Bands struct {
	cfg   BandsConfig
	level Level
	last  map[string]sample
}

type sample struct {
	celsius float64
	at      time.Time
}

// NewBands makes bands at the level Normal.
func NewBands(cfg BandsConfig) (*Bands, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	return &Bands{cfg: cfg, last: map[string]sample{}}, nil
}

// Update takes a reading. Its time, not the clock, decides what is old.
func (b *Bands) Update(r Reading) State {
	for _, z := range r.Zones {
		if z.Celsius.OK && (len(b.cfg.Zones) == 0 || slices.Contains(b.cfg.Zones, z.Name)) {
			b.last[z.Name] = sample{z.Celsius.Value, r.Time}
		}
	}
	s := State{Silent: b.silent(r.Time)}
	for name, v := range b.last {
		hotter := !s.Celsius.OK || v.celsius > s.Celsius.Value
		if hotter || v.celsius == s.Celsius.Value && name < s.Zone {
			s.Zone, s.Celsius = name, Some(v.celsius)
		}
	}
	if s.Celsius.OK {
		b.level = b.cfg.next(b.level, s.Celsius.Value)
	}
	s.Level, s.Every = b.level, [...]int{1, b.cfg.Every, 0}[b.level]
	s.Reason = b.reason(s)
	return s
}

// next is the level after one at a temperature.
func (c BandsConfig) next(l Level, celsius float64) Level {
	switch {
	case celsius >= c.Stop.Enter, l == Stop && celsius >= c.Stop.Leave:
		return Stop
	case celsius >= c.Reduced.Enter, l >= Reduced && celsius >= c.Reduced.Leave:
		return Reduced
	}
	return Normal
}

// silent are the sensors that should have been read and were not, in order.
func (b *Bands) silent(now time.Time) (out []string) {
	if len(b.last) == 0 && len(b.cfg.Zones) == 0 {
		return []string{"all"}
	}
	for _, name := range b.cfg.Zones {
		if _, ok := b.last[name]; !ok {
			out = append(out, name)
		}
	}
	for name, v := range b.last {
		if now.Sub(v.at) > b.cfg.Silence {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (b *Bands) reason(s State) string {
	var text string
	switch c := s.Celsius.Value; {
	case !s.Celsius.OK:
		text = "no temperature has been read"
	case s.Level == Normal:
		text = fmt.Sprintf("%s is at %.1f °C", s.Zone, c)
	case s.Level == Reduced:
		text = fmt.Sprintf("%s is at %.1f °C: one frame in %d until it is below %g °C", s.Zone, c, s.Every, b.cfg.Reduced.Leave)
	default:
		text = fmt.Sprintf("%s is at %.1f °C: nothing is evaluated until it is below %g °C", s.Zone, c, b.cfg.Stop.Leave)
	}
	if s.Silent != nil && s.Celsius.OK {
		text += fmt.Sprintf("; no reading from %s for more than %v, the last one counts", strings.Join(s.Silent, ", "), b.cfg.Silence)
	}
	return text
}
