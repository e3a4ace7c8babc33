package export

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/export/quant"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/perception/model"
)

// ErrRefused is what a Judge's refusal wraps.
var ErrRefused = errors.New("the file is refused")

// Precisions of a file.
const (
	FP32 = "fp32"
	FP16 = "fp16"
	INT8 = "int8"
)

// Tolerances of the golden results and, for FP16, of parity. Those of INT8 leave room for
// processors that round elsewhere; whether the file is good enough is the Judge's
// question.
const (
	ToleranceFP16 = 0.01
	ToleranceINT8 = 0.02
)

// Conversion says how a file in fp32 becomes a smaller one.
type Conversion struct {
	Precision string // FP16 or INT8
	Target    quant.Target
	// Calibration are the frames whose values give the ranges. On Held the methods, and
	// layers, are compared: they must be others.
	Calibration, Held []Frame
	// Parity are the frames on which the finished file is compared with its source.
	Parity []Frame
	// Judge refuses a candidate with an error that wraps ErrRefused, and writes the figures
	// that it measured into the labels, which are those of the file.
	Judge func(ctx context.Context, m *model.Model, labels []models.Label) error
	// Facts, if not nil, adds to what the file says of its precision what the judge found.
	Facts func(p *models.Precision)
}

// Converted is a file and how it came about.
type Converted struct {
	File     []byte
	Manifest models.Manifest
	Parity   Parity
	// Methods are the errors, root mean square of logits, that each method of choosing
	// ranges left on the held frames; Layers those with one layer in float, if that was
	// looked into; Tried is how many candidates were judged.
	Methods, Layers []Error
	Tried           int
}

// Error is that of one way of doing something.
type Error struct {
	Name string
	RMS  float64
}

// Convert makes a file of another precision out of one in fp32 with its manifest. If the
// judge refuses an int8 candidate, the layers that cost most are left in float, 1, 2, 4 …
// of them up to half, until it accepts one.
func Convert(ctx context.Context, rt *ort.Runtime, file []byte, man *models.Manifest, c Conversion) (*Converted, error) {
	if man.Precision != nil {
		return nil, fmt.Errorf("export: the file is in %s already: convert the one in fp32", man.Precision.Type)
	}
	if len(c.Parity) == 0 || len(c.Calibration) == 0 || len(c.Held) == 0 {
		return nil, errors.New("export: no frames to compare on: a file is not written unproved")
	}
	source, err := onnx.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	source.MetadataProps = nil
	k := &converter{ctx: ctx, rt: rt, c: c}
	k.out.Manifest = *man
	k.out.Manifest.Labels = slices.Clone(man.Labels) // the judge writes into them
	k.out.Manifest.Precision = &models.Precision{Type: c.Precision}
	if k.reference, err = k.candidate(source); err != nil {
		return nil, err
	}
	defer k.reference.Close()
	k.source = proto.CloneOf(source)
	if err := Apply(k.source, Identities, Prune, FoldBatchNorm, Prune); err != nil {
		return nil, err
	}
	var best *candidate
	switch c.Precision {
	case FP16:
		best, err = k.half()
	case INT8:
		best, err = k.int8()
	default:
		err = fmt.Errorf("export: precision %q is unknown", c.Precision)
	}
	if err != nil {
		return &k.out, err
	}
	defer best.Close()
	return &k.out, k.finish(file, best)
}

// converter is a conversion under way.
type converter struct {
	ctx       context.Context
	rt        *ort.Runtime
	c         Conversion
	source    *onnx.Model
	reference *candidate
	seen      *quant.Observed
	out       Converted
}

// candidate is a graph that runs.
type candidate struct {
	graph *onnx.Model
	*model.Model
	lane *model.Lane
}

func (k *converter) candidate(graph *onnx.Model) (*candidate, error) {
	text, err := onnx.Marshal(graph)
	if err != nil {
		return nil, err
	}
	m, err := model.New(k.rt, text, &k.out.Manifest, ort.Options{})
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	lane, err := m.NewLane()
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("export: %w", err)
	}
	return &candidate{graph, m, lane}, nil
}

// apply makes a candidate of the source by passes.
func (k *converter) apply(passes ...Pass) (*candidate, error) {
	m := proto.CloneOf(k.source)
	if err := Apply(m, append(passes, Prune)...); err != nil {
		return nil, err
	}
	return k.candidate(m)
}

// judge asks for the verdict on a candidate.
func (k *converter) judge(c *candidate) error {
	k.out.Tried++
	if k.c.Judge == nil {
		return nil
	}
	return k.c.Judge(k.ctx, c.Model, k.out.Manifest.Labels)
}

// finish compares the chosen candidate with its source and makes the file. The golden
// pictures stay, their results are the new file's own.
func (k *converter) finish(file []byte, best *candidate) error {
	man := &k.out.Manifest
	tolerance, limit := float32(ToleranceINT8), math.Inf(1)
	if k.c.Precision == FP16 {
		tolerance, limit = ToleranceFP16, ToleranceFP16
	}
	ref := func(ctx context.Context, pix []byte) ([]float32, error) {
		err := run(ctx, k.reference.lane, Frame{Pix: pix})
		return k.reference.lane.Probabilities, err
	}
	var err error
	if k.out.Parity, err = compare(k.ctx, best.lane, k.c.Parity, ref, man.Labels, limit); err != nil {
		return err
	}
	var pictures []Frame
	for _, g := range man.Golden {
		pix, err := g.Pixels(man.Input.Width, man.Input.Height)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		pictures = append(pictures, Frame{g.Name, pix})
	}
	if man.Golden, err = golden(k.ctx, best.lane, pictures, man.Input, tolerance); err != nil {
		return err
	}
	p := man.Precision
	if p.Source, err = onnx.GraphSHA256(file); err != nil {
		return err
	}
	p.Compared, p.Max, p.Mean, p.Flips = k.out.Parity.Frames, k.out.Parity.Max, k.out.Parity.Mean, map[string]int{}
	for i, n := range k.out.Parity.Flips {
		if n > 0 {
			p.Flips[man.Labels[i].ID] = n
		}
	}
	if k.c.Facts != nil {
		k.c.Facts(p)
	}
	k.out.File, err = finish(k.ctx, k.rt, best.graph, *man)
	return err
}
