package nn

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Config is a network of the road family: shared features, and a head per label: a coarse
// map that is pooled to the presence, or the presence alone.
type Config struct {
	// Width and Height of the input in pixels, multiples of 32.
	Width  int64 `yaml:"width" json:"width"`
	Height int64 `yaml:"height" json:"height"`
	// Labels is the number of tasks.
	Labels int64 `yaml:"-" json:"labels"`
	// Pooled is the number of labels, the last ones, that have no map: questions about the
	// whole picture, or answers that are never located. Many cost next to nothing.
	Pooled int64 `yaml:"-" json:"pooled,omitempty"`
	// Channels and Blocks are per stage: strides 4, 8, 16, 32.
	Channels [4]int64 `yaml:"channels" json:"channels"`
	Blocks   [4]int64 `yaml:"blocks" json:"blocks"`
	// Stem is the size of the first kernel over the 4×4 patches of the picture, 0 meaning 3.
	Stem int64 `yaml:"stem,omitempty" json:"stem,omitempty"`
	// Neck is the number of channels at stride 8 in front of the maps.
	Neck int64 `yaml:"neck" json:"neck"`
	// Pool makes one logit of a map: "logsumexp" (or ""), "max", "mean" or "attention".
	Pool string `yaml:"pool,omitempty" json:"pool,omitempty"`
	// Backbone, if not nil, takes the place of the stages; Trunk is what was read of it.
	Backbone *Backbone `yaml:"backbone,omitempty" json:"backbone,omitempty"`
	Trunk    *Trunk    `yaml:"-" json:"-"`
}

// String says what the network is, for a person.
func (c Config) String() string {
	what := fmt.Sprintf("channels %v, blocks %v, first kernel %d", c.Channels, c.Blocks, c.stem())
	if b := c.Backbone; b != nil {
		what = fmt.Sprintf("backbone %s (SHA-256 %.12s…) cut at %s", filepath.Base(b.File), b.SHA256, strings.Join(b.Cut, ", "))
	}
	return fmt.Sprintf("%d×%d, %s, neck %d", c.Width, c.Height, what, c.Neck)
}

// Stride is the size of a map's cell in input pixels.
const Stride = 8

// Validate reports what cannot be built.
func (c Config) Validate() error {
	if c.Width <= 0 || c.Height <= 0 || c.Width%32 != 0 || c.Height%32 != 0 {
		return fmt.Errorf("nn: input %d×%d: width and height must be multiples of 32", c.Width, c.Height)
	}
	if c.Labels <= 0 || c.Pooled < 0 || c.Pooled > c.Labels {
		return fmt.Errorf("nn: %d labels, %d of them pooled: a network needs one or more, and no more pooled ones than that", c.Labels, c.Pooled)
	}
	if !slices.Contains(pools, c.Pool) {
		return fmt.Errorf("nn: pool: %q is not one of %q", c.Pool, pools[1:])
	}
	for i := range c.Channels {
		if c.Backbone != nil {
			break
		}
		if c.Channels[i] < 4 || c.Blocks[i] < 0 {
			return fmt.Errorf("nn: stage %d: %d channels, %d blocks: want at least 4 and 0", i, c.Channels[i], c.Blocks[i])
		}
	}
	if c.Stem < 0 || (c.Stem > 0 && c.Stem%2 == 0) {
		return fmt.Errorf("nn: stem: kernel of %d: want an odd number", c.Stem)
	}
	if c.Neck < 4 {
		return fmt.Errorf("nn: neck: %d channels, want at least 4", c.Neck)
	}
	return nil
}

// Frame turns a camera's picture, uint8 [N,H,W,3] in blue-green-red, into float32
// [N,48,H/4,W/4] of about zero mean and unit variance: each 4×4 block of pixels
// becomes channels. It is part of the graph, in training as on the vehicle, so
// the two cannot differ.
func (m Module) Frame(frame graph.Value) graph.Value {
	s := m.Shape(frame)
	if len(s) != 4 || s[3] != 3 || m.Elem(frame) != onnx.Tensor_UINT8 {
		m.Failf("frame has shape %v, want uint8 [N,H,W,3]", s)
		return graph.Value{}
	}
	x := m.Cast(m.Transpose(frame, 0, 3, 1, 2), onnx.Tensor_FLOAT)
	// 114 is the grey of the letterbox: padding becomes exactly zero.
	x = m.Scale(m.Shift(x, -114), 1.0/64)
	return m.Op("SpaceToDepth", []graph.Value{x}, onnx.Int("blocksize", 4))
}

