package serve

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"perceive/camera/guard"
	"perceive/hw"
	"perceive/internal/strict"
)

// Config is everything that the daemon is told.
type Config struct {
	Model    ModelConfig    `yaml:"model"`
	Provider ProviderConfig `yaml:"provider"`
	Sources  []SourceConfig `yaml:"sources"`
	Decide   DecideConfig   `yaml:"decide"`
	// Deadline is the age at which a published result counts as late.
	Deadline time.Duration `yaml:"deadline"`
	Guards   guard.Config  `yaml:"guards"`
	Board    BoardConfig   `yaml:"board"`
	Outputs  OutputsConfig `yaml:"outputs"`
	Watch    WatchConfig   `yaml:"watch"`
	HTTP     HTTPConfig    `yaml:"http"`
	Log      LogConfig     `yaml:"log"`
}

// ModelConfig says which model runs.
type ModelConfig struct {
	File      string `yaml:"file"`
	Manifest  string `yaml:"manifest"`
	PublicKey string `yaml:"public_key"`
	// Shadow is how many live frames a candidate must answer beside the model that runs, and
	// ShadowTime how long it is given for that.
	Shadow     int           `yaml:"shadow"`
	ShadowTime time.Duration `yaml:"shadow_time"`
}

// ProviderConfig says what runs the network.
type ProviderConfig struct {
	Name    hw.Provider `yaml:"name"`
	Policy  hw.Policy   `yaml:"policy"`
	Device  int         `yaml:"device"`
	Threads int         `yaml:"threads"`
	Spin    bool        `yaml:"spin"`
	// GPUMemory limits the network's memory pool on the GPU, bytes; 0 is no limit.
	GPUMemory int64          `yaml:"gpu_memory"`
	TensorRT  TensorRTConfig `yaml:"tensorrt"`
}

// TensorRTConfig is for the TensorRT provider.
type TensorRTConfig struct {
	// Precision is what may be computed in: fp32, fp16, int8, fp16+int8.
	Precision string `yaml:"precision"`
	// DLA is a Jetson's deep learning accelerator, from 0; nil is the GPU.
	DLA       *int  `yaml:"dla"`
	Workspace int64 `yaml:"workspace"`
	// EngineCache is the folder that perceive prepare fills.
	EngineCache string `yaml:"engine_cache"`
}

// SourceConfig is one camera.
type SourceConfig struct {
	Name string `yaml:"name"`
	URI  string `yaml:"uri"`
	// FrameCode reads the number that the bench writes into pictures.
	FrameCode bool `yaml:"frame_code"`
}

// DecideConfig makes states of probabilities.
type DecideConfig struct {
	// Leave is the part of a label's threshold below which it goes off.
	Leave  float32       `yaml:"leave"`
	Hold   time.Duration `yaml:"hold"`
	Expiry time.Duration `yaml:"expiry"`
	// Labels override the model's thresholds.
	Labels map[string]LabelConfig `yaml:"labels"`
}

// LabelConfig overrides one label's. Nil is what the model and DecideConfig say.
type LabelConfig struct {
	Enter *float32       `yaml:"enter"`
	Leave *float32       `yaml:"leave"`
	Hold  *time.Duration `yaml:"hold"`
}

// WatchConfig bounds how long things may take.
type WatchConfig struct {
	// Stage is how long one frame may be in a stage before that counts as stuck, and GiveUp
	// how long before the process ends so that it is started anew.
	Stage  time.Duration `yaml:"stage"`
	GiveUp time.Duration `yaml:"give_up"`
	// Silence is how long a source may give no result before the daemon is unhealthy.
	Silence time.Duration `yaml:"silence"`
	// Stop is how long an orderly end may take.
	Stop time.Duration `yaml:"stop"`
}

// HTTPConfig is the face to the outside. Empty Listen means none.
type HTTPConfig struct {
	Listen string `yaml:"listen"`
	// Remote allows an address that others can reach; Hosts are names for it beside its numbers.
	Remote bool     `yaml:"remote"`
	Hosts  []string `yaml:"hosts"`
}

// LogConfig is for log/slog.
type LogConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// DefaultYAML is the commented default configuration; it is what is in force where a
// configuration file is silent.
//
//go:embed default.yaml
var DefaultYAML []byte

// Default is DefaultYAML.
func Default() Config {
	var c Config
	if _, err := strict.Decode("default.yaml", DefaultYAML, &c); err != nil {
		panic(err) // a test reads it
	}
	return c
}

// Text is a named piece of configuration: a file, or a flag's value.
type Text struct {
	Name string
	YAML []byte
}

// Assign is the text of an assignment "a.b=value" as a flag or a variable gives it.
func Assign(from, assignment string) (Text, error) {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok || !assignable.MatchString(key) {
		return Text{}, fmt.Errorf("%s %q: want KEY=VALUE, deadline=80ms or http.listen=127.0.0.1:9000 for example", from, assignment)
	}
	var b strings.Builder
	parts := strings.Split(key, ".")
	for _, p := range parts {
		b.WriteString(p + ": {")
	}
	text := strings.TrimSuffix(b.String(), "{") + value + strings.Repeat("}", len(parts)-1)
	return Text{from + " " + assignment, []byte(text)}, nil
}

var assignable = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`)

// Parse reads configuration, each text over what was before it and the first over the
// default, and says what is wrong with file, line and key.
func Parse(texts ...Text) (Config, error) {
	c := Default()
	f, err := strict.Decode("default.yaml", DefaultYAML, new(Config))
	if err != nil {
		return c, err
	}
	files := []*strict.File{f}
	for _, t := range texts {
		before := c.Sources
		if f, err = strict.Decode(t.Name, t.YAML, &c); err != nil {
			return c, err
		}
		if c.Sources == nil {
			c.Sources = before
		}
		files = append(files, f)
	}
	return c, strict.Faults(c.faults(), files...)
}

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

var errNoSuchLabel = errors.New("the model has no such label")
