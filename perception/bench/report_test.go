package bench

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// report is one that might have been measured.
func report() *Report {
	row := func(name string, p50, perS float64) Row {
		r := Row{Name: name, Frames: 500, Turns: 5, P50: Spread{p50, 0.95 * p50, 1.05 * p50}, P90: 1.2 * p50, P99: 2 * p50, Max: 3 * p50}
		if perS > 0 {
			r.PerS = &Spread{perS, 0.98 * perS, 1.02 * perS}
		}
		return r
	}
	r := &Report{Schema: Schema, Conditions: Conditions{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), System: "linux/amd64", CPU: "Abacus 3", Cores: 2,
		Program: "perceive abc", Model: "tiny", GraphSHA256: "0123456789abcdef", Provider: "cpu", Threads: 1, Source: "drive.mp4", Size: "64×48"},
		Stages: []Row{row("decode", 3, 330), row("fit", 0.5, 2000), row("network", 2, 500), row("pipeline", 8, 300), row("pipeline/wait", 4, 0), row("pipeline/network", 2.5, 0)},
		Rate:   &RateSearch{PerS: 400, Failed: 404, Limit: maxDrops, At: Trial{PerS: 400, Offered: 300, Answered: 298, Dropped: 2}, Trials: []Trial{{PerS: 400, Offered: 100, Answered: 100}}}}
	r.Stages[0].WarmUp = &WarmUp{10, 40, false}
	return r
}

func TestReportRoundTrip(t *testing.T) {
	for _, with := range []func(*Report){
		func(*Report) {},
		func(r *Report) { r.Rate = nil },
		func(r *Report) { r.Comparison = r.Compare(report()) },
	} {
		r := report()
		with(r)
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse("x.json", bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, r) {
			t.Errorf("read %+v\nwritten %+v", got, r)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good, err := report().JSON()
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) string {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the report has no %s", old)
		}
		return strings.Replace(string(good), old, new, 1)
	}
	incomplete := report()
	incomplete.Incomplete = "interrupted"
	half, err := incomplete.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, text, says string }{
		{"empty", "", "no report"},
		{"no JSON", "seconds: 3\n", "no report"},
		{"another file", `{"labels":[1,2]}`, `schema ""`},
		{"a list", `[1]`, "no report"},
		{"another schema", change(Schema, "perceive-bench/7"), `"perceive-bench/7"`},
		{"cut short", string(good[:len(good)/2]), "no report"},
		{"unknown key", change(`"stages"`, `"colour": 3, "stages"`), "colour"},
		{"wrong type", change(`"cores": 2`, `"cores": "two"`), "cores"},
		{"no stages", `{"schema":"` + Schema + `","stages":[]}`, "stages"},
		{"twice", change(`"name": "fit"`, `"name": "decode"`), "twice"},
		{"no name", change(`"name": "fit"`, `"name": ""`), "stages[1]"},
		{"negative", change(`"median": 3`, `"median": -3`), "decode"},
		{"median out of its range", change(`"median": 3`, `"median": 300`), "p50_ms"},
		{"impossible rate", change(`"failed_per_s": 404`, `"failed_per_s": 4`), "impossible"},
		{"impossible trial", change(`"offered": 100,`, `"offered": -100,`), "impossible"},
		{"incomplete", string(half), "incomplete"},
		{"huge", strings.Repeat(" ", maxReport+1), "bytes"},
	} {
		if _, err := Parse("x.json", strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.says) || !strings.HasPrefix(err.Error(), "x.json: ") {
			t.Errorf("%s: error %v, want the file's name and %q", tc.name, err, tc.says)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := report().JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":"` + Schema + `","stages":[{"name":"a","p50_ms":{"median":1,"min":1,"max":1}}],"rate":{"failed_per_s":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse("x", bytes.NewReader(text))
		if err != nil {
			return
		}
		// What is accepted can be compared, printed and stored.
		r.Comparison = report().Compare(r)
		if _, err := r.JSON(); err != nil {
			t.Error(err)
		}
		if err := r.Print(&bytes.Buffer{}); err != nil {
			t.Error(err)
		}
	})
}

func TestSpread(t *testing.T) {
	for _, tc := range []struct {
		v    []float64
		want Spread
	}{{[]float64{3}, Spread{3, 3, 3}}, {[]float64{5, 1, 2}, Spread{2, 1, 5}}, {[]float64{4, 1, 2, 3}, Spread{2.5, 1, 4}}} {
		if got := spread(tc.v); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.v, got, tc.want)
		}
	}
}

func TestCompare(t *testing.T) {
	scale := func(s *Spread, by float64) { s.Median, s.Min, s.Max = by*s.Median, by*s.Min, by*s.Max }
	is := report()
	scale(&is.Stages[0].P50, 1.08) // its noise is ±5 %, and so is the other's
	scale(&is.Stages[1].P50, 1.5)
	scale(&is.Stages[2].P50, 0.5)
	scale(is.Stages[3].PerS, 0.5)
	scale(&is.Stages[4].P50, 17) // the pipeline waits longer: that is not compared
	is.Rate.PerS, is.Rate.Failed, is.Rate.Trials = 200, 202, nil
	c := is.Compare(report())
	if len(c.Differs) != 0 || len(c.Missing) != 0 {
		t.Errorf("differs %v, missing %v", c.Differs, c.Missing)
	}
	for i, want := range []struct {
		name, unit string
		ratio      float64
		verdict    string
	}{
		{"decode", "ms", 1.08, "within the noise"}, {"fit", "ms", 1.5, "slower"}, {"network", "ms", 0.5, "faster"},
		{"pipeline", "per s", 2, "slower"}, {"pipeline/network", "ms", 1, "within the noise"},
		{"highest rate", "per s", 2, "slower"},
	} {
		if i >= len(c.Rows) {
			t.Fatalf("%d rows, no %s", len(c.Rows), want.name)
		}
		r := c.Rows[i]
		if r.Name != want.name || r.Unit != want.unit || r.Ratio < want.ratio-1e-9 || r.Ratio > want.ratio+1e-9 || r.verdict() != want.verdict {
			t.Errorf("%+v (%s), want %+v", r, r.verdict(), want)
		}
	}
	for _, tc := range []struct {
		above float64
		names string
	}{{1, "fit,pipeline,highest rate"}, {1.6, "pipeline,highest rate"}, {2.1, ""}} {
		var names []string
		for _, r := range c.Slower(tc.above) {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, ","); got != tc.names {
			t.Errorf("slower by more than %g: %s, want %s", tc.above, got, tc.names)
		}
	}
}