// Mapped is the number of labels, the first ones, that have a map.
func (c Config) Mapped() int64 { return c.Labels - c.Pooled }

// Answers are the logits of each mapped label in each cell, [N,Mapped,H/8,W/8] (no value if
// there is none), and of each label's presence, [N,Labels].
func (c Config) Answers(m Module, frame graph.Value) (maps, presence graph.Value) {
	if err := c.Validate(); err != nil {
		m.Failf("%w", err)
		return maps, presence
	}
	y := c.features(m, frame)
	var logits []graph.Value
	if c.Mapped() > 0 {
		maps = m.Plain("maps", y, ConvConfig{Out: c.Mapped(), K: 1, Bias: -4}, 0.01)
		logits = append(logits, c.Presence(m, maps))
	}
	if c.Pooled > 0 {
		logits = append(logits, c.whole(m, y))
	}
	return maps, m.Concat(1, logits...)
}

// features are what all heads share: [N,Neck,H/8,W/8].
func (c Config) features(m Module, frame graph.Value) graph.Value {
	var y graph.Value
	if c.Backbone != nil {
		y = c.transferred(m, frame)
	} else {
		y = c.stages(m, frame)
	}
	y = m.Relu(y)
	return m.Relu(m.Conv("head", y, ConvConfig{Out: c.Neck, K: 3}))
}

func (c Config) stem() int64 {
	if c.Stem == 0 {
		return 3
	}
	return c.Stem
}

// stages is the family's own trunk: [N,Neck,H/8,W/8].
func (c Config) stages(m Module, frame graph.Value) graph.Value {
	x := m.Relu(m.Conv("stem", m.Frame(frame), ConvConfig{Out: c.Channels[0], K: c.stem()}))
	var stages [4]graph.Value
	for i := range stages {
		if i > 0 {
			x = m.Relu(m.Conv(fmt.Sprintf("down%d", i), x, ConvConfig{Out: c.Channels[i], K: 2}))
		}
		for j := range c.Blocks[i] {
			x = m.Block(fmt.Sprintf("stage%d.%d", i, j), x, c.Channels[i]/2, 3)
		}
		stages[i] = x
	}
	// Top down: what the coarse stages know about the whole scene is added to
	// what the fine stage sees in the cell.
	y := m.Conv("lateral3", stages[3], ConvConfig{Out: c.Neck, K: 1, Gain: lateral})
	for i := 2; i >= 1; i-- {
		y = m.Add(m.Upsample(y, 2), m.Conv(fmt.Sprintf("lateral%d", i), stages[i], ConvConfig{Out: c.Neck, K: 1, Gain: lateral}))
	}
	return y
}

// transferred puts the neck on another network's features: each is brought to mean square
// 1, whatever the scale it was trained with, to Neck channels and to stride 8, and they
// are summed.
func (c Config) transferred(m Module, frame graph.Value) graph.Value {
	if c.Trunk == nil {
		m.Failf("%w: it was not read", ErrBackbone)
		return graph.Value{}
	}
	var y graph.Value
	for i, x := range c.Trunk.Features(m, frame) {
		if m.Err() != nil {
			return y
		}
		s, name := m.Shape(x), c.Backbone.Cut[i]
		if len(s) != 4 || s[2] == 0 || s[3] == 0 || c.Height%(s[2]*Stride) != 0 || c.Width/s[3] != c.Height/s[2] || c.Width%s[3] != 0 {
			m.Failf("%w: cut %q has shape %v for an input of %d×%d: want [N,C,h,w] at 1/8, 1/16, 1/32 … of it", ErrBackbone, name, s, c.Width, c.Height)
			return y
		}
		x = m.Div(x, m.Sqrt(m.Shift(m.Scale(m.ReduceSumSquare(x, 1, 2, 3), 1/float64(s[1]*s[2]*s[3])), 1e-6)))
		x = m.Upsample(m.Conv(fmt.Sprintf("lateral%d", i), x, ConvConfig{Out: c.Neck, K: 1, Gain: lateral}), c.Height/s[2]/Stride)
		if i > 0 {
			x = m.Add(y, x)
		}
		y = x
	}
	return y
}

// lateral is the initial gain of the three layers that are summed in the neck: no
// rectifier follows each of them, and their sum keeps about unit variance.
const lateral = 0.8
