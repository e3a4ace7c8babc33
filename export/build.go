package export

import (
	"context"
	"errors"
	"fmt"

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

// Build makes the model file. It is refused with ErrParity when it disagrees with the
// reference by more than Tolerance; the Parity is returned either way.
func Build(ctx context.Context, rt *ort.Runtime, req Request) ([]byte, Parity, error) {
	if len(req.Parity) == 0 {
		return nil, Parity{}, errors.New("export: no frames to compare on: a file is not written unproved")
	}
	m := proto.CloneOf(req.Graph)
	if err := Apply(m, Freeze(req.Weights), Fold(ctx, rt), Identities, Prune, FoldBatchNorm, Prune); err != nil {
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
	parity, err := compare(ctx, lane, req.Parity, req.Reference, req.Manifest.Labels, Tolerance)
	if err != nil {
		return nil, parity, err
	}
	man := req.Manifest
	if man.Golden, err = golden(ctx, lane, req.Golden, man.Input, Tolerance); err != nil {
		return nil, parity, err
	}
	out, err := finish(ctx, rt, m, man)
	return out, parity, err
}