// A baseline of something else is compared, and said to be one.
func TestCompareOfAnother(t *testing.T) {
	base, is := report(), report()
	base.Conditions.CPU, base.Conditions.Governor, base.Conditions.GraphSHA256, base.Conditions.Source = "Abacus 2", "powersave", "fedcba", "night.mp4"
	base.Conditions.Program = "perceive older"
	base.Stages = append(base.Stages[1:], Row{Name: "guard", P50: Spread{1, 1, 1}})
	base.Rate = nil
	is.Comparison = is.Compare(base)
	var b bytes.Buffer
	if err := is.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"measured with perceive older", "another processor: Abacus 2, now Abacus 3", "another governor: powersave, now unknown",
		"another graph: fedcba, now 0123456789ab", "another source: night.mp4, now drive.mp4",
		"the baseline has no decode", "this run has no guard", "the baseline has no highest rate", "decode did not settle within 10.0 s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if n := len(is.Comparison.Differs); n != 4 {
		t.Errorf("%d differences, want 4: %v", n, is.Comparison.Differs)
	}
}

func TestMachine(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for _, tc := range []struct {
		name   string
		root   fstest.MapFS
		want   Conditions
		isBusy bool
	}{
		{"nothing to read", fstest.MapFS{}, Conditions{}, false},
		{"a PC", fstest.MapFS{"proc/cpuinfo": file("processor\t: 0\nmodel name\t: Abacus 3\nprocessor\t: 1\nmodel name\t: Abacus 3\n"),
			"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": file("performance\n"), "proc/loadavg": file("1000.5 0.2 0.1 1/2 3\n")},
			Conditions{CPU: "Abacus 3", Governor: "performance", Load: 1000.5}, true},
		{"a board", fstest.MapFS{"proc/cpuinfo": file("processor\t: 0\nBogoMIPS\t: 62\n"), "proc/device-tree/model": file("Slide Rule Nano\x00"), "proc/loadavg": file("0.00")},
			Conditions{CPU: "Slide Rule Nano"}, false},
	} {
		var c Conditions
		c.Machine(tc.root)
		if c.CPU != tc.want.CPU || c.Governor != tc.want.Governor || c.Load != tc.want.Load || c.Busy() != tc.isBusy || c.Cores == 0 || c.System == "" {
			t.Errorf("%s: %+v, want %+v", tc.name, c, tc.want)
		}
	}
}

func TestCompareRates(t *testing.T) {
	for _, tc := range []struct {
		name    string
		was, is RateSearch
		verdict string // "" for not compared
	}{
		{"the same", RateSearch{PerS: 100, Failed: 102}, RateSearch{PerS: 101, Failed: 103}, "within the noise"},
		{"less", RateSearch{PerS: 100, Failed: 102}, RateSearch{PerS: 90, Failed: 92}, "slower"},
		{"more", RateSearch{PerS: 100, Failed: 102}, RateSearch{PerS: 110, Failed: 112}, "faster"},
		{"none any more", RateSearch{PerS: 100, Failed: 102}, RateSearch{Failed: 5}, "slower"},
		{"none before", RateSearch{Failed: 5}, RateSearch{PerS: 100, Failed: 102}, "faster"},
		{"none ever", RateSearch{Failed: 5}, RateSearch{Failed: 5}, ""},
		{"beyond the end, now less", RateSearch{PerS: 1000, AtLeast: true}, RateSearch{PerS: 90, Failed: 92}, "slower"},
		{"beyond both ends", RateSearch{PerS: 1000, AtLeast: true}, RateSearch{PerS: 500, AtLeast: true}, ""},
		{"less, and the trials contradict each other", RateSearch{PerS: 100, Failed: 102}, RateSearch{PerS: 90, Failed: 92, Trials: []Trial{{PerS: 101, Offered: 100}, {PerS: 92, Offered: 100, Dropped: 9}}}, "within the noise"},
		{"less, and a lower rate failed once before", RateSearch{PerS: 100, Failed: 102, Trials: []Trial{{PerS: 85, Offered: 100, Dropped: 5}}}, RateSearch{PerS: 90, Failed: 92}, "within the noise"},
		{"beyond the end, and above", RateSearch{PerS: 500, AtLeast: true}, RateSearch{PerS: 700, Failed: 710}, ""},
	} {
		c := &Comparison{}
		c.rate(&tc.was, &tc.is)
		got := ""
		if len(c.Rows) > 0 {
			got = c.Rows[0].verdict()
		}
		if got != tc.verdict || (got == "") != (len(c.Missing) == 1) {
			t.Errorf("%s: %q %v, want %q", tc.name, got, c.Missing, tc.verdict)
		}
		if _, err := (&Report{Comparison: c}).JSON(); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}
