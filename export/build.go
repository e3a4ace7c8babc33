package export

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/perception/model"
)

// ErrParity reports a file that does not compute what the training graph computes.
var ErrParity = errors.New("the exported file and the training graph disagree")

// Tolerance is the largest difference of a probability between the training graph and
// the exported file, both in float32 on the CPU.
const Tolerance = 1e-4

// Frame is one input of the network, uint8 [H,W,3] blue-green-red, with a name for
// reports.
type Frame struct {
	Name string
	Pix  []byte
}

// Reference computes the probabilities [L] of a frame with the training graph.
type Reference func(ctx context.Context, pix []byte) ([]float32, error)

// Request is what a model file is made from.
type Request struct {
	// Graph is the network with its parameters as graph inputs, Weights their values.
	Graph   *onnx.Model
	Weights map[string]*onnx.Tensor
	// Manifest is the contract, complete but for hash, golden vectors and date.
	Manifest models.Manifest
	// Golden are the frames whose results are written into the file. They travel with
	// it, so they must be free to copy.
	Golden []Frame
	// Parity are the frames on which the file must agree with Reference.
	Parity    []Frame
	Reference Reference
}

// Parity is how far the file and the training graph are apart.
type Parity struct {
	Frames int
	// Max is the largest difference of any probability, at the frame Worst; Mean the
	// mean over all.
	Max, Mean float64
	Worst     string
}

// Build makes the model file. It is refused with ErrParity when it disagrees with the
// reference by more than Tolerance; the Parity is returned either way.
func Build(ctx context.Context, rt *ort.Runtime, req Request) ([]byte, Parity, error) {
	if len(req.Parity) == 0 {
		return nil, Parity{}, errors.New("export: no frames to compare on: a file is not written unproved")
	}
	m := proto.CloneOf(req.Graph)
	if err := Apply(m, Freeze(req.Weights), Fold(ctx, rt), Prune); err != nil {
		return nil, Parity{}, err
	}
	bare, err := onnx.Marshal(m)
	if err != nil {
		return nil, Parity{}, err
	}
	file, err := model.New(rt, bare, &req.Manifest, ort.Options{})
	if err != nil {
		return nil, Parity{}, fmt.Errorf("export: %w", err)
	}
	defer file.Close()
	lane, err := file.NewLane()
	if err != nil {
		return nil, Parity{}, fmt.Errorf("export: %w", err)
	}
	parity, err := compare(ctx, lane, req)
	if err != nil {
		return nil, parity, err
	}
	man := req.Manifest
	man.Schema = models.Schema
	man.Created = time.Now().UTC().Truncate(time.Second)
	if man.Golden, err = golden(ctx, lane, req); err != nil {
		return nil, parity, err
	}
	if man.GraphSHA256, err = onnx.GraphSHA256(bare); err != nil {
		return nil, parity, err
	}
	text, err := man.JSON()
	if err != nil {
		return nil, parity, fmt.Errorf("export: %w", err)
	}
	m.SetMetadata(models.MetadataKey, string(text))
	out, err := onnx.Marshal(m)
	if err != nil {
		return nil, parity, err
	}
	// The file is loaded as a vehicle would load it before anyone gets it.
	proved, err := model.Load(ctx, rt, out, nil, ort.Options{})
	if err != nil {
		return nil, parity, fmt.Errorf("export: the finished file does not load: %w", err)
	}
	proved.Close()
	return out, parity, nil
}

// compare runs both on every parity frame.
func compare(ctx context.Context, lane *model.Lane, req Request) (Parity, error) {
	p := Parity{Frames: len(req.Parity)}
	var n int
	for _, f := range req.Parity {
		want, err := req.Reference(ctx, f.Pix)
		if err != nil {
			return p, fmt.Errorf("export: %s: training graph: %w", f.Name, err)
		}
		if err := run(ctx, lane, f); err != nil {
			return p, err
		}
		got := lane.Probabilities
		if len(got) != len(want) {
			return p, fmt.Errorf("export: %w: %d probabilities, %d in training", ErrParity, len(got), len(want))
		}
		for i := range got {
			d := math.Abs(float64(got[i]) - float64(want[i]))
			p.Mean += d
			n++
			if !(d <= p.Max) { // NaN counts as the worst
				p.Max, p.Worst = d, f.Name
			}
		}
	}
	p.Mean /= float64(max(1, n))
	if !(p.Max <= Tolerance) {
		return p, fmt.Errorf("export: %w: by %.2g at %s, %.2g is allowed", ErrParity, p.Max, p.Worst, Tolerance)
	}
	return p, nil
}

func run(ctx context.Context, lane *model.Lane, f Frame) error {
	if len(f.Pix) != len(lane.Input) {
		return fmt.Errorf("export: %s: %d bytes, the input takes %d", f.Name, len(f.Pix), len(lane.Input))
	}
	copy(lane.Input, f.Pix)
	if err := lane.Run(ctx); err != nil {
		return fmt.Errorf("export: %s: %w", f.Name, err)
	}
	return nil
}

// golden records what the file gives for a few frames.
func golden(ctx context.Context, lane *model.Lane, req Request) ([]models.Golden, error) {
	var out []models.Golden
	in := req.Manifest.Input
	for _, f := range req.Golden {
		if err := run(ctx, lane, f); err != nil {
			return nil, err
		}
		g, err := models.NewGolden(f.Name, in.Width, in.Height, f.Pix, lane.Probabilities, Tolerance)
		if err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		out = append(out, g)
	}
	return out, nil
}
