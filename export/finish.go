package export

import (
	"context"
	"fmt"
	"time"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/perception/model"
)

// finish writes the contract into a graph and loads the file as a vehicle would load it,
// before anyone gets it.
func finish(ctx context.Context, rt *ort.Runtime, m *onnx.Model, man models.Manifest) ([]byte, error) {
	m.MetadataProps = nil
	bare, err := onnx.Marshal(m)
	if err != nil {
		return nil, err
	}
	man.Schema = models.Schema
	man.Created = time.Now().UTC().Truncate(time.Second)
	if man.GraphSHA256, err = onnx.GraphSHA256(bare); err != nil {
		return nil, err
	}
	text, err := man.JSON()
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	m.SetMetadata(models.MetadataKey, string(text))
	out, err := onnx.Marshal(m)
	if err != nil {
		return nil, err
	}
	proved, err := model.Load(ctx, rt, out, nil, ort.Options{})
	if err != nil {
		return nil, fmt.Errorf("export: the finished file does not load: %w", err)
	}
	proved.Close()
	return out, nil
}

// golden records what a file gives for a few frames.
func golden(ctx context.Context, lane *model.Lane, frames []Frame, in models.Input, tolerance float32) ([]models.Golden, error) {
	var out []models.Golden
	for _, f := range frames {
		if err := run(ctx, lane, f); err != nil {
			return nil, err
		}
		g, err := models.NewGolden(f.Name, in.Width, in.Height, f.Pix, lane.Probabilities, tolerance)
		if err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		out = append(out, g)
	}
	return out, nil
}
