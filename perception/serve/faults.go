package serve

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"time"

	"perceive/internal/strict"
)

// sourceName is what a source may be called: it is part of paths, topics and metrics.
var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// faults are the values that cannot be.
func (c *Config) faults() (out []strict.Fault) {
	bad := func(key, format string, args ...any) {
		out = append(out, strict.Fault{Key: key, Says: fmt.Sprintf(format, args...)})
	}
	if c.Model.File == "" {
		bad("model.file", "empty: name a file, or road or road-int8, which are built in")
	}
	if c.Model.Manifest != "" && c.Model.PublicKey != "" {
		bad("model.public_key", "a signed file is loaded with the contract that it carries: leave model.manifest out")
	}
	if c.Model.Shadow < 0 {
		bad("model.shadow", "%d frames", c.Model.Shadow)
	}
	if c.Provider.Device < 0 {
		bad("provider.device", "%d is negative", c.Provider.Device)
	}
	if c.Provider.GPUMemory < 0 {
		bad("provider.gpu_memory", "%d is negative", c.Provider.GPUMemory)
	}
	if p := c.Provider.TensorRT.Precision; !slices.Contains([]string{"fp32", "fp16", "int8", "fp16+int8"}, p) {
		bad("provider.tensorrt.precision", "%q: want fp32, fp16, int8 or fp16+int8", p)
	}
	if c.Provider.TensorRT.Workspace < 0 {
		bad("provider.tensorrt.workspace", "%d is negative", c.Provider.TensorRT.Workspace)
	}
	if dla := c.Provider.TensorRT.DLA; dla != nil && *dla < 0 {
		bad("provider.tensorrt.dla", "%d is negative", *dla)
	}
	if c.Provider.Threads < 0 || c.Provider.Threads > 1024 {
		bad("provider.threads", "%d is not within 0..1024", c.Provider.Threads)
	}
	if len(c.Sources) == 0 {
		bad("sources", "none: name a camera, scene://?live=true for a rendered one")
	}
	seen := map[string]bool{}
	for i, s := range c.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		if !sourceName.MatchString(s.Name) {
			bad(key+".name", "%q: want lower-case letters, digits, - and _, at most 32", s.Name)
		}
		if seen[s.Name] {
			bad(key+".name", "%q is there twice", s.Name)
		}
		seen[s.Name] = true
		if s.URI == "" {
			bad(key+".uri", "empty")
		}
	}
	c.Decide.faults(bad)
	c.Board.faults(bad)
	c.Outputs.faults(bad)
	for key, says := range c.Guards.Faults() {
		bad("guards."+key, "%s", says)
	}
	for _, d := range []struct {
		key     string
		v       time.Duration
		least   time.Duration
		largest time.Duration
	}{
		{"model.shadow_time", c.Model.ShadowTime, 0, time.Hour},
		{"deadline", c.Deadline, time.Millisecond, time.Minute},
		{"watch.stage", c.Watch.Stage, 10 * time.Millisecond, time.Hour},
		{"watch.give_up", c.Watch.GiveUp, c.Watch.Stage, time.Hour},
		{"watch.silence", c.Watch.Silence, 10 * time.Millisecond, time.Hour},
		{"watch.blocked", c.Watch.Blocked, 0, time.Hour},
		{"watch.stop", c.Watch.Stop, 100 * time.Millisecond, time.Minute},
	} {
		if d.v < d.least || d.v > d.largest {
			bad(d.key, "%v is not within %v to %v", d.v, d.least, d.largest)
		}
	}
	if c.HTTP.Listen != "" {
		if _, err := net.ResolveTCPAddr("tcp", c.HTTP.Listen); err != nil {
			bad("http.listen", "%q: want ADDRESS:PORT, 127.0.0.1:8080 for example", c.HTTP.Listen)
		}
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		bad("log.level", "%q: want debug, info, warn or error", c.Log.Level)
	}
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		bad("log.format", "%q: want text or json", c.Log.Format)
	}
	return out
}

func (c *DecideConfig) faults(bad func(string, string, ...any)) {
	if !(c.Leave >= 0 && c.Leave <= 1) {
		bad("decide.leave", "%g is not within 0..1", c.Leave)
	}
	if c.Hold < 0 {
		bad("decide.hold", "%v is negative", c.Hold)
	}
	if c.Expiry <= 0 {
		bad("decide.expiry", "%v: want more than nothing", c.Expiry)
	}
	for name, l := range c.Labels {
		key := "decide.labels." + name
		for _, p := range []struct {
			key string
			v   *float32
		}{{".enter", l.Enter}, {".leave", l.Leave}} {
			if p.v != nil && !(*p.v >= 0 && *p.v <= 1) {
				bad(key+p.key, "%g is not within 0..1", *p.v)
			}
		}
		if l.Enter != nil && l.Leave != nil && *l.Leave > *l.Enter {
			bad(key+".leave", "%g is above enter, %g", *l.Leave, *l.Enter)
		}
		if l.Hold != nil && *l.Hold < 0 {
			bad(key+".hold", "%v is negative", *l.Hold)
		}
	}
}
