package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Schema is the name and version of the report's layout.
const Schema = "perceive-bench/1"

// Report is what a run found out.
type Report struct {
	Schema     string     `json:"schema"`
	Conditions Conditions `json:"conditions"`
	// Incomplete says why not everything was measured, if so.
	Incomplete string      `json:"incomplete,omitempty"`
	Stages     []Row       `json:"stages"`
	Rate       *RateSearch `json:"rate,omitempty"`
	Comparison *Comparison `json:"comparison,omitempty"`
}

// Row is what is known of a stage, or of a part of one. Times are milliseconds.
type Row struct {
	Name   string `json:"name"`
	Frames int    `json:"frames"`
	// Skipped are frames that could not be read, or that a guard refused.
	Skipped int `json:"skipped,omitempty"`
	Turns   int `json:"turns"`
	// P50 is the median over the turns of their medians, with the least and the largest of
	// them; the other quantiles are of all frames.
	P50 Spread  `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
	// PerS is frames a second; nil for parts that run side by side.
	PerS   *Spread `json:"per_s,omitempty"`
	WarmUp *WarmUp `json:"warm_up,omitempty"`
}

// Spread is a figure that was measured several times.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spread of some values, one at least.
func spread(v []float64) Spread {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return Spread{(v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1]}
}

// apart is whether two spreads have nothing in common.
func (s Spread) apart(o Spread) bool { return s.Max < o.Min || o.Max < s.Min }

// valid is whether a spread may have been measured: of times in milliseconds or rates, from a
// billionth to a billion.
func (s Spread) valid() bool {
	return 1e-9 <= s.Min && s.Min <= s.Median && s.Median <= s.Max && s.Max <= 1e9
}

// JSON is the report as it is stored.
func (r *Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}

// maxReport is the size of the largest report that is read.
const maxReport = 1 << 20

// Parse reads a stored report, which errors call name. It must be complete, and possible.
func Parse(name string, in io.Reader) (*Report, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxReport+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(text) > maxReport:
		return nil, fmt.Errorf("%s: more than %d bytes: no report of perceive bench", name, maxReport)
	}
	var schema struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, fmt.Errorf("%s: no report of perceive bench, which --save writes: %w", name, err)
	}
	if schema.Schema != Schema {
		return nil, fmt.Errorf("%s: schema %q, want %q: measure it again with --save", name, schema.Schema, Schema)
	}
	r := &Report{}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err = dec.Decode(r); err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// check refuses what no run can have found.
func (r *Report) check() error {
	if r.Incomplete != "" {
		return fmt.Errorf("is incomplete (%s): measure it again", r.Incomplete)
	}
	if len(r.Stages) == 0 {
		return errors.New("stages: none")
	}
	seen := map[string]bool{}
	for i, s := range r.Stages {
		switch {
		case s.Name == "" || seen[s.Name]:
			return fmt.Errorf("stages[%d].name: %q: empty, or there twice", i, s.Name)
		case !s.P50.valid():
			return fmt.Errorf("stages[%d] (%s).p50_ms: %v: want 0 < min <= median <= max", i, s.Name, s.P50)
		case s.PerS != nil && !s.PerS.valid():
			return fmt.Errorf("stages[%d] (%s).per_s: %v: want 0 < min <= median <= max", i, s.Name, *s.PerS)
		}
		seen[s.Name] = true
	}
	if s := r.Rate; s != nil && !s.possible() {
		return fmt.Errorf("rate: %g/s kept and %g/s not, %d trials: impossible", s.PerS, s.Failed, len(s.Trials))
	}
	return nil
}

// possible is whether a search can have ended so.
func (s *RateSearch) possible() bool {
	in := func(v float64) bool { return v == 0 || 1e-9 <= v && v <= fastest }
	for i := range s.Trials {
		if t := &s.Trials[i]; t.PerS == 0 || !in(t.PerS) || t.Offered < 0 || t.Dropped < 0 {
			return false
		}
	}
	return in(s.PerS) && in(s.Failed) && in(s.LateAt) && (s.PerS > 0 || s.Failed > 0 || s.LateAt > 0) && (s.Failed == 0 || s.Failed > s.PerS)
}

// row is that of a name, nil if there is none.
func (r *Report) row(name string) *Row {
	i := slices.IndexFunc(r.Stages, func(s Row) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Stages[i]
}

// Guess is where a search for the highest rate begins: where nothing waits for the decoder the
// slowest of the other stages sets it. 0 if they were not measured.
func (r *Report) Guess() float64 {
	least := 0.0
	for _, name := range []string{"guard", "fit", "network"} {
		if s := r.row(name); s != nil && s.PerS != nil && (least == 0 || s.PerS.Median < least) {
			least = s.PerS.Median
		}
	}
	return least
}
