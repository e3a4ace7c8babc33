package serve

import (
	_ "embed"
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
	// Blocked is how long no connection to a camera may be tried because reads hang in native code,
	// before the process ends so that it is started anew; 0 is for ever.
	Blocked time.Duration `yaml:"blocked"`
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
